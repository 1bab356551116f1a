"""What the Python scripts share: where AXL is, and how they say what happened."""

import json
import os

import requests
from zeep.exceptions import Fault
from zeep.helpers import serialize_object

HOST, PORT = os.environ["AXL_HOST"], os.environ["AXL_PORT"]
USER, PASSWORD = os.environ["AXL_USER"], os.environ["AXL_PASSWORD"]
BASE = f"https://{HOST}:{PORT}"
BINDING = "{http://www.cisco.com/AXLAPIService/}AXLAPIBinding"


def session():
    """A session with Basic authentication; the certificate is checked."""
    made = requests.Session()
    made.auth = (USER, PASSWORD)
    return made


def plain(value):
    """What zeep gives, as JSON has it."""
    if hasattr(value, "tag"):
        return {value.tag: value.text}
    value = serialize_object(value, dict)
    if isinstance(value, dict):
        return {name: plain(item) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def say(step, result=None, fault=None):
    print(json.dumps({"step": step, "result": plain(result), "fault": fault}), flush=True)


def attempt(step, call):
    """Calls, says what came of it, and gives it."""
    try:
        result = call()
    except Fault as refused:
        say(step, fault=refused.message)
        return None
    if isinstance(result, Fault):
        say(step, fault=result.message)
        return None
    say(step, result)
    return result
