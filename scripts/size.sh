# Sourced by scripts/test.sh. Keeps the number of crates and the size of the program from growing unnoticed:
# whoever raises a limit says why in docs/build.md.
most_crates=360
most_megabytes=76
crates=$(cargo tree --locked -e normal,build --prefix none --format '{p}' | awk 'NF > 1 { print $1, $2 }' | sort -u | wc -l)
bytes=$(wc -c <"$CARGO_TARGET_DIR/release/cltv")
megabytes=$((bytes / 1000000))
echo "$crates crates (at most $most_crates), $megabytes MB (at most $most_megabytes)"
if [ "$crates" -gt "$most_crates" ] || [ "$megabytes" -gt "$most_megabytes" ]; then
    echo "the program has grown: see docs/build.md" >&2
    exit 1
fi
