#!/usr/bin/env bash
# Makes the committed samples again, byte for byte.
set -euo pipefail
cd "$(dirname "$0")/.."
scripts/run.sh simulate customers --customers 92000 --seed 1 \
    --last-order-within 365 --both-channels --out data/flo_sample.csv
scripts/run.sh simulate transactions --customers 400 --seed 1 \
    --end 2011-12-09 --acquired-over 730 --out data/orders_sample.csv
