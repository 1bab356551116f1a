"""zeep, strict, with the schemas that the package ciscoaxl brings: every operation on partitions,
lines, users, phones and user profiles."""

import os
import sys

import ciscoaxl
import zeep
from zeep.transports import Transport

from client import BASE, BINDING, attempt, session

SCHEMAS = os.path.join(os.path.dirname(ciscoaxl.__file__), "schema")
MAC = "SEP00112233AA55"
WAITING = "BAT00112233AA56"

version = sys.argv[1]
client = zeep.Client(
    os.path.join(SCHEMAS, version, "AXLAPI.wsdl"), transport=Transport(session=session())
)
axl = client.create_service(BINDING, f"{BASE}/axl/")


def partitions():
    attempt(
        "partition added",
        lambda: axl.addRoutePartition({"name": "PT-Lab", "description": "Laboratory"}),
    )
    attempt("partition", lambda: axl.getRoutePartition(name="PT-Lab"))
    attempt(
        "partition updated",
        lambda: axl.updateRoutePartition(name="PT-Lab", newName="PT-Labs", description="Labs"),
    )
    tags = {"name": "", "description": ""}
    attempt(
        "partitions",
        lambda: axl.listRoutePartition(searchCriteria={"name": "PT-L%"}, returnedTags=tags),
    )


def lines():
    attempt(
        "line added",
        lambda: axl.addLine(
            {
                "pattern": "5001",
                "usage": "Device",
                "routePartitionName": "PT-Labs",
                "description": "Reception",
                "alertingName": "Reception desk",
                "asciiAlertingName": "Reception desk",
                "presenceGroupName": "Standard Presence group",
                "callForwardAll": {
                    "forwardToVoiceMail": "false",
                    "callingSearchSpaceName": None,
                    "secondaryCallingSearchSpaceName": None,
                    "destination": "5002",
                },
            }
        ),
    )
    key = {"pattern": "5001", "routePartitionName": "PT-Labs"}
    attempt("line", lambda: axl.getLine(**key))
    attempt("line updated", lambda: axl.updateLine(**key, description="Front desk"))
    attempt(
        "lines",
        lambda: axl.listLine(
            searchCriteria={"pattern": "50%"},
            returnedTags={"pattern": "", "description": "", "routePartitionName": ""},
        ),
    )


def users():
    attempt(
        "user added",
        lambda: axl.addUser(
            {
                "userid": "jdoe",
                "firstName": "Jane",
                "lastName": "Doe",
                "password": "Voice-7-gateway",
                "pin": "73914",
                "digestCredentials": "a-digest-secret",
                "mailid": "jdoe@example.com",
                "presenceGroupName": "Standard Presence group",
                "primaryExtension": {"pattern": "5001", "routePartitionName": "PT-Labs"},
                "associatedGroups": {"userGroup": [{"name": "Standard CCM End Users"}]},
            }
        ),
    )
    attempt("user", lambda: axl.getUser(userid="jdoe"))
    attempt(
        "user updated",
        lambda: axl.updateUser(userid="jdoe", department="Sales", mailid="jane@example.com"),
    )
    attempt(
        "users",
        lambda: axl.listUser(
            searchCriteria={"userid": "j%"},
            returnedTags={"userid": "", "firstName": "", "department": ""},
        ),
    )


def phone(name):
    return {
        "name": name,
        "description": "Jane's phone",
        "product": "Cisco 7841",
        "class": "Phone",
        "protocol": "SIP",
        "protocolSide": "User",
        "devicePoolName": "Default",
        "commonPhoneConfigName": "Standard Common Phone Profile",
        "locationName": "Hub_None",
        "useTrustedRelayPoint": "Default",
        "builtInBridgeStatus": "Default",
        "packetCaptureMode": "None",
        "certificateOperation": "No Pending Operation",
        "deviceMobilityMode": "Default",
        "ownerUserName": "jdoe",
        "lines": {
            "line": [
                {
                    "index": 1,
                    "label": "5001",
                    "display": "Jane Doe",
                    "dirn": {"pattern": "5001", "routePartitionName": "PT-Labs"},
                    "e164Mask": "49301234XXXX",
                    "recordingMediaSource": "Gateway Preferred",
                }
            ]
        },
    }


def options():
    found = axl.getPhone(name=MAC)["return"]["phone"]
    uuid = found["uuid"]
    attempt("phone options", lambda: axl.getPhoneOptions(uuid=uuid))
    wanted = {
        "securityProfileName": {"product": "Cisco 8851", "protocol": "SIP"},
        "locationName": {"skip": 1, "first": 1},
        "lines": {"line": [{"ringSetting": {}, "dirn": {"routePartitionName": {}}}]},
    }
    attempt("some options", lambda: axl.getPhoneOptions(uuid=uuid, returnedChoices=wanted))
    line = found["lines"]["line"][0]["dirn"]["uuid"]
    attempt("line options", lambda: axl.getLineOptions(uuid=line))
    profile = found["sipProfileName"]["uuid"]
    attempt("profile options", lambda: axl.getSipProfileOptions(uuid=profile))


