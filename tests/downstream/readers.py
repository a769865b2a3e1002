"""Reads the customers of a run with pandas, DuckDB and Polars, and compares what they read with each
other and with run.json.

    python readers.py FOLDER

FOLDER is the output of a run with formats = ["parquet", "csv", "ipc"]. Exits with 0, or prints every
difference to stderr and exits with 1.
"""

import hashlib
import json
import sys
from pathlib import Path

import duckdb
import pandas
import polars
import pyarrow.ipc
import pyarrow.parquet

# Rows of a row group, as written.
MOST_ROWS = 65_536
CALENDAR_MONTH = 365.25 / 12

faults = []


def same(what, found, expected):
    if found != expected:
        faults.append(f"{what}: {found!r:.500} is not {expected!r:.500}")


def expected_types(settings):
    """Name and kind of every column, in the documented order."""
    unit = {"week": "weekly", "day": "daily"}[settings["summary"]["time_unit"]]
    months = [horizon["months"] for horizon in settings["forecast"]["horizons"]]
    columns = [("customer_id", "text"), ("frequency", "number")]
    columns += [(f"recency_{unit}", "number"), (f"T_{unit}", "number")]
    columns += [("monetary_avg", "number"), ("p_alive", "number")]
    columns += [(f"exp_sales_{n}_month", "number") for n in months]
    columns += [("exp_average_value", "number"), ("cltv", "number"), ("cltv_segment", "text")]
    columns += [("days_since_last_order", "count"), ("rfm_recency", "count")]
    columns += [("rfm_frequency", "count"), ("rfm_monetary", "count"), ("rfm_segment", "text")]
    if settings["uncertainty"]:
        for n in months:
            columns += [(f"p_order_{n}_month", "number"), (f"sales_{n}_month_low", "number")]
            columns += [(f"sales_{n}_month_high", "number")]
    columns += [(name, "text") for name in settings["input"]["columns"]["keep"]]
    rename = settings["output"]["rename"]
    return {rename.get(name, name): kind for name, kind in columns}


def expected_notes(run, model_text):
    settings = run["settings"]
    weeks = settings["forecast"]["weeks_per_month"]
    month = CALENDAR_MONTH if weeks == "calendar" else 7 * weeks
    rename = settings["output"]["rename"]
    column = "exp_sales_{}_month".format
    notes = {
        "schema_version": str(run["schema_version"]),
        "tool": run["tool"]["name"],
        "tool_version": run["tool"]["version"],
        "pipeline": settings["name"],
        "as_of": run["as_of"],
        "model": run["purchases"]["model"],
        "model_id": hashlib.sha256(model_text).hexdigest()[:12],
        "time_unit": settings["summary"]["time_unit"],
        "horizons": [
            {"months": n, "days": n * month, "column": rename.get(column(n), column(n))}
            for n in (horizon["months"] for horizon in settings["forecast"]["horizons"])
        ],
        "lifetime_value_months": str(settings["lifetime_value"]["months"]),
        "segments": settings["segments"]["labels"],
    }
    if settings["output"]["currency"]:
        notes["currency"] = settings["output"]["currency"]
    return notes


def notes_of(metadata):
    notes = {key.decode(): value.decode() for key, value in metadata.items()}
    notes.pop("ARROW:schema", None)
    for key in ("horizons", "segments"):
        notes[key] = json.loads(notes[key])
    return notes


def by_pandas(folder, kinds):
    """The table as pandas reads each format. CSV has no types, so text columns are named as such."""
    texts = {name: str for name, kind in kinds.items() if kind == "text"}
    tables = {
        "parquet": pandas.read_parquet(folder / "customers.parquet"),
        "arrow": pandas.read_feather(folder / "customers.arrow"),
        "csv": pandas.read_csv(
            folder / "customers.csv", dtype=texts, keep_default_na=False
        ),
    }
    names = {"text": "str", "number": "float64", "count": "int32"}
    for form, table in tables.items():
        width = {"int64": "int32"} if form == "csv" else {}
        types = {name: width.get(str(t), str(t)) for name, t in table.dtypes.items()}
        same(f"pandas, {form}: types", types, {name: names[kind] for name, kind in kinds.items()})
        same(f"pandas, {form}: nulls", int(table.isna().sum().sum()), 0)
    return {form: {n: t[n].tolist() for n in t.columns} for form, t in tables.items()}


