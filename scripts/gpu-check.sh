#!/usr/bin/env bash
# Checks this machine's graphics cards: what is there, whether it calculates rightly, how fast it is.
#
#   scripts/gpu-check.sh        builds, packs what a check needs into .gpu/, and checks if a card is here
#   scripts/gpu-check.sh run    checks with .gpu/ as it is: no Rust, no network (x86-64 Linux, glibc 2.36 or newer)
#
# Results go to $OUT (default gpu-check-out), below the folder from which this is called: summary.txt first. A part that fails does not stop the others; the exit status is 1
# then, and the last lines name it; 2 if `run` finds no card to check. VIGIL_GPU_CHECK_EXPECT=cuda,wgpu names what must be ready: else it is
# a failure. VIGIL_GPU_CHECK_SOFTWARE=1 also takes drivers in software, with little work: to try this script. Ends within nine minutes.
set -uo pipefail
out=${OUT:-gpu-check-out}
case $out in /*) ;; *) out=$PWD/$out ;; esac
cd "$(dirname "$0")/.." || exit 2
# Programs, compressed; vectors; compiled kernels.
packed=.gpu
programs="vigil vigil-bench conformance"
software=${VIGIL_GPU_CHECK_SOFTWARE:-0}
expected=${VIGIL_GPU_CHECK_EXPECT:-}
# What the conformance suite reads.
vectors="secp256k1-recovery ethers-signed-tx wycheproof keccak ledger"
packed_mib_max=60
# Seconds in all, and for each part.
all_s=520

pack() {
  deploy/cargo build --release --quiet -p vigil-cli -p vigil-bench
  local target suite from
  target=$(deploy/cargo --print-target)/release
  suite=$(deploy/cargo test --release --quiet --no-run -p vigil-accel --test conformance --message-format json |
    sed -n 's|.*"executable":"\([^"]*/conformance-[^"]*\)".*|\1|p' | tail -n 1)
  [ -n "$suite" ] || { echo "gpu-check: cargo names no conformance suite" >&2; exit 1; }
  rm -rf "$packed"
  mkdir -p "$packed/vectors"
  cp "$target/vigil" "$target/vigil-bench" "$packed/"
  cp "$suite" "$packed/conformance"
  for program in $programs; do
    strip "$packed/$program"
    gzip "$packed/$program"
  done
  from=${VIGIL_VECTORS:-../shared/vectors}
  for folder in $vectors; do
    if [ -d "$from/$folder" ]; then cp -rL "$from/$folder" "$packed/vectors/"; fi
  done
  chmod -R u+w "$packed"
  git rev-parse HEAD >"$packed/commit"
  scripts/cuda-check.sh --ptx "$packed/ptx" || echo "gpu-check: no kernels in PTX here: the box must have NVRTC" >&2
  local mib
  mib=$(du -sm "$packed" | cut -f1)
  [ "$mib" -lt "$packed_mib_max" ] || { echo "gpu-check: $packed has $mib MiB, more than $packed_mib_max" >&2; exit 1; }
  echo "gpu-check: $mib MiB in $packed, for: scripts/gpu-check.sh run"
}

failed=()
nothing=0
log() { printf '%s\n' "$*" | tee -a "$out/check.log"; }
left_s() { echo $((all_s - SECONDS)); }

# within SECONDS COMMAND...: what `timeout` says of it. It runs in a process group of its own, in the background: so a signal to
# this script is heard at once, and nothing of the group stays.
group=
within() {
  local left=$1 status
  shift
  timeout --kill-after=5 "$left" "$@" &
  group=$!
  wait "$group"
  status=$?
  kill -KILL -- "-$group" 2>/dev/null
  group=
  return "$status"
}

# stop STATUS: at a signal
stop() {
  trap '' INT TERM
  if [ -n "$group" ]; then
    # One that has just begun has no group yet.
    kill -TERM -- "-$group" 2>/dev/null || kill -TERM "$group" 2>/dev/null
    sleep 0.5
    kill -KILL -- "-$group" 2>/dev/null
  fi
  exit "$1"
}
trap 'stop 130' INT
trap 'stop 143' TERM

cannot_write() {
  echo "gpu-check: cannot write to $out" >&2
  exit 2
}

