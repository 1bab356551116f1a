"""zeep, strict, with the WSDL that the server itself gives in every version."""

import io
import os
import sys
import tempfile
import zipfile

import requests
import zeep
from zeep.transports import Transport

from client import BASE, BINDING, attempt, say, session

# Without a login: nothing in it is secret.
archive = requests.get(f"{BASE}/plugins/axlsqltoolkit.zip")
archive.raise_for_status()
archive = zipfile.ZipFile(io.BytesIO(archive.content))
say("files", sorted(archive.namelist()))

with tempfile.TemporaryDirectory() as folder:
    archive.extractall(folder)
    for version in sys.argv[1:]:
        wsdl = os.path.join(folder, "schema", version, "AXLAPI.wsdl")
        client = zeep.Client(wsdl, transport=Transport(session=session()))
        port = client.wsdl.services["AXLAPIService"].ports["AXLPort"]
        operations = sorted(port.binding._operations)
        say(f"{version} operations", operations)
        say(f"{version} address", port.binding_options["address"])
        axl = client.create_service(BINDING, f"{BASE}/axl/")
        attempt(f"{version} version", lambda: axl.getCCMVersion())
        attempt(
            f"{version} sql",
            lambda: axl.executeSQLQuery(sql="select name from routepartition order by name"),
        )
        attempt(
            f"{version} login",
            lambda: axl.doAuthenticateUser(userid="aksethi", pin="8362"),
        )
        if "listChange" in operations:
            attempt(f"{version} changes", lambda: axl.listChange())
        if "addUserProfileProvision" not in operations:
            continue
        attempt(
            f"{version} profile added",
            lambda: axl.addUserProfileProvision(
                sequence=7,
                userProfileProvision={"name": f"P {version}", "limitProvision": 3},
            ),
        )
        key = {"name": f"P {version}"}
        attempt(
            f"{version} profile updated",
            lambda: axl.updateUserProfileProvision(**key, description="Changed"),
        )
        attempt(f"{version} profile", lambda: axl.getUserProfileProvision(**key))
        attempt(
            f"{version} profiles",
            lambda: axl.listUserProfileProvision(
                searchCriteria={"name": "P %"}, returnedTags={"name": "", "limitProvision": ""}
            ),
        )
        attempt(f"{version} profile removed", lambda: axl.removeUserProfileProvision(**key))
        attempt(f"{version} profile gone", lambda: axl.getUserProfileProvision(**key))