def identities():
    dirn = axl.getPhone(name=MAC)["return"]["phone"]["lines"]["line"][0]["dirn"]
    alone = {"pattern": "", "routePartitionName": None, "uuid": dirn["uuid"]}
    entry = {"index": 3, "dirn": alone}
    if version != "8.5":
        entry["recordingMediaSource"] = "Gateway Preferred"
    attempt("line by identity", lambda: axl.updatePhone(name=MAC, lines={"line": [entry]}))
    attempt("phone by identity", lambda: axl.getPhone(name=MAC))


def phones():
    wanted = phone(MAC)
    if version < "10.0" and "." in version and len(version) == 3:
        del wanted["lines"]["line"][0]["recordingMediaSource"]
    attempt("phone added", lambda: axl.addPhone(wanted))
    attempt("phone", lambda: axl.getPhone(name=MAC))
    attempt(
        "phone by tags",
        lambda: axl.getPhone(
            name=MAC, returnedTags={"name": "", "lines": {"line": {"index": "", "label": ""}}}
        ),
    )
    identities()
    if version != "8.5":
        options()
    attempt("phone updated", lambda: axl.updatePhone(name=MAC, description="Jane's new phone"))
    attempt("phone without lines", lambda: axl.updatePhone(name=MAC, lines={"line": []}))
    attempt(
        "phones",
        lambda: axl.listPhone(
            searchCriteria={"name": "SEP0011%"},
            returnedTags={"name": "", "description": "", "ownerUserName": "", "digestUser": ""},
        ),
    )
    attempt("no phones", lambda: axl.listPhone(searchCriteria={"name": "X%"}, returnedTags={"name": ""}))
    attempt("unknown phone", lambda: axl.getPhone(name="SEP00000000FFFF"))
    attempt("phone twice", lambda: axl.addPhone(wanted))


def profiles():
    attempt(
        "profile added",
        lambda: axl.addUserProfileProvision(
            {"name": "Sales", "description": "Sales", "allowProvision": "true", "limitProvision": 3}
        ),
    )
    attempt("profile", lambda: axl.getUserProfileProvision(name="Sales"))
    attempt(
        "profile updated",
        lambda: axl.updateUserProfileProvision(name="Sales", limitProvision=5),
    )
    attempt(
        "profiles",
        lambda: axl.listUserProfileProvision(
            searchCriteria={"name": "S%"}, returnedTags={"name": "", "limitProvision": ""}
        ),
    )
    attempt("profile removed", lambda: axl.removeUserProfileProvision(name="Sales"))
    attempt("profile gone", lambda: axl.getUserProfileProvision(name="Sales"))


def activation():
    wanted = phone(WAITING)
    wanted["enableActivationID"] = True
    attempt("waiting phone added", lambda: axl.addPhone(wanted))
    code = {"activationCodeExpiry": "86400", "phoneName": WAITING}
    attempt("code added", lambda: axl.addPhoneActivationCode(code))
    attempt("code twice", lambda: axl.addPhoneActivationCode(code))
    names = ["activationCode", "activationCodeExpiry", "phoneName", "phoneDescription"]
    names += ["phoneModel", "enableActivationId", "userId"]
    codes = attempt(
        "codes",
        lambda: axl.listPhoneActivationCode(
            searchCriteria={"phoneName": "BAT%"}, returnedTags={name: "" for name in names}
        ),
    )
    tags = {"enableActivationID": "", "activationIDStatus": ""}
    attempt("waiting phone", lambda: axl.getPhone(name=WAITING, returnedTags=tags))
    digits = codes["return"]["phoneActivationCode"][0]["activationCode"]
    attempt("code removed", lambda: axl.removePhoneActivationCode(activationCode=digits))
    attempt("code gone", lambda: axl.removePhoneActivationCode(activationCode=digits))
    attempt("waiting phone removed", lambda: axl.removePhone(name=WAITING))


def removals():
    attempt("partition in use", lambda: axl.removeRoutePartition(name="PT-Labs"))
    attempt("phone removed", lambda: axl.removePhone(name=MAC))
    attempt("user removed", lambda: axl.removeUser(userid="jdoe"))
    attempt("user gone", lambda: axl.getUser(userid="jdoe"))
    key = {"pattern": "5001", "routePartitionName": "PT-Labs"}
    attempt("line removed", lambda: axl.removeLine(**key))
    attempt("line gone", lambda: axl.getLine(**key))
    attempt("partition removed", lambda: axl.removeRoutePartition(name="PT-Labs"))


for kind in sys.argv[2:]:
    globals()[kind]()
