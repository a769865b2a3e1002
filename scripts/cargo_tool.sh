# Sourced by scripts/test.sh. `cargo_tool NAME VERSION` compiles a tool once, in a folder next to the build
# folder, and prints its path.
cargo_tool() {
    local tools="$CARGO_TARGET_DIR-tools"
    if [ ! -x "$tools/bin/$1" ]; then
        CARGO_TARGET_DIR="$tools/build" cargo install --quiet --locked --root "$tools" "$1" --version "$2" ||
            echo "LEFT OUT: $1 could not be installed" >&2
        rm -rf "$tools/build"
    fi
    echo "$tools/bin/$1"
}
