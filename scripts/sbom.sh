# Sourced by scripts/test.sh. Writes the software bill of materials (CycloneDX) of the program to the
# build folder, and checks that no crate is missing in it.
cyclonedx=$(cargo_tool cargo-cyclonedx 0.5.9)
if [ -x "$cyclonedx" ]; then
    # It writes next to Cargo.toml only.
    "$cyclonedx" cyclonedx -qq --format json --spec-version 1.5 --override-filename cltv-sbom
    mkdir -p "$CARGO_TARGET_DIR/sbom"
    sbom="$CARGO_TARGET_DIR/sbom/cltv.cdx.json"
    mv cltv-sbom.json "$sbom"
    missing=$(cargo tree --locked -e normal,build --prefix none --format '{p}' | awk 'NF > 1 { print $1, substr($2, 2) }' |
        sort -u | while read -r name version; do
            grep -qF "\"pkg:cargo/$name@$version" "$sbom" || echo "  $name $version"
        done)
    if [ -n "$missing" ]; then
        printf 'the SBOM lacks:\n%s\n' "$missing" >&2
        exit 1
    fi
    echo "$(grep -cF '"bom-ref": "registry+' "$sbom") crates are listed in $sbom"
fi
