# Sourced by scripts/test.sh. Sets CLTV_PYTHON to a Python with the libraries that the tests read our
# tables with. It is created next to the build folder, and again when the list of libraries changes.
wanted=tests/downstream/requirements.txt
venv="$CARGO_TARGET_DIR-python"
if [ -z "${CLTV_PYTHON:-}" ]; then
    if cmp -s "$wanted" "$venv/requirements.txt"; then
        CLTV_PYTHON="$venv/bin/python"
    elif python3 -m venv --clear "$venv" && "$venv/bin/pip" install --quiet -r "$wanted"; then
        cp "$wanted" "$venv/requirements.txt"
        CLTV_PYTHON="$venv/bin/python"
    elif [ -n "${CI:-}" ]; then
        echo "Python 3.11 or later with $wanted is needed, but could not be set up" >&2
        exit 1
    else
        echo "LEFT OUT: the tests with pandas, DuckDB, Polars and OpenLineage from Python, because"
        echo "          Python 3.11 or later with $wanted could not be set up"
    fi
fi
if [ -n "${CLTV_PYTHON:-}" ]; then
    export CLTV_PYTHON
fi
