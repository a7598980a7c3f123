#!/usr/bin/env bash
# End-to-end tests with real processes. VIGIL_TEST_LONG=1 runs the sizes the issue names.
set -euo pipefail
cd "$(dirname "$0")"
VIGIL_BIN=${VIGIL_BIN:-$(../../deploy/cargo --print-target)/release/vigil}
export VIGIL_BIN
command -v node >/dev/null && command -v npm >/dev/null || { echo "e2e: node and npm are missing; run deploy/bootstrap.sh test" >&2; exit 1; }
# What the clients need is kept beside the target directory, so that a fresh clone does not fetch it again.
modules=$(dirname "$(dirname "$VIGIL_BIN")")/e2e
if ! cmp -s package-lock.json "$modules/package-lock.json" 2>/dev/null || [ ! -d "$modules/node_modules" ]; then
  mkdir -p "$modules"
  cp package.json package-lock.json "$modules/"
  npm ci --prefix "$modules" --ignore-scripts --no-audit --no-fund --loglevel=error
fi
ln -sfn "$modules/node_modules" node_modules
# web3.py has a virtual environment there.
export VIGIL_E2E_PYTHON=$modules/python/bin/python
if ! cmp -s requirements.txt "$modules/requirements.txt" 2>/dev/null || ! "$VIGIL_E2E_PYTHON" -c 'import web3' 2>/dev/null; then
  rm -rf "$modules/python" "$modules/requirements.txt"
  python3 -m venv "$modules/python" || { echo "e2e: python3 or its venv is missing; run deploy/bootstrap.sh test" >&2; exit 1; }
  "$VIGIL_E2E_PYTHON" -m pip install --quiet --disable-pip-version-check --requirement requirements.txt
  cp requirements.txt "$modules/"
fi
failed=0
for test in client walkthrough contracts ethereum operators badinput kill guardians twin; do
  echo "e2e: $test"
  node "$test.mjs" || failed=1
done
exit "$failed"
