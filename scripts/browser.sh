# Sourced by scripts/test.sh. Sets CLTV_CHROMIUM to a Chromium in which the tests open reports, and
# CLTV_SCREENSHOTS to the folder for their screenshots. Installs Debian's package if there is no Chromium.
if [ -z "${CLTV_CHROMIUM:-}" ]; then
    CLTV_CHROMIUM=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
fi
if [ -z "$CLTV_CHROMIUM" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    install=(apt-get install --yes --quiet --no-install-recommends chromium chromium-driver fonts-dejavu-core)
    if "${install[@]}" >/dev/null || { apt-get update --quiet >/dev/null && "${install[@]}" >/dev/null; }; then
        CLTV_CHROMIUM=$(command -v chromium)
    fi
fi
if [ -n "$CLTV_CHROMIUM" ]; then
    export CLTV_CHROMIUM
    CLTV_SCREENSHOTS=${CLTV_SCREENSHOTS:-$CARGO_TARGET_DIR/screenshots}
    export CLTV_SCREENSHOTS
    echo "screenshots of the reports: $CLTV_SCREENSHOTS"
elif [ -n "${CI:-}" ]; then
    echo "Chromium is needed, but could not be installed" >&2
    exit 1
else
    unset CLTV_CHROMIUM
    echo "LEFT OUT: the tests that open reports in a browser, because there is no Chromium"
fi
