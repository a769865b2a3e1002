#!/usr/bin/env bash
# Makes data/cdnow.csv for pipelines/cdnow.toml from the data set in the lifetimes package (MIT).
set -euo pipefail
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m pip install --quiet --no-deps --target "$work" "lifetimes==0.11.3"
{
    echo "customer_id,date,value"
    awk 'NF == 5 { print $2 "," $3 "," $5 }' "$work/lifetimes/datasets/CDNOW_sample.txt"
} >"$work/cdnow.csv"
mv "$work/cdnow.csv" data/cdnow.csv
echo "data/cdnow.csv: $(($(wc -l <data/cdnow.csv) - 1)) orders"
