"""zeep, strict, with Cisco's schemas: what the server has of every kind of object is listed with
every tag that has no tags below it, and one of each kind is read whole. Strict means: an element
that the schema does not have, or has elsewhere, raises. Every tag of the schema is taken.

Arguments: the version, and the file of its WSDL."""

import re
import sys

import zeep
from zeep.exceptions import Fault, XMLParseError
from zeep.transports import Transport

from client import BASE, BINDING, say, session

version, wsdl = sys.argv[1:]
client = zeep.Client(wsdl, transport=Transport(session=session()))
axl = client.create_service(BINDING, f"{BASE}/axl/")
operations = client.wsdl.services["AXLAPIService"].ports["AXLPort"].binding._operations


def request(operation):
    """The elements of a request."""
    return dict(operations[operation].input.body.type.elements)


def below(operation, name):
    """The elements below an element of a request, those without elements of their own."""
    found = request(operation)[name]
    return [name for name, element in found.type.elements if not getattr(element.type, "elements", None)]


def tags(kind, depth=0):
    """Every tag of a type, with those below it."""
    below = getattr(kind, "elements", None) or []
    if depth > 8:
        return ""
    named = [(name, element) for name, element in below if name and not name.startswith("_value")]
    return "".join(f"<{name}>{tags(element.type, depth + 1)}</{name}>" for name, element in named)


def ask_for_everything(operation, elements):
    """Sends a request with every tag that the schema has, as tools that fill in forms do."""
    wanted = tags(request(operation)["returnedTags"].type)
    body = (
        '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
        f'<n:{operation} xmlns:n="http://www.cisco.com/AXL/API/{version}">{elements}'
        f"<returnedTags>{wanted}</returnedTags></n:{operation}></e:Body></e:Envelope>"
    )
    headers = {"Content-Type": "text/xml", "SOAPAction": f'"CUCM:DB ver={version} {operation}"'}
    answer = session().post(f"{BASE}/axl/", data=body.encode(), headers=headers)
    if answer.status_code != 200:
        raise AssertionError(f"{operation} with every tag: {answer.text}")


def only(answer):
    """What stands in the one element of an answer."""
    return next(iter(answer.__values__.values()))


def read(noun):
    """How many objects of a kind there are; one of them is read."""
    criteria = {name: "%" for name in below(f"list{noun}", "searchCriteria")[:1]}
    tags = {name: "" for name in below(f"list{noun}", "returnedTags")}
    call = getattr(axl, f"list{noun}")
    listed = call(searchCriteria=criteria, returnedTags=tags)["return"]
    objects = only(listed) if listed is not None else []
    wanted = "".join(f"<{name}>%</{name}>" for name in criteria)
    ask_for_everything(f"list{noun}", f"<searchCriteria>{wanted}</searchCriteria>")
    if objects and f"get{noun}" in operations:
        got = only(getattr(axl, f"get{noun}")(uuid=objects[0].uuid)["return"])
        if got.uuid != objects[0].uuid:
            raise AssertionError(f"{noun} {objects[0].uuid}: got {got.uuid}")
        ask_for_everything(f"get{noun}", f"<uuid>{got.uuid}</uuid>")
    return len(objects)


for operation in sorted(operations):
    noun = re.fullmatch("list([A-Z].*)", operation)
    # Some have requests of their own.
    if noun is None or not {"searchCriteria", "returnedTags"} <= request(operation).keys():
        continue
    try:
        say(noun[1], read(noun[1]))
    except Fault as refused:
        if "No method found" not in refused.message:
            say(noun[1], fault=refused.message)
    except XMLParseError as wrong:
        say(noun[1], fault=f"strict: {wrong}")
