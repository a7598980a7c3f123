#!/usr/bin/env bash
# Installs what building and testing need and the machine lacks. Idempotent; asks nothing. Debian 12 with a Rust toolchain.
#   deploy/bootstrap.sh build    a C++ compiler, libclang and cmake (for RocksDB)
#   deploy/bootstrap.sh test     that, Node.js with npm and Python with venv (for the client tests), what runs the AArch64 tests elsewhere, and on Linux
#                                Mesa's Vulkan driver for the CPU (for the tests of the wgpu backend)
#   deploy/bootstrap.sh list     only prints the packages that building needs and that are missing
set -euo pipefail
what=${1:-build}
libs=${VIGIL_LIB_ROOT:-/usr/lib} # where libclang is looked for; scripts/check.sh sets it

need=()
want() { command -v "$1" >/dev/null 2>&1 || need+=("$2"); }
want c++ g++
want cc gcc
want cmake cmake
want git git
# libclang.so or libclang-14.so.1, not libclang-cpp.so.14, which is another library
has_libclang() { compgen -G "$libs/*/libclang[.-][s0-9]*" || compgen -G "$libs/*/lib/libclang[.-][s0-9]*"; }
has_libclang >/dev/null || need+=(libclang-dev)
[ "$what" != list ] || { printf '%s\n' "${need[@]}"; exit 0; }
command -v sccache >/dev/null 2>&1 || optional=(sccache)
if [ "$what" = test ]; then
  want node nodejs
  want npm npm
  # Debian keeps pip for virtual environments in a package of its own.
  python3 -c 'import ensurepip, venv' 2>/dev/null || need+=(python3 python3-venv)
  if [ "$(uname -s)" = Linux ]; then
    compgen -G "$libs/*/libvulkan.so.1" >/dev/null || need+=(libvulkan1)
    compgen -G "/usr/share/vulkan/icd.d/lvp_icd*" >/dev/null || need+=(mesa-vulkan-drivers)
  fi
  if [ "$(uname -m)" != aarch64 ]; then
    want aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
    want qemu-aarch64 qemu-user
    [ -e /usr/aarch64-linux-gnu/lib/libc.so ] || need+=(libc6-dev-arm64-cross)
  fi
fi

if [ "${#need[@]}" -gt 0 ] || { [ -n "${optional:-}" ] && [ "$(id -u)" = 0 ]; }; then
  sudo=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || { echo "bootstrap: not root and no sudo; install by hand: ${need[*]}" >&2; exit 1; }
    sudo=sudo
  fi
  if ! command -v apt-get >/dev/null 2>&1; then
    [ "${#need[@]}" -eq 0 ] && exit 0
    echo "bootstrap: no apt-get here; install the equivalents of: ${need[*]}" >&2
    exit 1
  fi
  apt="$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300"
  $apt update >&2
  [ "${#need[@]}" -eq 0 ] || $apt install -y --no-install-recommends "${need[@]}" >&2
  [ -z "${optional:-}" ] || $apt install -y --no-install-recommends "${optional[@]}" >&2 || true
fi

command -v cargo >/dev/null 2>&1 || { echo "bootstrap: no cargo on PATH; install Rust from https://rustup.rs" >&2; exit 1; }
for part in rustfmt clippy; do
  cargo "${part/rustfmt/fmt}" --version >/dev/null 2>&1 || rustup component add "$part" >&2
done
if [ "$what" = test ] && [ "$(uname -m)" != aarch64 ]; then
  arm=aarch64-unknown-linux-gnu
  [ -d "$(rustc --print sysroot)/lib/rustlib/$arm/lib" ] || rustup target add "$arm" >&2
fi
