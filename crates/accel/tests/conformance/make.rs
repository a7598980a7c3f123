//! Signatures with a known story: nonce, key and scalars chosen, by k256's arithmetic.

use k256::elliptic_curve::BatchNormalize;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::point::{AffineCoordinates, DecompressPoint};
use k256::elliptic_curve::scalar::IsHigh;
use k256::elliptic_curve::sec1::{FromEncodedPoint, ToEncodedPoint};
use k256::{AffinePoint, EncodedPoint, FieldBytes, ProjectivePoint, Scalar};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{RngCore, SeedableRng};
use vigil_accel::{Claim, PublicKey, Signed};
use vigil_crypto::SecretKey;
use vigil_primitives::{Hash, U256};

/// Group order n.
pub(crate) const N: U256 = U256::from_limbs([0xbfd2_5e8c_d036_4141, 0xbaae_dce6_af48_a03b, u64::MAX - 1, u64::MAX]);
/// Field size p.
pub(crate) const P: U256 = U256::from_limbs([0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX]);
/// λ: λ (x, y) = (β x, y), λ³ = 1.
pub(crate) const LAMBDA: U256 =
    U256::from_limbs([0xdf02_967c_1b23_bd72, 0x122e_22ea_2081_6678, 0xa526_1c02_8812_645a, 0x5363_ad4c_c05c_30e0]);

pub(crate) fn rng(seed: u64) -> ChaCha20Rng {
    eprintln!("seed {seed:#x}");
    ChaCha20Rng::seed_from_u64(seed)
}

pub(crate) fn random_number(rng: &mut ChaCha20Rng) -> U256 {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    U256::from_be_bytes(bytes)
}

pub(crate) fn random_scalar(rng: &mut ChaCha20Rng) -> Scalar {
    scalar(random_number(rng))
}

/// A number modulo n.
pub(crate) fn scalar(number: U256) -> Scalar {
    <Scalar as Reduce<k256::U256>>::reduce_bytes(&FieldBytes::from(number.to_be_bytes::<32>()))
}

/// The canonical number of a scalar.
pub(crate) fn number(scalar: &Scalar) -> U256 {
    U256::from_be_bytes(scalar.to_bytes().into())
}

/// `k` times the generator, by libsecp256k1, which is faster at it; infinity for 0.
pub(crate) fn point(k: &Scalar) -> AffinePoint {
    let secret = SecretKey::from_bytes(&k.to_bytes().into());
    secret.map_or(AffinePoint::IDENTITY, |secret| parse(&secret.public_key()).expect("a point"))
}

/// The point with this x and this parity of y, if there is one.
pub(crate) fn lift(x: U256, odd: bool) -> Option<AffinePoint> {
    AffinePoint::decompress(&FieldBytes::from(x.to_be_bytes::<32>()), u8::from(odd).into()).into()
}

/// The smallest x on the curve that is not below `x`.
pub(crate) fn next_x(x: U256) -> U256 {
    (0..).map(|d| x.wrapping_add(U256::from(d)) % P).find(|x| lift(*x, false).is_some()).expect("every second is one")
}

/// x and y of a point that is not infinity.
pub(crate) fn key(point: &AffinePoint) -> PublicKey {
    PublicKey(*point.to_encoded_point(false).as_bytes().last_chunk().expect("65 bytes"))
}

/// The key of two numbers, whatever they are.
pub(crate) fn raw_key(x: U256, y: U256) -> PublicKey {
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&x.to_be_bytes::<32>());
    bytes[32..].copy_from_slice(&y.to_be_bytes::<32>());
    PublicKey(bytes)
}

/// x and y of a key's bytes.
pub(crate) fn coordinates(key: &PublicKey) -> (U256, U256) {
    (U256::from_be_slice(&key.0[..32]), U256::from_be_slice(&key.0[32..]))
}

fn parse(key: &PublicKey) -> Option<AffinePoint> {
    AffinePoint::from_encoded_point(&EncodedPoint::from_untagged_bytes(&key.0.into())).into()
}

/// Whether bytes are a point of the curve.
pub(crate) fn is_point(key: &PublicKey) -> bool {
    parse(key).is_some()
}

/// `r || s || v` over a digest, of any numbers.
pub(crate) fn signed(digest: U256, r: U256, s: U256, v: u8) -> Signed {
    let mut signature = [0; 65];
    signature[..32].copy_from_slice(&r.to_be_bytes::<32>());
    signature[32..64].copy_from_slice(&s.to_be_bytes::<32>());
    signature[64] = v;
    Signed { digest: Hash::from(digest), signature }
}

