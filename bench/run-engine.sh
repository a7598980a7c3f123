#!/usr/bin/env bash
# The engine beside the libraries that others use, into bench/results/engine-<commit>.{json,md,html}. Arguments go to
# `vigil-bench engine`.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(deploy/cargo --print-target)/release
results=bench/results/engine-$(git rev-parse --short=12 HEAD)
"$bin/vigil-bench" engine --ops recover,verify_known,keccak256 --backends all \
  --json "$results.json" --markdown "$results.md" --html "$results.html" "$@"