# part NAME SECONDS FILE COMMAND...: stdout to FILE, stderr to the log, within so many seconds and what is left.
part() {
  local name=$1 most=$2 file=$3 left status began=$SECONDS
  shift 3
  left=$(left_s)
  [ "$left" -gt "$most" ] && left=$most
  if [ "$left" -lt 5 ]; then
    log "$name: no time left"
    failed+=("$name")
    return 1
  fi
  log "== $name: $*"
  within "$left" "$@" >"$file" 2>>"$out/check.log"
  status=$?
  if [ "$status" = 0 ]; then
    log "$name: ok, $((SECONDS - began)) s"
    return 0
  fi
  if [ "$status" = 124 ] || [ "$status" = 137 ]; then log "$name: NOT DONE in $left s"; else log "$name: FAILED, exit $status"; fi
  failed+=("$name")
  return 1
}

# The suite of one backend, whose tests are named so.
conformance() {
  local backend=$1 most=$2 file=$out/conformance-$1.log
  part "conformance-$backend" "$most" "$file" env VIGIL_REQUIRE_BACKENDS="$backend" VIGIL_VECTORS="$packed/vectors" \
    "$bin/conformance" "conformance::${backend//-/_}::"
  grep -a '^test result' "$file" | tee -a "$out/check.log"
}

# Programs, unpacked into a folder that goes when the script ends.
unpack() {
  bin=$(mktemp -d) || exit 2
  trap 'rm -rf "$bin"' EXIT
  export VIGIL_PTX_DIR=$PWD/$packed/ptx
  for program in $programs; do
    [ -e "$packed/$program.gz" ] || { echo "gpu-check: no $packed/$program.gz: run scripts/gpu-check.sh where Rust is, and carry $packed here" >&2; exit 2; }
    gzip -dc "$packed/$program.gz" >"$bin/$program" || { echo "gpu-check: $packed/$program.gz cannot be unpacked into $bin" >&2; exit 2; }
    chmod +x "$bin/$program"
  done
  "$bin/vigil" --version >/dev/null || {
    echo "gpu-check: the programs do not run from $bin: if it is mounted noexec, name another folder by TMPDIR=" >&2
    exit 2
  }
}

