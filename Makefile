# make run    a private network of four validators under a demo load; Ctrl-C ends it
# make test   everything that must pass, small sizes; what CI runs
.PHONY: run build test test-long mutate bench bench-engine gpu-check fmt clippy unit bounds neon doc check e2e help

cargo := deploy/cargo
target = $(shell deploy/cargo --print-target)/release
load ?= 50

# The backends that this CPU must have: the conformance suite fails without them (it only says so where none is named).
has = $(filter $(1),$(shell grep -m1 ^flags /proc/cpuinfo))
avx2 = $(and $(call has,avx2),$(call has,bmi1),$(call has,bmi2),$(call has,adx),$(comma)avx2)
# Graphics cards are played by Mesa's software driver and by the CUDA kernels as C++.
backends_x86_64 = portable$(avx2)$(if $(call has,avx512ifma),$(comma)avx512ifma),wgpu-software,wgpu-plain,cuda-twin
backends_aarch64 = portable,neon
comma := ,
export VIGIL_REQUIRE_BACKENDS ?= $(or $(backends_$(shell uname -m)),portable)

help:
	@grep '^# make' Makefile | sed 's/^# //'

run: build
	@$(target)/vigil localnet --validators 4 --load $(load)

build:
	@deploy/bootstrap.sh build
	@$(cargo) build --release --quiet -p vigil-cli -p vigil-sim -p vigil-bench

# make test-long   the same suites in the sizes the issues name, and the kernels through the real NVRTC (fetched with pip); record its output in bench/results/
test: fmt clippy unit bounds neon doc check e2e

test-long:
	@deploy/bootstrap.sh test
	-@scripts/cuda-check.sh --fetch
	@VIGIL_TEST_LONG=1 VIGIL_REQUIRE_NVRTC=1 $(MAKE) --no-print-directory test
	@$(MAKE) --no-print-directory mutate share=60

# make mutate      plants bugs in accel's arithmetic, one at a time: each must turn the tests red (share=N: one in N)
share ?= 1
mutate:
	@scripts/mutate.sh $(share)

fmt:
	@deploy/bootstrap.sh test
	@$(cargo) fmt --all -- --check

clippy:
	@$(cargo) clippy --release --quiet --workspace --all-targets -- -D warnings

unit:
	@$(cargo) test --release --workspace $(if $(VIGIL_TEST_LONG),--no-fail-fast)

# make bounds  the engine's arithmetic with the bounds of its limbs checked in every operation
bounds:
	@VIGIL_TEST_ITEMS_MAX=1000 $(cargo) test --release --quiet -p vigil-accel --lib --test conformance --features bounds-check -- --skip gpu:: --skip wgpu --skip cuda

# make neon   the engine's tests on AArch64, under qemu
neon:
	@deploy/bootstrap.sh test
	@scripts/neon-test.sh

doc:
	@RUSTDOCFLAGS="-D warnings" $(cargo) doc --release --quiet --workspace --no-deps

# kernels/cuda is compiled by NVRTC if it has changed since kernels/REGISTERS.md
check:
	@scripts/check.sh
	@scripts/cuda-check.sh

# make e2e    real processes: the theta-js client, the walk-through, Ethereum clients and example contracts, kill -9, guardians, a slashed twin
e2e: build
	@tests/e2e/run.sh

# make bench  settled TPS and latency of four validators on this machine, into bench/results/
bench: build
	@bench/run.sh

# make bench-engine   the engine's operations on each backend beside other libraries, into bench/results/ (an hour)
bench-engine:
	@deploy/bootstrap.sh build
	@bench/run-engine.sh

# make gpu-check   the graphics cards of this machine: conformance, then the bench, results in OUT; packs .gpu for boxes without Rust
gpu-check:
	@deploy/bootstrap.sh build
	@scripts/gpu-check.sh
