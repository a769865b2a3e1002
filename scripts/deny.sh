# Sourced by scripts/test.sh. Checks the dependencies against deny.toml. cargo-deny is compiled once, in a
# folder next to the build folder. Advisories need a database on GitHub; if that is out of reach, a
# message says so.
tools="$CARGO_TARGET_DIR-tools"
deny="$tools/bin/cargo-deny"
if [ ! -x "$deny" ]; then
    CARGO_TARGET_DIR="$tools/build" cargo install --quiet --locked --root "$tools" \
        cargo-deny --version 0.20.2 || echo "LEFT OUT: deny.toml, because cargo-deny could not be installed"
    rm -rf "$tools/build"
fi
if [ -x "$deny" ]; then
    "$deny" --locked check licenses bans sources
    if timeout 20 git ls-remote --exit-code https://github.com/rustsec/advisory-db HEAD >/dev/null 2>&1; then
        "$deny" --locked check advisories
    else
        echo "LEFT OUT: advisories, because https://github.com/rustsec/advisory-db is out of reach"
    fi
fi
