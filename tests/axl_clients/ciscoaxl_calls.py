"""The package ciscoaxl: its own functions on partitions, lines, users and phones."""

import sys

from ciscoaxl import axl

from client import HOST, PASSWORD, PORT, USER, attempt, say

MAC = "SEP00112233BB66"

version = sys.argv[1]
ucm = axl(USER, PASSWORD, HOST, version, PORT)
try:
    axl(USER, "wrong", HOST, version, PORT)
except Exception as refused:
    say("wrong password", fault=str(refused))

attempt("sql", lambda: ucm.sql_query("select userid from enduser where userid = 'aksethi'"))


def partitions():
    attempt("partition added", lambda: ucm.add_partition("PT-Ciscoaxl", "Made by ciscoaxl"))
    attempt("partition", lambda: ucm.get_partition(name="PT-Ciscoaxl"))
    attempt(
        "partition updated",
        lambda: ucm.update_partition(name="PT-Ciscoaxl", description="Changed by ciscoaxl"),
    )
    attempt("partitions", ucm.get_partitions)


def lines():
    attempt(
        "line added",
        lambda: ucm.add_directory_number("6001", "PT-Ciscoaxl", "Desk", "Desk", "Desk"),
    )
    key = {"pattern": "6001", "routePartitionName": "PT-Ciscoaxl"}
    attempt("line", lambda: ucm.get_directory_number(**key))
    attempt("line updated", lambda: ucm.update_directory_number(**key, description="New desk"))
    attempt("lines", ucm.get_directory_numbers)


def users():
    attempt("user added", lambda: ucm.add_user("mdoe", "Doe", "Max"))
    attempt("user", lambda: ucm.get_user("mdoe"))
    attempt("user updated", lambda: ucm.update_user(userid="mdoe", department="Support"))
    attempt(
        "user credentials",
        lambda: ucm.update_user_credentials("mdoe", password="Voice-8-gateway", pin="73916"),
    )
    attempt("users", ucm.get_users)


def phones():
    line = ("6001", "PT-Ciscoaxl", "Max Doe", "Max Doe", "Max - 6001", "49301234XXXX")
    attempt(
        "phone added",
        lambda: ucm.add_phone(
            MAC,
            description="Max's phone",
            product="Cisco 8861",
            protocol="SIP",
            ownerUserName="mdoe",
            lines=[line],
        ),
    )
    attempt("phone", lambda: ucm.get_phone(name=MAC))
    attempt("phone updated", lambda: ucm.update_phone(name=MAC, description="Max's new phone"))
    attempt("phones", ucm.get_phones)
    attempt("phone reset", lambda: ucm.do_device_reset(name=MAC))
    attempt("phone deleted", lambda: ucm.delete_phone(name=MAC))
    attempt("phone gone", lambda: ucm.get_phone(name=MAC))


def deletions():
    attempt("user deleted", lambda: ucm.delete_user(userid="mdoe"))
    attempt("user gone", lambda: ucm.get_user("mdoe"))
    attempt("line deleted", lambda: ucm.delete_directory_number("6001", "PT-Ciscoaxl"))
    attempt("partition deleted", lambda: ucm.delete_partition(name="PT-Ciscoaxl"))


for kind in sys.argv[2:]:
    globals()[kind]()
