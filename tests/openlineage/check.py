"""Checks OpenLineage events, one per line, against the published specification.

    python check.py EVENTS

The specification is taken from the classes that the OpenLineage project generates from its JSON
schemas and publishes as openlineage-python. Every key must be known, every required key present,
every value of its type, times and UUIDs well formed, and every facet under its name and with the
address of its schema. Unlike the schemas, the check rejects unknown keys. Exits with 0, or prints
every fault to stderr and exits with 1.
"""

import enum
import json
import sys
import types
import typing
from pathlib import Path

import attr
from openlineage.client import event_v2, facet_v2

FACETS = {
    "schema": facet_v2.schema_dataset.SchemaDatasetFacet,
    "jobType": facet_v2.job_type_job.JobTypeJobFacet,
    "processing_engine": facet_v2.processing_engine_run.ProcessingEngineRunFacet,
    "errorMessage": facet_v2.error_message_run.ErrorMessageRunFacet,
    "inputStatistics": facet_v2.input_statistics_input_dataset.InputStatisticsInputDatasetFacet,
    "dataQualityMetrics": facet_v2.data_quality_metrics_input_dataset.DataQualityMetricsInputDatasetFacet,
    "outputStatistics": facet_v2.output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet,
}
# Required by the specification, but with a default in the classes.
ALWAYS = {"producer", "schemaURL", "_producer", "_schemaURL"}

faults = []


def check(value, kind, where):
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        # Optional: if the key is present, it has a value.
        check(value, next(a for a in arguments if a is not type(None)), where)
    elif origin is list:
        if expect(value, list, where):
            for i, item in enumerate(value):
                check(item, arguments[0], f"{where}[{i}]")
    elif origin is dict:
        if expect(value, dict, where):
            for name, item in value.items():
                check_entry(name, item, arguments[1], f"{where}.{name}")
    elif isinstance(kind, type) and issubclass(kind, enum.Enum):
        if value not in {entry.value for entry in kind}:
            faults.append(f"{where}: {value!r} is none of {[entry.value for entry in kind]}")
    elif attr.has(kind):
        if expect(value, dict, where):
            check_object(value, kind, where)
    else:
        expect(value, (int, float) if kind is float else kind, where)


def expect(value, kind, where):
    right = isinstance(value, kind) and not (isinstance(value, bool) and kind is not bool)
    if not right:
        faults.append(f"{where}: {value!r:.80} is no {kind}")
    return right


def check_entry(name, item, kind, where):
    if not (attr.has(kind) and issubclass(kind, facet_v2.BaseFacet)):
        return check(item, kind, where)
    known = FACETS.get(name)
    if known is None or not issubclass(known, kind):
        faults.append(f"{where}: no such {kind.__name__}")
        return
    check(item, known, where)
    if item.get("_schemaURL") != known._get_schema():
        faults.append(f"{where}._schemaURL: not {known._get_schema()}")


def check_object(value, kind, where):
    fields = {field.name: field for field in attr.fields(kind)}
    hints = typing.get_type_hints(kind)
    for name in value.keys() - fields.keys():
        faults.append(f"{where}: unknown key {name}")
    for name, field in fields.items():
        if name in value:
            check(value[name], hints[name], f"{where}.{name}")
            if field.validator is not None:
                try:
                    field.validator(None, field, value[name])
                except Exception as fault:
                    faults.append(f"{where}.{name}: {fault}")
        elif field.default is attr.NOTHING or name in ALWAYS:
            faults.append(f"{where}: {name} is missing")


def main(events):
    lines = Path(events).read_text().splitlines()
    parsed = [json.loads(line) for line in lines]
    for i, event in enumerate(parsed, 1):
        check(event, event_v2.RunEvent, f"line {i}")
        if event.get("schemaURL") != event_v2.RunEvent._get_schema():
            faults.append(f"line {i}.schemaURL: not {event_v2.RunEvent._get_schema()}")
    print("\n".join(faults), file=sys.stderr)
    print(f"{len(parsed)} events, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
