#!/usr/bin/env bash
# The tests of vigil-accel on AArch64, cross-compiled and run under qemu; on an AArch64 machine they are part of `make unit`.
# Emulation is slow, so the long runs of random items are cut to VIGIL_TEST_ITEMS_MAX; the curve code of NEON is that of
# the portable backend, its Keccak and signer vectors are its own.
set -euo pipefail
cd "$(dirname "$0")/.."
target=aarch64-unknown-linux-gnu
[ "$(uname -m)" != aarch64 ] || { echo "neon: this machine is AArch64, the unit tests ran on it"; exit 0; }

export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc
export CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64 -L /usr/aarch64-linux-gnu"
export CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-gcc
export VIGIL_REQUIRE_BACKENDS=neon
[ -n "${VIGIL_TEST_LONG:-}" ] && most=100000 || most=1000
export VIGIL_TEST_ITEMS_MAX=${VIGIL_TEST_ITEMS_MAX:-$most}
deploy/cargo clippy --quiet --release --target "$target" -p vigil-accel --all-targets -- -D warnings
# Tests that start themselves again as processes cannot under qemu.
deploy/cargo test --release --target "$target" -p vigil-accel --lib -- --skip cuda::tests::fake --skip wgpu::tests::cards
# The portable backend is the same code on every machine.
deploy/cargo test --release --target "$target" -p vigil-accel --test conformance neon::
