#!/usr/bin/env bash
# Settled TPS and latency of four validators at three loads, into bench/results/tps-<commit>-<target>.json.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(deploy/cargo --print-target)/release
commit=$(git rev-parse --short=12 HEAD)
for target in ${TARGETS:-200 1000 10000}; do
  "$bin/vigil-bench" tps --validators 4 --target "$target" --duration "${DURATION:-60s}" --mix send \
    --json "bench/results/tps-$commit-$target.json"
done
