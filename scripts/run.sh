#!/usr/bin/env bash
# The main job on the sample, or any other cltv command:
#   scripts/run.sh
#   scripts/run.sh run pipelines/flo.toml --input export.csv --output out
# Builds the program first if necessary.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
. "$root/scripts/setup.sh"
cargo build --release --locked --manifest-path "$root/Cargo.toml"
cltv="$CARGO_TARGET_DIR/release/cltv"
if [ $# -gt 0 ]; then
    exec "$cltv" "$@"
fi
cd "$root"
"$cltv" run pipelines/flo_selection_aware.toml
# The number of expected orders, with commas, from the last log line of a run.
orders() {
    "$cltv" run "pipelines/$1.toml" --dry-run --log-format json "${@:2}" 2>&1 >/dev/null |
        sed -n 's/.*"expected_orders":\([0-9]*\).*/\1/p' |
        sed -E -e ':a' -e 's/([0-9])([0-9]{3})($|,)/\1,\2\3/' -e 'ta'
}
published=$(orders flo)
corrected=$(orders flo_selection_aware --set uncertainty.draws=100)
echo "As published (pipelines/flo.toml): $published orders in 24 weeks; corrected, in six months: $corrected"
