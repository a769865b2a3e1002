# Sourced by the other scripts. Checks the Rust toolchain and adds its missing components. Sets one build
# folder outside the clone, so that another clone does not compile Polars again.
if ! command -v cargo >/dev/null; then
    echo "cargo is missing: install Rust from https://rustup.rs" >&2
    exit 1
fi
if command -v rustup >/dev/null; then
    cargo fmt --version >/dev/null 2>&1 || rustup component add rustfmt
    cargo clippy --version >/dev/null 2>&1 || rustup component add clippy
fi
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/cltv/target}"
mkdir -p "$CARGO_TARGET_DIR"
# Absolute, because scripts and tests use it from other folders.
CARGO_TARGET_DIR=$(cd "$CARGO_TARGET_DIR" && pwd)
