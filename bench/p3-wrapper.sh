#!/bin/sh
# RUSTC_WRAPPER: gives p3-keccak, which picks its vectors when it is compiled, those of AVX-512; everybody else chooses at run time.
command -v sccache >/dev/null && set -- sccache "$@"
case " $* " in *" --crate-name p3_keccak "*) set -- "$@" -Ctarget-feature=+avx2,+avx512f,+avx512dq,+avx512bw,+avx512vl ;; esac
exec "$@"
