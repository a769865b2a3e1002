#!/usr/bin/env bash
# The main job on the sample, or any other cltv command:
#   scripts/run.sh
#   scripts/run.sh run pipelines/flo.toml --input export.csv --output out
# Builds the program first if necessary.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/setup.sh"
cargo build --release --locked --manifest-path "$root/Cargo.toml"
if [ $# -eq 0 ]; then
    cd "$root"
    set -- run pipelines/flo_selection_aware.toml
fi
exec "$CARGO_TARGET_DIR/release/cltv" "$@"
