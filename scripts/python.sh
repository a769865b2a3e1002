# Sourced by scripts/test.sh: a Python beside the build folder with the programs that the tests read
# our tables with, as CLTV_PYTHON. Made once, and again when the list changes.
wanted=tests/downstream/requirements.txt
venv="$CARGO_TARGET_DIR-python"
if [ -z "${CLTV_PYTHON:-}" ]; then
    if cmp -s "$wanted" "$venv/requirements.txt"; then
        CLTV_PYTHON="$venv/bin/python"
    elif python3 -m venv --clear "$venv" && "$venv/bin/pip" install --quiet -r "$wanted"; then
        cp "$wanted" "$venv/requirements.txt"
        CLTV_PYTHON="$venv/bin/python"
    elif [ -n "${CI:-}" ]; then
        echo "Python 3.11 or later with $wanted is needed, and could not be had" >&2
        exit 1
    else
        echo "LEFT OUT: the tests with pandas, DuckDB, Polars and OpenLineage from Python, because"
        echo "          Python 3.11 or later with $wanted could not be had"
    fi
fi
if [ -n "${CLTV_PYTHON:-}" ]; then
    export CLTV_PYTHON
fi
