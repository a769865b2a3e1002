#!/usr/bin/env bash
# A test dependency that switches on a feature of something under Polars makes cargo compile
# Polars twice: once for the program, once for the tests. This fails when one does.
set -euo pipefail
cd "$(dirname "$0")/.."

features() {
    cargo tree --locked --edges "$1" --prefix none --format '{p} {f}' | sed 's/ (\*)$//' | sort -u
}

more=$(comm -13 <(features normal,build) <(features normal,build,dev))
for name in $(cut -d' ' -f1 <<<"$more" | sort -u); do
    if features normal,build | grep -q "^$name "; then
        echo "the tests need other features of $name: put them into [dependencies] too" >&2
        exit 1
    fi
done
echo "ok"
