//! One suite for every backend: a test per operation, backend and family of inputs.
//!
//! Run as `cargo test -p vigil-accel conformance`. A backend that the machine lacks is said aloud, and fails where
//! `VIGIL_REQUIRE_BACKENDS` (a comma list) names it. `cuda` and `wgpu` are the cards of this machine, each that is ready; what
//! plays them in tests is `cuda-twin`, `wgpu-software` and `wgpu-plain`. The right answer is always `vigil_accel::oracle`'s, or known because
//! the test made the signature.

mod batches;
mod checkpoint;
mod forced;
mod forgeries;
mod hashes;
mod judge;
mod keys;
mod make;
mod malformed;
mod messages;
mod numbers;
mod random;
mod signers;
mod subject;
mod vectors;

/// The families, for one backend a module.
macro_rules! backends {
    ($($backend:ident: $subject:expr;)*) => {$(
        mod $backend {
            #[test]
            fn detected() {
                crate::judge::say_who_is_judged($subject);
            }

            backends! { @tests $subject;
                keccak256_known_answers: crate::hashes::known_answers,
                keccak256_every_length: crate::hashes::every_length,
                keccak256_mixed_lengths: crate::hashes::mixed_lengths,
                keccak256_batch_sizes: crate::hashes::batch_sizes,
                recover_bitcoin_core: crate::vectors::recover_bitcoin_core,
                recover_geth: crate::vectors::recover_geth,
                recover_rfc_6979: crate::vectors::recover_rfc_6979,
                recover_points: crate::vectors::recover_points,
                recover_ethers: crate::vectors::recover_ethers,
                recover_wycheproof: crate::vectors::recover_wycheproof,
                recover_near_the_bounds: crate::numbers::recover,
                recover_forced_points: crate::forced::recover,
                recover_malformed: crate::malformed::recover,
                recover_random: crate::random::recover,
                recover_batch_sizes: crate::batches::recover_sizes,
                recover_one_bad: crate::batches::recover_one_bad,
                recover_many_bad: crate::batches::recover_many_bad,
                verify_cold_rfc_6979: crate::vectors::cold_rfc_6979,
                verify_cold_ethers: crate::vectors::cold_ethers,
                verify_cold_wycheproof: crate::vectors::cold_wycheproof,
                verify_cold_near_the_bounds: crate::numbers::cold,
                verify_cold_forced_points: crate::forced::cold,
                verify_cold_malformed: crate::malformed::cold,
                verify_cold_keys: crate::keys::cold,
                verify_cold_random: crate::random::cold,
                verify_cold_batch_sizes: crate::batches::cold_sizes,
                verify_cold_one_bad: crate::batches::cold_one_bad,
                verify_cold_many_bad: crate::batches::cold_many_bad,
                verify_cold_cancelling_forgeries: crate::forgeries::cold,
                verify_hot_rfc_6979: crate::vectors::hot_rfc_6979,
                verify_hot_ethers: crate::vectors::hot_ethers,
                verify_hot_wycheproof: crate::vectors::hot_wycheproof,
                verify_hot_near_the_bounds: crate::numbers::hot,
                verify_hot_forced_points: crate::forced::hot,
                verify_hot_malformed: crate::malformed::hot,
                verify_hot_keys: crate::keys::hot,
                verify_hot_random: crate::random::hot,
                verify_hot_batch_sizes: crate::batches::hot_sizes,
                verify_hot_one_bad: crate::batches::hot_one_bad,
                verify_hot_many_bad: crate::batches::hot_many_bad,
                verify_hot_cancelling_forgeries: crate::forgeries::hot,
                messages_every_length: crate::messages::every_length,
                messages_malformed: crate::messages::malformed,
                messages_other_signers: crate::messages::other_signers,
                messages_batch_sizes: crate::messages::batch_sizes,
                signer_vectors_sums: crate::signers::sums,
                signer_vectors_counts: crate::signers::counts,
                signer_vectors_merged: crate::signers::merged,
                signer_vectors_packed: crate::signers::packed,
                signer_vectors_unpacked: crate::signers::unpacked,
                signer_vectors_shapes: crate::signers::shapes,
                checkpoint_honest: crate::checkpoint::honest,
                checkpoint_thousand: crate::checkpoint::thousand,
                checkpoint_most: crate::checkpoint::most,
                checkpoint_malformed: crate::checkpoint::malformed_signatures,
                checkpoint_vectors: crate::checkpoint::vectors,
                checkpoint_wrong_equations: crate::checkpoint::wrong_equations,
                checkpoint_cancelling_errors: crate::checkpoint::cancelling_errors,
                checkpoint_related_keys: crate::checkpoint::related_keys,
                checkpoint_other_messages: crate::checkpoint::other_messages,
                build_combs_of_any_bytes: crate::keys::combs,
                slices_of_different_lengths: crate::batches::slices_of_different_lengths,
            }
        }
    )*};
    (@tests $subject:expr; $($test:ident: $family:path,)*) => {$(
        #[test]
        fn $test() {
            crate::judge::on($subject, $family);
        }
    )*};
}

mod conformance {
    backends! {
        portable: crate::judge::Subject::PORTABLE;
        neon: crate::judge::Subject::NEON;
        avx2: crate::judge::Subject::AVX2;
        avx512ifma: crate::judge::Subject::AVX512IFMA;
        cuda: crate::judge::Subject::CUDA;
        cuda_twin: crate::judge::Subject::CUDA_TWIN;
        wgpu: crate::judge::Subject::WGPU;
        wgpu_software: crate::judge::Subject::WGPU_SOFTWARE;
        wgpu_plain: crate::judge::Subject::WGPU_PLAIN;
    }

    /// What is required is a backend that this suite knows and this machine has.
    #[test]
    fn required_backends() {
        crate::judge::required().iter().for_each(|name| assert!(crate::judge::has(name), "no backend {name} here"));
    }

    /// The second library gives the same answers to the inputs that were made to be hard.
    #[test]
    fn oracles_agree() {
        crate::judge::oracles_agree(crate::numbers::signed());
        crate::judge::oracles_agree(&crate::malformed::signed());
        crate::judge::oracles_agree(crate::forced::signed());
    }
}
