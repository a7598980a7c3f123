#!/usr/bin/env bash
# Checks of the repository itself: ARCHITECTURE.md's paths, the crate rules, the dependency bans.
set -euo pipefail
cd "$(dirname "$0")/.."
fail=0
say() { echo "check: $*" >&2; fail=1; }

# Every path that ARCHITECTURE.md names exists, and every crate is described there.
while read -r path; do
  [ -e "$path" ] || say "ARCHITECTURE.md names $path, which does not exist"
done < <(grep -oE '`(crates|bench|deploy|docs|scripts|tests|\.ci)/[A-Za-z0-9_./-]*`' ARCHITECTURE.md | tr -d '`' | sort -u)
for crate in crates/*/; do
  grep -q "\`crates/$(basename "$crate")\`" ARCHITECTURE.md || say "ARCHITECTURE.md does not describe crates/$(basename "$crate")"
done

# Unsafe code only where DESIGN §1 allows it.
for lib in crates/*/src/lib.rs crates/*/src/main.rs bench/src/main.rs; do
  case $lib in crates/accel/*) continue ;; esac
  [ ! -f "$lib" ] || grep -q '^#!\[forbid(unsafe_code)\]' "$lib" || say "$lib lacks #![forbid(unsafe_code)]"
done

# consensus and the other pure crates reach for no clock, socket, disk, thread or randomness.
for crate in trie ledger mempool consensus; do
  if grep -rnE 'std::(time|net|fs|thread)|tokio|rand::' "crates/$crate/src" --include='*.rs' | grep -v -E '/tests?(\.rs|/)|_tests?\.rs|^\S+:\s*//' >&2; then
    say "crates/$crate reaches for the world"
  fi
done
grep -q 'vigil-net\|vigil-store' crates/consensus/Cargo.toml && say "consensus depends on a shell"

# One copy of each curve library is built (deny.toml says so to cargo-deny; this needs no install). The lock file may name another
# one that only a feature would build that nobody asks for.
built=$(cargo tree --locked --workspace --edges normal,build,dev --prefix none --format '{p}' | sed 's/ (.*//' | sort -u)
for name in k256 secp256k1 blst; do
  [ "$(grep -c "^$name v" <<<"$built")" = 1 ] || say "not one $name is built: $(grep "^$name v" <<<"$built" | paste -sd ' ')"
done
if command -v cargo-deny >/dev/null 2>&1; then cargo deny --offline check bans licenses sources || say "cargo deny"; fi

# The bootstrap script knows libclang from libclang-cpp, which some machines have alone.
libs=$(mktemp -d)
trap 'rm -rf "$libs"' EXIT
mkdir -p "$libs/llvm-14/lib"
needs_libclang() { VIGIL_LIB_ROOT=$libs deploy/bootstrap.sh list | grep -qx libclang-dev; }
touch "$libs/llvm-14/lib/libclang-cpp.so.14"
needs_libclang || say "deploy/bootstrap.sh takes libclang-cpp for libclang"
touch "$libs/llvm-14/lib/libclang-14.so.1"
if needs_libclang; then say "deploy/bootstrap.sh does not see libclang-14.so.1"; fi

# No unfinished work.
if git grep -nE 'todo!\(|unimplemented!\(|#\[ignore' -- '*.rs' >&2; then say "unfinished or ignored code"; fi
[ "$fail" = 0 ] && echo "check: ok"
exit "$fail"
