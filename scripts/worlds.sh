#!/usr/bin/env bash
# Runs the study of wrong and right models and writes its tables below the text of docs/world-study.md. Takes half
# an hour on two cores.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
tables=$(mktemp)
trap 'rm -f "$tables"' EXIT
cargo bench --locked --bench world_study -- 500 100 right >"$tables"
cargo bench --locked --bench world_study -- 5000 20 >>"$tables"
cargo bench --locked --bench world_study -- 50000 10 right >>"$tables"
page=docs/world-study.md
text=$(sed '/^<!-- tables -->$/q' "$page")
{
    echo "$text"
    cat "$tables"
} >"$page.new"
mv "$page.new" "$page"
