//! Steps of `checkpoint` for the engine's bench: ours, and blst's own functions on the calling thread alone (those of its
//! Rust interface work on threads of their own, whose time nobody would see).

use crate::backend::BackendName;
use crate::bls::library::{self, SumG2};
use crate::bls::{Maths, plain::Plain};
use crate::checkpoint::{GuardianKeys, Scheme};
use blst::*;

/// Points of G1 as blst takes them.
pub struct BlstKeys(Vec<blst_p1_affine>);

impl std::fmt::Debug for BlstKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "BlstKeys({})", self.0.len())
    }
}

impl BlstKeys {
    /// Of a set.
    pub fn new(guardians: &GuardianKeys) -> Self {
        Self(guardians.keys().iter().map(|key| (*key).into()).collect())
    }

    /// One vote of the other scheme as usual: Pippenger's sum of the keys with 32-bit factors, the signature decompressed and checked, and two
    /// pairings.
    pub fn verify_vote(&self, message: &[u8], signature: &[u8; 96], signers: &[u8]) -> bool {
        let factors: Vec<[u8; 4]> = signers.iter().map(|entry| u32::from(*entry).to_le_bytes()).collect();
        let Some(keys) = library::to_affine(&self.sum(factors.as_flattened(), 32)) else { return false };
        let mut point = blst_p2_affine::default();
        // SAFETY: 96 bytes and a point of blst.
        let read = unsafe {
            blst_p2_uncompress(&mut point, signature.as_ptr()) == BLST_ERROR::BLST_SUCCESS
                && !blst_p2_affine_is_inf(&point)
                && blst_p2_affine_in_g2(&point)
        };
        read && self.closes(&point, &[(keys, library::hash_to_g2(message, Scheme::ProofOfPossession.tag()))])
    }

    /// The table of the augmented scheme: a hash and a Miller loop a guardian.
    pub fn miller_values(&self, signed: &[Vec<u8>]) -> Vec<blst_fp12> {
        let tag = Scheme::Augmented.tag();
        self.0.iter().zip(signed).map(|(key, signed)| library::miller(key, &library::hash_to_g2(signed, tag))).collect()
    }

    /// Whether the product of the values is that of a signature of all guardians.
    pub fn is_table(&self, values: &[blst_fp12], signature: &[u8; 96]) -> bool {
        let mut point = blst_p2_affine::default();
        // SAFETY: 96 bytes and a point of blst.
        unsafe { blst_p2_uncompress(&mut point, signature.as_ptr()) };
        let product = values.iter().fold(library::one(), |product, value| library::multiply(&product, value));
        let closing = library::miller(&library::minus_g1(), &point);
        values.len() == self.0.len() && library::exponentiates_to_one(&library::multiply(&product, &closing))
    }

    /// One vote of the augmented scheme as usual: a pairing a guardian, many to a Miller loop, the keys times their entries.
    pub fn verify_augmented(&self, signed: &[Vec<u8>], signature: &[u8; 96], signers: &[u8]) -> bool {
        let mut point = blst_p2_affine::default();
        // SAFETY: 96 bytes and a point of blst.
        let read = unsafe {
            blst_p2_uncompress(&mut point, signature.as_ptr()) == BLST_ERROR::BLST_SUCCESS
                && !blst_p2_affine_is_inf(&point)
                && blst_p2_affine_in_g2(&point)
        };
        let mut pairing = Pairing::new(true, Scheme::Augmented.tag());
        let no_signature = None::<&'static blst_p2_affine>;
        for ((key, entry), signed) in self.0.iter().zip(signers).zip(signed).filter(|((_, entry), _)| **entry > 0) {
            pairing.mul_n_aggregate(key, false, &no_signature, false, &[*entry], 8, signed, &[]);
        }
        pairing.commit();
        let mut right = blst_fp12::default();
        Pairing::aggregated(&mut right, &point);
        read && pairing.finalverify(Some(&right))
    }

    /// The pairings of the first `count` keys with hashes, one by one; whether their product is that of the sum.
    pub fn pairings(&self, message: &[u8], count: usize) -> bool {
        let hash = library::hash_to_g2(message, Scheme::ProofOfPossession.tag());
        let mut product = library::one();
        let mut sum = blst_p1::default();
        for key in &self.0[..count] {
            product = library::multiply(&product, &pairing(key, &hash));
            sum = library::add(&sum, key);
        }
        let right = library::to_affine(&sum).map(|sum| pairing(&sum, &hash));
        // SAFETY: numbers of blst.
        right.is_some_and(|right| unsafe { blst_fp12_is_equal(&product, &right) })
    }

    /// The sum of the keys.
    pub fn add(&self) -> [u8; 48] {
        let mut sum = blst_p1::default();
        // SAFETY: a null pointer after the first says that the points follow each other.
        unsafe { blst_p1s_add(&mut sum, [self.0.as_ptr(), std::ptr::null()].as_ptr(), self.0.len()) };
        compress(&sum)
    }

    fn sum(&self, factors: &[u8], bits: usize) -> blst_p1 {
        let mut sum = blst_p1::default();
        // SAFETY: a null pointer after the first says that the points follow each other, the factors too; the scratch space
        // has the size that blst asks for.
        unsafe {
            let mut scratch = vec![0u64; blst_p1s_mult_pippenger_scratch_sizeof(self.0.len()) / 8];
            let points = [self.0.as_ptr(), std::ptr::null()];
            let scalars = [factors.as_ptr(), std::ptr::null()];
            blst_p1s_mult_pippenger(
                &mut sum,
                points.as_ptr(),
                self.0.len(),
                scalars.as_ptr(),
                bits,
                scratch.as_mut_ptr(),
            );
        }
        sum
    }

    fn closes(&self, signature: &blst_p2_affine, pairs: &[(blst_p1_affine, blst_p2_affine)]) -> bool {
        let value = library::miller_product(&[pairs, &[(library::minus_g1(), *signature)]].concat());
        library::exponentiates_to_one(&value)
    }
}

fn pairing(p: &blst_p1_affine, q: &blst_p2_affine) -> blst_fp12 {
    let mut pairing = blst_fp12::default();
    // SAFETY: numbers of blst.
    unsafe { blst_final_exp(&mut pairing, &library::miller(p, q)) };
    pairing
}

/// The sum of a set's keys by a backend.
pub fn add_keys(backend: BackendName, guardians: &GuardianKeys) -> [u8; 48] {
    compress(&maths(backend).key_sum(guardians.points(), &vec![1; guardians.len()]))
}

/// Hashes to G2 and their sum, so that one can tell whether they are right.
pub fn sum_of_hashes(backend: BackendName, messages: &[Vec<u8>], tag: &[u8]) -> [u8; 96] {
    let points = maths(backend).hashes(messages, tag);
    SumG2::of(&points).to_affine().map_or([0; 96], |sum| library::compress(&sum))
}

fn maths(backend: BackendName) -> &'static dyn Maths {
    #[cfg(target_arch = "x86_64")]
    if backend == BackendName::Avx512Ifma
        && let Some(token) = crate::backends::avx512ifma::Avx512Ifma::detect()
    {
        return Box::leak(Box::new(token));
    }
    let _the_only_one_that_differs = backend;
    &Plain
}

fn compress(point: &blst_p1) -> [u8; 48] {
    let mut bytes = [0; 48];
    // SAFETY: a point of blst and 48 bytes of room.
    unsafe { blst_p1_compress(bytes.as_mut_ptr(), point) };
    bytes
}
