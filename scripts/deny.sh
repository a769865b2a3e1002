# Sourced by scripts/test.sh. Checks the dependencies against deny.toml. Advisories need a database on
# GitHub; if that is out of reach, a message says so.
deny=$(cargo_tool cargo-deny 0.20.2)
if [ -x "$deny" ]; then
    "$deny" --locked check licenses bans sources
    if timeout 20 git ls-remote --exit-code https://github.com/rustsec/advisory-db HEAD >/dev/null 2>&1; then
        "$deny" --locked check advisories
    else
        echo "LEFT OUT: advisories, because https://github.com/rustsec/advisory-db is out of reach"
    fi
fi
