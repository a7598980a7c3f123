#!/usr/bin/env bash
# The engine beside the libraries that others use, into bench/results/engine-<commit>.{json,md,html}. Arguments go to
# `vigil-bench engine`.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(deploy/cargo --print-target)
# p3-keccak with the widest vectors of this machine, and the ordinary one back in its place afterwards
plain() { deploy/cargo clean --quiet --release -p p3-keccak; }
wrapper=${RUSTC_WRAPPER:-}
if grep -qw avx512vl /proc/cpuinfo; then
  plain
  trap plain EXIT
  wrapper=$PWD/bench/p3-wrapper.sh
fi
RUSTC_WRAPPER=$wrapper deploy/cargo build --release --quiet -p vigil-bench
commit=$("$target/release/vigil-bench" --version | sed 's/.*(\(.*\))/\1/')
# The trie beside an alloy-trie that hashes with tiny-keccak: features only add up, so that takes another Cargo.toml.
rows=$(VIGIL_COMMIT=$commit bench/tiny-keccak.sh "$@")
results=bench/results/engine-$commit
"$target/release/vigil-bench" engine --append "$rows" \
  --json "$results.json" --markdown "$results.md" --html "$results.html" "$@"
