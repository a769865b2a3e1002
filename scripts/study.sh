#!/usr/bin/env bash
# Runs the study of the selection correction and of the intervals, and writes its tables below the text of
# docs/selection-study.md. Takes a quarter of an hour on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
tables=$(mktemp)
trap 'rm -f "$tables"' EXIT
cargo bench --locked --bench selection_study >"$tables"
page=docs/selection-study.md
text=$(sed '/^<!-- tables -->$/q' "$page")
{
    echo "$text"
    cat "$tables"
} >"$page.new"
mv "$page.new" "$page"