check() {
  command -v timeout >/dev/null || { echo "gpu-check: no timeout (coreutils) here" >&2; exit 2; }
  mkdir -p "$out" && rm -f "$out"/{summary.txt,calibrate.txt,cards.md,gpu-*.json,bench-*.{json,md}{,.new},conformance-*.log} &&
    : >"$out/check.log" || cannot_write
  SECONDS=0
  local ready benched small=() cores here packed_of libraries
  log "$(date -u +%Y-%m-%dT%H:%M:%SZ) $("$bin/vigil" --version) on $(uname -srm), $(nproc) cores"
  here=$(git rev-parse HEAD 2>/dev/null)
  packed_of=$(cat "$packed/commit" 2>/dev/null)
  [ -z "$here" ] || [ "$here" = "$packed_of" ] || log "no check of this commit: $packed is of ${packed_of:-an unknown one}, this is $here"
  # Not everybody has /sbin in PATH.
  libraries=$(ldconfig -p 2>/dev/null || /sbin/ldconfig -p 2>/dev/null)
  case $libraries in *libvulkan.so.1*) ;; *) log "no Vulkan loader (libvulkan.so.1) here: wgpu finds no card without it" ;; esac
  case $libraries in *libcuda.so.1*) ;; *) log "no CUDA driver (libcuda.so.1) in the linker's cache" ;; esac
  part gpu-list 90 "$out/gpu-list.json" "$bin/vigil" gpu list --json
  ready=$(sed -n 's/^ *"ready": "\(.*\)",\{0,1\}$/\1/p' "$out/gpu-list.json")
  log "cards that are ready: ${ready:-none}"
  for backend in ${expected//,/ }; do
    case ,$ready, in *,"$backend",*) ;; *) log "$backend: FAILED, it is expected and not ready"; failed+=("$backend") ;; esac
  done
  [ "$software" = 1 ] && small=(--software)
  part gpu-selftest 90 "$out/gpu-selftest.json" "$bin/vigil" gpu selftest --json "${small[@]}"
  # From which batch size on a node uses a card; whoever has a node here, it is another one.
  [ -n "$ready" ] && part calibrate 60 "$out/calibrate.txt" env VIGIL_HOME="$bin/none" "$bin/vigil" calibrate
  benched=$ready
  if [ "$software" = 1 ]; then
    export VIGIL_TEST_ITEMS_MAX=${VIGIL_TEST_ITEMS_MAX:-100}
    benched=${ready:+$ready,}wgpu-software
  fi
  for backend in ${ready//,/ }; do conformance "$backend" 150; done
  [ "$software" = 1 ] && conformance wgpu-software 150
  if [ -z "$benched" ]; then
    log "no graphics card is ready here: nothing was checked"
    [ ${#failed[@]} = 0 ] && nothing=1
  elif [ "$software" = 1 ]; then
    bench cards 150 --backends "$benched" --ops recover,keccak256,signer_vectors --sizes 16,1024 --rounds 2
  else
    bench cards 240 --backends "$benched" --ops recover,verify_known,keccak256,signer_vectors --rounds 7
    bench votes 90 --backends "$benched" --ops checkpoint --rounds 5
    cores=portable$(grep -qw adx /proc/cpuinfo && grep -qw avx2 /proc/cpuinfo && echo ,avx2)$(grep -qw avx512ifma /proc/cpuinfo && echo ,avx512ifma)
    bench processor 90 --backends "$cores,engine" --ops recover,verify_known,keccak256 --sizes 4096 --rounds 3 --threads one
  fi
  summary
}

# bench NAME SECONDS FLAGS...
bench() {
  local name=$1 most=$2
  shift 2
  part "bench-$name" "$most" /dev/null "$bin/vigil-bench" engine --json "$out/bench-$name.json" --markdown "$out/bench-$name.md" "$@"
}

# The rows of all cards in one report.
combine() {
  local files=() file
  for file in "$out"/bench-*.json; do
    case $file in *-processor.json) ;; *) [ -e "$file" ] && files+=(--append "$file") ;; esac
  done
  [ ${#files[@]} = 0 ] && return
  files[0]=--from
  within 30 "$bin/vigil-bench" engine "${files[@]}" --markdown "$out/cards.md" 2>>"$out/check.log" ||
    log "no tables of cards: check.log says why"
}

# The tables last, in one file.
summary() {
  combine
  {
    sed -n '/^Nanoseconds an item/,/^## /p' "$out/bench-processor.md" | sed '/^## /d'
    sed -n '/^## Graphics cards/,/^## What cards must show/p' "$out/cards.md" | sed '$d'
    [ -e "$out/calibrate.txt" ] && grep -aE '^[a-z0-9_]+: |^  card ' "$out/calibrate.txt"
    within 15 "$bin/vigil" gpu list
    grep -aE ': (ok|FAILED|NOT DONE|no time)|^no |^cards' "$out/check.log"
    sed -n '/^## What cards must show/,$p' "$out/cards.md"
    if [ "$nothing" = 1 ]; then
      echo "gpu-check: nothing was checked"
    elif [ ${#failed[@]} = 0 ]; then
      echo "gpu-check: ok, ${SECONDS} s"
    else
      echo "gpu-check: FAILED: ${failed[*]}"
    fi
  } >"$out/summary.txt" 2>/dev/null || cannot_write
  # A few files are easier to carry than many.
  cat "$out"/conformance-*.log >>"$out/check.log" 2>/dev/null
  rm -f "$out"/bench-*.md "$out"/cards.md "$out"/conformance-*.log
  cat "$out/summary.txt"
  [ "$nothing" = 0 ] || exit 2
  [ ${#failed[@]} = 0 ]
}

has_card() { case $(timeout --foreground 90 "$bin/vigil" gpu list --json) in *'"ready": true'*) ;; *) return 1 ;; esac; }

case ${1:-} in
  run)
    unpack
    check
    ;;
  "")
    set -e # any failure ends the packing
    pack
    set +e
    unpack
    if [ "$software" = 1 ] || [ -n "$expected" ] || has_card; then check; else echo "gpu-check: no graphics card here: nothing was checked"; fi
    ;;
  *) sed -n '2,9p' "$0" | sed 's/^# \{0,1\}//' >&2; exit 2 ;;
esac
