#!/usr/bin/env bash
# `vigil-bench engine --ops trie` of a build in which alloy-primitives hashes with tiny-keccak: of a copy of this tree with
# one feature exchanged. Prints where the rows are. Of arguments, --quick (a small trie) and --rounds N count. VIGIL_COMMIT:
# what the rows name.
set -euo pipefail
cd "$(dirname "$0")/.."
main=$(deploy/cargo --print-target)
target=$main/tiny-keccak
copy=$target/tree
# Begun as a copy, so that what does not hash is not compiled again.
[ -d "$target/release" ] || { mkdir -p "$target" && cp -a "$main/release" "$main/.owner" "$target/"; }
rm -rf "$copy" && mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard | tar -cf - --null --ignore-failed-read -T - | tar -xf - -C "$copy"
# Without either feature alloy would take sha3.
sed -i '/^alloy-primitives = /s/"asm-keccak"/"tiny-keccak"/' "$copy/Cargo.toml"
CARGO_TARGET_DIR=$target deploy/cargo build --release --quiet --manifest-path "$copy/Cargo.toml" -p vigil-bench
taken=()
while [ $# -gt 0 ]; do
  case $1 in
  --quick) taken+=(--quick) ;;
  --rounds=*) taken+=("$1") ;;
  --rounds) taken+=(--rounds "${2:?how many rounds}") && shift ;;
  esac
  shift
done
"$target/release/vigil-bench" engine --ops trie "${taken[@]}" --json "$target/trie.json"
grep -q '"alloy-trie (tiny-keccak)"' "$target/trie.json"
echo "$target/trie.json"
