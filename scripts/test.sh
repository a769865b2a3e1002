#!/usr/bin/env bash
# All checks: format, lints, tests, documentation, licences. Needs Rust and a C compiler. With Python 3.11
# or later, it also tests that other programs can read our tables.
# Polars is compiled once: every step uses the release profile and the same build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
. scripts/cargo_tool.sh

step() { printf '\n== %s\n' "$1"; }

step "format"
cargo fmt --check
step "tests and program share one build of every dependency"
scripts/one_build.sh
step "Python, for the programs that read our tables"
. scripts/python.sh
step "a browser, for the reports"
. scripts/browser.sh
step "the wheel"
if [ -n "${CLTV_PYTHON:-}" ]; then
    # For this machine; a release is held to the glibc that scripts/wheel.sh states.
    own=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d" " -f2)
    CLTV_WHEEL=$(CLTV_GLIBC="${CLTV_GLIBC:-$own}" scripts/wheel.sh)
    export CLTV_WHEEL
    echo "$CLTV_WHEEL"
else
    # What the wheel would have built, for its size below.
    cargo build --release --locked
    echo "LEFT OUT: the wheel, because there is no Python"
fi
step "the size of the program"
. scripts/size.sh
step "workflows"
. scripts/workflows.sh
step "tests"
# Tests that need something more are ignored by `cargo test` and say what; here they run too where it
# is there. In CI all of it must be there.
left_out=()
needs() {
    if [ -n "${!1:-}" ]; then
        return
    elif [ -n "${CI:-}" ]; then
        echo "$1 is not set: CI must run every test" >&2
        exit 1
    fi
    echo "LEFT OUT: the tests whose names end in $2, because $1 is not set"
    left_out+=(--skip "$2")
}
needs CLTV_REFERENCE _on_reference_data
needs CLTV_PYTHON _in_python
needs CLTV_PYTHON _in_a_browser
needs CLTV_CHROMIUM _in_a_browser
# Another user, a device and a mount need root with all its rights, which not every machine gives.
as_root() {
    local place made=1
    place=$(mktemp -d)
    [ "$(id -u)" = 0 ] && mknod "$place/null" c 1 3 && : <"$place/null" && unshare --mount true || made=0
    rm -rf "$place"
    [ "$made" = 1 ]
}
if ! as_root 2>/dev/null; then
    echo "LEFT OUT: the tests whose names end in _as_root, because this is not root with all its rights"
    left_out+=(--skip _as_root)
fi
cargo test --release --locked --no-fail-fast -- --include-ignored ${left_out[@]+"${left_out[@]}"}
step "the library without the program and object stores"
cargo clippy --release --locked --lib --no-default-features -- -D warnings
step "lints"
cargo clippy --release --locked --all-targets -- -D warnings
step "the package"
cargo package --locked --no-verify --allow-dirty --quiet
step "licences and sources of the dependencies"
. scripts/deny.sh
step "the software bill of materials"
. scripts/sbom.sh
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --quiet
# Links between private modules are checked too.
RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --quiet --document-private-items
echo
echo "all checks passed"
