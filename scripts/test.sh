#!/usr/bin/env bash
# Everything that has to hold: format, lints, tests, docs, licences. Needs Rust and a C compiler;
# with Python 3.11 or later, other programs read our tables too.
# Polars is compiled once: every step uses the release profile and one build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

step() { printf '\n== %s\n' "$1"; }

step "format"
cargo fmt --check
step "the tests need no other build of a dependency than the program"
scripts/one_build.sh
step "Python, for the programs that read our tables"
. scripts/python.sh
step "a browser, for the reports"
. scripts/browser.sh
step "tests"
if [ -z "${CLTV_REFERENCE:-}" ]; then
    echo "LEFT OUT: the tests on reference data (published numbers), because CLTV_REFERENCE is not set"
fi
cargo test --release --locked
step "lints"
cargo clippy --release --locked --all-targets -- -D warnings
step "licences and sources of the dependencies"
. scripts/deny.sh
step "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --release --locked --no-deps --quiet
echo
echo "all checks passed"