/// The numbers of a signature: digest, r, s, v.
pub(crate) fn parts(signed: &Signed) -> (U256, U256, U256, u8) {
    let s = &signed.signature;
    (signed.digest.into(), U256::from_be_slice(&s[..32]), U256::from_be_slice(&s[32..64]), s[64])
}

/// The signature with nonce point R over `z`. A high s is negated together with R, which signs the same.
pub(crate) fn signature(r: &AffinePoint, s: Scalar, z: &Scalar) -> Signed {
    let x = U256::from_be_bytes(r.x().into());
    let high = bool::from(s.is_high());
    let v = bool::from(r.y_is_odd()) != high;
    signed(number(z), x, number(&if high { -s } else { s }), u8::from(v))
}

/// r of a nonce point, modulo n.
pub(crate) fn r_of(point: &AffinePoint) -> Scalar {
    <Scalar as Reduce<k256::U256>>::reduce_bytes(&point.x())
}

/// The signature of which recovery computes `u1 G + u2 R` for these scalars, up to a common sign of u2 and R.
pub(crate) fn recovering(r: &AffinePoint, u1: &Scalar, u2: &Scalar) -> Signed {
    let x = r_of(r);
    signature(r, *u2 * x, &-(*u1 * x))
}

/// The claim of which verification computes `u1 G + u2 Q` for these scalars and Q = d G, up to a common sign: valid if
/// that sum has an x. `None` if u2 is 0.
pub(crate) fn verifying(d: &Scalar, u1: &Scalar, u2: &Scalar) -> Option<Claim> {
    claim_of_sum(&point(d), &point(&(*u1 + *u2 * d)), u1, u2)
}

/// As [`verifying`], for a key of which nobody knows the secret.
pub(crate) fn verifying_key(key: &AffinePoint, u1: &Scalar, u2: &Scalar) -> Option<Claim> {
    let sum = ProjectivePoint::GENERATOR * u1 + ProjectivePoint::from(*key) * u2;
    claim_of_sum(key, &sum.to_affine(), u1, u2)
}

fn claim_of_sum(key: &AffinePoint, sum: &AffinePoint, u1: &Scalar, u2: &Scalar) -> Option<Claim> {
    // The point at infinity is nobody's nonce: any r is as wrong as another.
    let nonce = if *sum == AffinePoint::IDENTITY { AffinePoint::GENERATOR } else { *sum };
    let s = r_of(&nonce) * Option::<Scalar>::from(u2.invert())?;
    Some(Claim { signed: signature(&nonce, s, &(*u1 * s)), key: self::key(key) })
}

/// `n` consecutive multiples of the generator, the first one random: scalars and points.
pub(crate) fn walk(rng: &mut ChaCha20Rng, n: usize) -> (Vec<Scalar>, Vec<AffinePoint>) {
    let start = random_scalar(rng);
    let mut scalars = Vec::with_capacity(n);
    let mut points = Vec::with_capacity(n);
    let (mut scalar, mut point) = (start, ProjectivePoint::from(point(&start)));
    for _ in 0..n {
        scalars.push(scalar);
        points.push(point);
        scalar += Scalar::ONE;
        point += AffinePoint::GENERATOR;
    }
    (scalars, ProjectivePoint::batch_normalize(points.as_slice()))
}

/// Keys and their public keys.
pub(crate) fn keys(rng: &mut ChaCha20Rng, n: usize) -> Vec<(Scalar, PublicKey)> {
    let (scalars, points) = walk(rng, n);
    scalars.into_iter().zip(points.iter().map(key)).collect()
}

/// `n` valid claims of keys picked at random, at a microsecond each: s is chosen and the digest follows.
pub(crate) fn claims(rng: &mut ChaCha20Rng, keys: &[(Scalar, PublicKey)], n: usize) -> Vec<Claim> {
    let (nonces, points) = walk(rng, n);
    let mut claim = |(k, point): (&Scalar, &AffinePoint)| {
        let (secret, key) = keys[rng.next_u32() as usize % keys.len()];
        let s = random_scalar(rng);
        let z = s * k - r_of(point) * secret;
        Claim { signed: signature(point, s, &z), key }
    };
    nonces.iter().zip(&points).map(&mut claim).collect()
}

/// Valid claims, each of another key.
pub(crate) fn honest(n: usize) -> Vec<Claim> {
    let rng = &mut ChaCha20Rng::seed_from_u64(0x686f_6e65_7374);
    let keys = keys(rng, n);
    keys.iter().flat_map(|key| claims(rng, &[*key], 1)).collect()
}
