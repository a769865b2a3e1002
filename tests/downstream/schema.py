"""Checks JSON documents against a JSON schema. Usage: schema.py SCHEMA DOCUMENT..."""
import json
import sys

from jsonschema import Draft202012Validator

schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
validator = Draft202012Validator(schema)
faults = [
    f"{name}: {fault.json_path}: {fault.message}"
    for name in sys.argv[2:]
    for fault in validator.iter_errors(json.load(open(name)))
]
if faults:
    sys.exit("\n".join(faults))
