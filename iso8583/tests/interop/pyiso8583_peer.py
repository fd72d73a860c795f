"""Reads and builds messages with pyiso8583. Standard input is one JSON object: the specification, messages to read in hexadecimal digits, and
messages to build by field; standard output is one with the results."""

import json
import sys

import iso8583

request = json.load(sys.stdin)
spec = request["spec"]
read = [iso8583.decode(bytes.fromhex(text), spec)[0] for text in request["read"]]
built = [iso8583.encode(fields, spec)[0].hex() for fields in request["build"]]
json.dump({"read": read, "built": built}, sys.stdout)