def by_duckdb(folder, kinds):
    names = {"text": "VARCHAR", "number": "DOUBLE", "count": "INTEGER"}
    types = {name: names[kind] for name, kind in kinds.items()}
    sources = {
        "parquet": f"read_parquet('{folder}/customers.parquet')",
        "csv": f"read_csv('{folder}/customers.csv', header = true, columns = {types}, "
        "force_not_null = [" + ", ".join(f"'{n}'" for n, k in kinds.items() if k == "text") + "])",
    }
    tables = {}
    for form, source in sources.items():
        described = duckdb.sql(f"DESCRIBE SELECT * FROM {source}").fetchall()
        same(f"DuckDB, {form}: types", {row[0]: row[1] for row in described}, types)
        table = duckdb.sql(f"SELECT * FROM {source}").to_arrow_table().to_pydict()
        nulls = sum(value is None for column in table.values() for value in column)
        same(f"DuckDB, {form}: nulls", nulls, 0)
        tables[form] = table
    return tables


def by_polars(folder, kinds):
    names = {"text": polars.String, "number": polars.Float64, "count": polars.Int32}
    types = {name: names[kind] for name, kind in kinds.items()}
    tables = {
        "parquet": polars.read_parquet(folder / "customers.parquet"),
        "arrow": polars.read_ipc(folder / "customers.arrow"),
        "csv": polars.read_csv(folder / "customers.csv", schema=types, empty_string_is_null=False),
    }
    for form, table in tables.items():
        same(f"Polars, {form}: types", dict(table.schema), types)
        same(f"Polars, {form}: nulls", sum(table.null_count().row(0)), 0)
    return {form: table.to_dict(as_series=False) for form, table in tables.items()}


def check_file(folder, run, notes):
    """Compression, row groups and notes of the Parquet file, and the notes of the Arrow file."""
    file = pyarrow.parquet.ParquetFile(folder / "customers.parquet").metadata
    customers = run["rows"]["customers"]
    same("rows", file.num_rows, customers)
    groups = [file.row_group(i) for i in range(file.num_row_groups)]
    full, rest = divmod(customers, MOST_ROWS)
    same("row groups", [g.num_rows for g in groups], full * [MOST_ROWS] + [rest] * (rest > 0))
    chunks = [group.column(i) for group in groups for i in range(file.num_columns)]
    same("compression", {chunk.compression for chunk in chunks}, {"ZSTD"})
    same("chunks without statistics", sum(not chunk.is_stats_set for chunk in chunks), 0)
    same("notes of the Parquet file", notes_of(file.metadata), notes)
    arrow = pyarrow.ipc.open_file(folder / "customers.arrow").schema.metadata
    same("notes of the Arrow file", notes_of(arrow), notes)
    said = duckdb.sql(
        f"SELECT decode(key), decode(value) FROM parquet_kv_metadata('{folder}/customers.parquet')"
    ).fetchall()
    same("as_of, as DuckDB reads it", dict(said).get("as_of"), run["as_of"])


def main(folder):
    run = json.loads((folder / "run.json").read_text())
    model_text = (folder / "model.json").read_bytes()
    kinds = expected_types(run["settings"])
    check_file(folder, run, expected_notes(run, model_text))
    readers = {"pandas": by_pandas, "DuckDB": by_duckdb, "Polars": by_polars}
    first = None
    for reader, read in readers.items():
        for form, table in read(folder, kinds).items():
            first = first or table
            same(f"{reader}, {form}: columns", list(table), list(kinds))
            for name, values in table.items():
                differ = sum(a != b for a, b in zip(values, first[name], strict=True))
                same(f"{reader}, {form}: values of {name} that differ", differ, 0)
    total = sum(first[run["settings"]["output"]["rename"].get("cltv", "cltv")])
    company = run["company"]["total_cltv"]
    # The order of summation changes a sum of a million doubles by less than this.
    if abs(total / company - 1) > 1e-10:
        faults.append(f"total cltv: {total} is not {company}")
    print("\n".join(faults), file=sys.stderr)
    print(f"{len(first['customer_id'])} customers, {len(kinds)} columns, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
