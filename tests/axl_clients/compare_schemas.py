"""Our own schemas beside Cisco's: each element of a request or answer of ours must stand in
Cisco's as well, in the same order.

Arguments: pairs of a version and the file of its WSDL. Of some versions there are two schemas,
of different releases: what either has is right."""

import io
import os
import sys
import zipfile

import requests
from lxml import etree

from client import BASE, say

XSD = "{http://www.w3.org/2001/XMLSchema}"
CONTENT = {XSD + name for name in ("sequence", "choice", "all")}
# Which object is meant: a choice, whose branches have no order.
KEYS = {"uuid", "name", "userid", "pattern", "routePartitionName"}


class Schema:
    def __init__(self, root):
        named = root.iter(XSD + "complexType")
        self.types = {kind.get("name"): kind for kind in named if kind.get("name")}
        self.elements = {element.get("name"): element for element in root.findall(XSD + "element")}

    def type_of(self, element):
        name = element.get("type")
        if name is None:
            return element.find(XSD + "complexType")
        return self.types.get(name.split(":")[-1])

    def below(self, kind):
        """The elements of a type in their order, those of the type it extends first."""
        found = []
        for part in kind if kind is not None else ():
            if part.tag == XSD + "complexContent":
                extension = part.find(XSD + "extension")
                base = self.types.get(extension.get("base").split(":")[-1])
                found += self.below(base) + self.below(extension)
            elif part.tag in CONTENT:
                found += self.below(part)
            elif part.tag == XSD + "element":
                found.append(part)
        return found


def compare(path, ours, our_type, cisco, cisco_type, wrong):
    theirs = cisco.below(cisco_type)
    if not theirs:
        return
    names = [element.get("name") for element in theirs]
    position = -1
    is_request = path.count("/") == 0
    for element in ours.below(our_type):
        name = element.get("name")
        below = f"{path}/{name}"
        places = [place for place, other in enumerate(names) if other == name]
        later = [place for place in places if place > position]
        if not places and is_request and name == "uuid":
            # We take an identity everywhere.
            continue
        if not places:
            wrong.append(f"{below} is not there")
            continue
        if later:
            position = later[0]
        elif not (is_request and name in KEYS):
            wrong.append(f"{below} stands elsewhere")
        if name != "searchCriteria":
            there = cisco.type_of(theirs[places[0]])
            compare(below, ours, ours.type_of(element), cisco, there, wrong)


archive = requests.get(f"{BASE}/plugins/axlsqltoolkit.zip")
archive.raise_for_status()
archive = zipfile.ZipFile(io.BytesIO(archive.content))
arguments = iter(sys.argv[1:])
found = {}
for version, wsdl in zip(arguments, arguments):
    ours = Schema(etree.fromstring(archive.read(f"schema/{version}/AXLSoap.xsd")))
    parser = etree.XMLParser(huge_tree=True)
    path = os.path.join(os.path.dirname(wsdl), "AXLSoap.xsd")
    cisco = Schema(etree.parse(path, parser).getroot())
    wrong = []
    for name, element in sorted(ours.elements.items()):
        if name not in cisco.elements:
            wrong.append(f"{name} is not there")
            continue
        there = cisco.type_of(cisco.elements[name])
        compare(name, ours, ours.type_of(element), cisco, there, wrong)
    before = found.get(version, (0, wrong))[1]
    found[version] = len(ours.elements), [one for one in wrong if one in before]
for version, (count, wrong) in found.items():
    say(version, {"compared": count, "wrong": wrong})
