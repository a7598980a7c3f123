#!/usr/bin/env bash
# The engine beside the libraries that others use, into bench/results/engine-<commit>.{json,md,html}. Arguments go to
# `vigil-bench engine`.
set -euo pipefail
cd "$(dirname "$0")/.."
bin=$(deploy/cargo --print-target)/release
results=bench/results/engine-$(git rev-parse --short=12 HEAD)
# p3-keccak with the widest vectors of this machine, and the ordinary one back in its place afterwards
plain() { deploy/cargo clean --quiet --release -p p3-keccak; }
if grep -qw avx512vl /proc/cpuinfo; then
  plain
  trap plain EXIT
  export RUSTC_WRAPPER=$PWD/bench/p3-wrapper.sh
fi
deploy/cargo build --release --quiet -p vigil-bench
"$bin/vigil-bench" engine --json "$results.json" --markdown "$results.md" --html "$results.html" "$@"
