#!/usr/bin/env bash
# All checks: format, lints, tests, documentation, licences. Needs Rust and a C compiler. With Python 3.11
# or later, it also tests that other programs can read our tables.
# Polars is compiled once: every step uses the release profile and the same build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

step() { printf '\n== %s\n' "$1"; }

step "format"
cargo fmt --check
step "tests and program share one build of every dependency"
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
