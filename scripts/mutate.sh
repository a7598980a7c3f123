#!/usr/bin/env bash
# Plants bugs in accel's arithmetic, one at a time, and asks the conformance suite and some unit tests about each.
#   scripts/mutate.sh [SHARE [WORD...]]   one bug in SHARE (default 1: all), of the files whose path holds a WORD
# Fails if a bug goes unnoticed that scripts/mutate/equivalent.txt does not explain.
set -euo pipefail
cd "$(dirname "$0")/.."
share=${1:-1}
[ $# -eq 0 ] || shift
target=$(deploy/cargo --print-target)
scratch=$target/mutate
mkdir -p "$scratch/tree"
# The copy keeps the times of files that did not change, so that only what changed is built again.
git ls-files -z -- . ':!scripts/mutate' | tar --create --null --files-from=- | tar --extract --directory "$scratch/tree"
CARGO_TARGET_DIR=$scratch/tool deploy/cargo build --quiet --release --manifest-path scripts/mutate/Cargo.toml
export VIGIL_VECTORS=${VIGIL_VECTORS:-$(cd ../shared/vectors 2>/dev/null && pwd || true)}
[ -n "$VIGIL_VECTORS" ] || unset VIGIL_VECTORS
"$scratch/tool/release/mutate" "$scratch/tree" "$scratch/target" scripts/mutate/equivalent.txt "$share" "$@"
