#!/usr/bin/env bash
# Compiles the CUDA kernels with NVRTC for three architectures, as the node does at run time; needs no card. Fails on any
# error and on registers spilled to memory; writes kernels/REGISTERS.md. Skips the work if that file has these sources' hash.
#   scripts/cuda-check.sh              that
#   scripts/cuda-check.sh --ptx DIR    writes PTX to ship with the node instead (in `ptx/` beside it, or where $VIGIL_PTX_DIR
#                                      says), for machines without NVRTC; by the oldest NVRTC of CUDA 12, so that all drivers
#                                      since then (525) take it
#   scripts/cuda-check.sh --fetch      only sees to it that NVRTC is there, for the tests that want the real one
# VIGIL_CUDA_ROOT names a folder that has the wheels already, or gets them: each in a folder of its own (13, 12), as pip empties
# what it shares.
set -euo pipefail
cd "$(dirname "$0")/.."
wheel=nvidia-cuda-nvrtc==13.0.88
wheel_ptx=nvidia-cuda-nvrtc-cu12==12.0.140
record=kernels/REGISTERS.md
architectures="sm_75 sm_90 sm_100"

root=${VIGIL_CUDA_ROOT:-${XDG_CACHE_HOME:-$HOME/.cache}/vigil/cuda}
have() { # FOLDER LIBRARY WHEEL
  [ -e "$1/$2" ] || python3 -m pip install --quiet --root-user-action=ignore --no-deps --upgrade --target "$1" "$3"
}

if [ "${1:-}" = --ptx ]; then
  lib=$root/12/nvidia/cuda_nvrtc/lib
  have "$root/12" nvidia/cuda_nvrtc/lib/libnvrtc.so.12 "$wheel_ptx"
  LD_LIBRARY_PATH=$lib python3 scripts/nvrtc.py --ptx "$lib/libnvrtc.so.12" "${2:?a folder}"
  exit
fi

lib=$root/13/nvidia/cu13/lib
if [ "${1:-}" = --fetch ]; then
  have "$root/13" nvidia/cu13/lib/libnvrtc.so.13 "$wheel"
  exit
fi

hash=$(cat kernels/cuda/*.cu kernels/cuda/*.cuh scripts/nvrtc.py | sha256sum | cut -c1-32)
if grep -qs "$hash" "$record"; then
  echo "cuda: $record is of these sources ($wheel)"
  exit 0
fi

have "$root/13" nvidia/cu13/lib/libnvrtc.so.13 "$wheel"

new=$(mktemp)
trap 'rm -f "$new"' EXIT
{
  echo "# Registers of the CUDA kernels"
  echo
  echo "Written by \`scripts/cuda-check.sh\`: $wheel, sources $hash. Stack is for tables and powers that digits pick"
  echo "from; spills are registers that found no place. Bytes a thread, but for code."
  echo
  echo "| kernel | for | registers | stack | spills | code bytes |"
  echo "|---|---|---|---|---|---|"
} >"$new"
for source in kernels/cuda/*.cu; do
  # shellcheck disable=SC2086 # a list
  LD_LIBRARY_PATH=$lib python3 scripts/nvrtc.py "$lib/libnvrtc.so.13" "$source" $architectures >>"$new"
done
spilled=$(awk -F'|' '/^\| `/ && $6 > 0 { print $2 $3 "spills" $6 "bytes" }' "$new")
[ -z "$spilled" ] || { echo "cuda: registers are spilled:" >&2; echo "$spilled" >&2; exit 1; }
cp "$new" "$record"
echo "cuda: $(grep -c '^| `' "$record") kernels compiled, $record written"
