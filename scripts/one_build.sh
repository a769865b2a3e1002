#!/usr/bin/env bash
# Fails if a test dependency would make cargo compile Polars twice, once for the program and once for the
# tests. That happens when it enables a feature of a crate that Polars depends on.
set -euo pipefail
cd "$(dirname "$0")/.."

features() {
    cargo tree --locked --edges "$1" --prefix none --format '{p} {f}' | sed 's/ (\*)$//' | sort -u
}

more=$(comm -13 <(features normal,build) <(features normal,build,dev))
for name in $(cut -d' ' -f1 <<<"$more" | sort -u); do
    if features normal,build | grep -q "^$name "; then
        echo "the tests need other features of $name: add them to [dependencies] too" >&2
        exit 1
    fi
done
echo "ok"
