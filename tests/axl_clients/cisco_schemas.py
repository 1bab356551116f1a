"""zeep, strict, with the schemas that the package ciscoaxl brings."""

import os
import sys

import ciscoaxl
import zeep
from zeep.transports import Transport

from client import BASE, BINDING, attempt, session

SCHEMAS = os.path.join(os.path.dirname(ciscoaxl.__file__), "schema")

version = sys.argv[1]
client = zeep.Client(
    os.path.join(SCHEMAS, version, "AXLAPI.wsdl"), transport=Transport(session=session())
)
axl = client.create_service(BINDING, f"{BASE}/axl/")

attempt("version", lambda: axl.getCCMVersion())
attempt(
    "sql",
    lambda: axl.executeSQLQuery(
        sql="select userid, firstname, middlename from enduser where userid = 'aksethi'"
    ),
)
attempt("no rows", lambda: axl.executeSQLQuery(sql="select userid from enduser where userid = 'x'"))
attempt("bad sql", lambda: axl.executeSQLQuery(sql="select nonsense from nowhere"))
attempt("right pin", lambda: axl.doAuthenticateUser(userid="aksethi", pin="8362"))
attempt("wrong pin", lambda: axl.doAuthenticateUser(userid="aksethi", pin="0000"))
