"""zeep, strict, with Cisco's schemas: what the server has of every kind of object is listed with
every tag that has no tags below it, and one of each kind is read whole. Strict means: an element
that the schema does not have, or has elsewhere, raises.

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
    if objects and f"get{noun}" in operations:
        got = only(getattr(axl, f"get{noun}")(uuid=objects[0].uuid)["return"])
        if got.uuid != objects[0].uuid:
            raise AssertionError(f"{noun} {objects[0].uuid}: got {got.uuid}")
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
