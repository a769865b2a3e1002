#!/usr/bin/env bash
# Builds a wheel of the program:
#   scripts/wheel.sh             # prints the file
#   pip install FILE             # gives `cltv`, without Rust
# The wheel says in its name which Linux it needs (manylinux_2_35: glibc 2.35 or later, as in Debian 12
# and Ubuntu 22.04). If it needs a later glibc than CLTV_GLIBC, the script fails.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
latest="${CLTV_GLIBC:-2.35}"
wheels="$CARGO_TARGET_DIR/wheels"
maturin="$CARGO_TARGET_DIR-tools/maturin"
wanted=$(sed -n 's/^requires = \["\(.*\)"\]/\1/p' pyproject.toml)
if [ "$("$maturin/bin/pip" freeze 2>/dev/null | grep ^maturin)" != "$wanted" ]; then
    python3 -m venv --clear "$maturin"
    "$maturin/bin/pip" install --quiet --disable-pip-version-check "$wanted"
fi
rm -rf "$wheels"
"$maturin/bin/maturin" build --release --locked --quiet --out "$wheels" >&2
wheel=$(echo "$wheels"/cltv_forecast-*.whl)
if [ "$(uname -s)" = Linux ]; then
    # The newest version of a symbol of glibc that the program asks for.
    needed=$(strings "$CARGO_TARGET_DIR/release/cltv" | sed -n 's/^GLIBC_\([0-9.]*\)$/\1/p' | sort -V | tail -1)
    if [ "$(printf '%s\n' "$needed" "$latest" | sort -V | tail -1)" != "$latest" ]; then
        echo "the program needs glibc $needed, later than $latest" >&2
        exit 1
    fi
    stated=$(sed -n 's/.*manylinux_\([0-9]*\)_\([0-9]*\)_.*/\1.\2/p' <<<"$wheel")
    if [ -z "$stated" ] || [ "$(printf '%s\n' "$needed" "$stated" | sort -V | tail -1)" != "$stated" ]; then
        echo "$wheel does not say that it needs glibc $needed" >&2
        exit 1
    fi
fi
echo "$wheel"
