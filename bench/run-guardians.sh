#!/usr/bin/env bash
# Guardians in the simulator: the paper's Tables I and II, ten thousand guardians, and attacks, ten seeds each, into
# bench/results/guardians-<commit>.md. Counts, not times: another machine gets the same. About an hour of one core.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$(deploy/cargo --print-target)
deploy/cargo build --release --quiet -p vigil-sim
commit=$(git rev-parse --short=12 HEAD)
out=bench/results/guardians-$commit.md
seeds=${SEEDS:-0..10}

row() {
  local line
  line=$("$target/release/vigil-sim" guardians "$@" --seeds "$seeds")
  printf '| `%s` | %s |\n' "$*" "$line" >>"$out"
}

cat >"$out" <<END
# Guardians finalize a checkpoint, in the simulator

\`bench/run-guardians.sh\` at $commit, seeds $seeds, on $(nproc) cores of $(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2- | xargs).
Every row is \`vigil-sim guardians\` with these flags; the real machine and the real wire encoding, symbolic signatures. Rounds count until
every honest guardian holds a quorum; rounds, entries, bytes and messages are the worst of the seeds (bytes and messages: average of the
honest guardians of a seed).

| flags | outcome |
|---|---|
END
for degree in 20 30; do
  for nodes in 1000 2000 3000; do
    for byzantine in 0 0.1 0.2 0.3; do row --nodes "$nodes" --degree "$degree" --byzantine "$byzantine"; done
  done
done
for liars in silent attack; do row --nodes 1000 --degree 20 --byzantine 0.333 --liars "$liars" --weighted; done
row --nodes 10000 --degree 20 --byzantine 0.3
echo "$out"
