//! Votes of guardians: honest ones and all kinds of bad ones, judged by `vigil_crypto::checkpoint`.

use crate::judge::one_in;
use crate::make;
use blst::MultiPoint;
use blst::min_pk::{AggregateSignature, Signature as Point2};
use num_bigint::BigUint;
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use vigil_accel::Backend;
use vigil_accel::checkpoint::{Aggregate, GuardianKey, GuardianKeys, Merged, PreparedCheckpoint, Reject, Scheme};
use vigil_crypto::bls::{BlsError, SecretKey, Signature};
use vigil_crypto::checkpoint::merge;

const SCHEMES: [Scheme; 2] = [Scheme::ProofOfPossession, Scheme::Augmented];
const MESSAGE: &[u8] = b"checkpoint 12345";

/// Points of the curve that are not in the subgroup: of no small order, and of order 13, 23 and 2713.
const OUTSIDE: [&str; 4] = [
    "85fa4ae164486390451fd3e2b5ea4dcd16b16667b9131a3c2bd9fc59e51a3a5e052a62ee65511a5d129d4ed6c9cd2b3f09ca9211099d30d99f96b8d55964f296deec591c6605b162c475afaa6e366d69060b7bb40d0294fd31d2ba98964f430c",
    "80a3faa5930a2d3532eff5f8014d935c0f0144fedbe864906314ce154a76cbb2eb49852b9b58090c06db44b84301daef12495cb1d0edd684373c68feea4cbfd890de88b5c24707af95f987975a5d00b5c45cc993880a674350a86f464b58ed6b",
    "8f7a4e514c9319a2b155c90c9a43b4a411f0c885e4177b11a736d458157bfe675d509ca5e89fca63682c40f30668473d1459bad1dfe28a7cb3742ec34d983d7d26dc98dd269e2a79d777ced1ca46ff570b5af0e48e43f7371879391aedcee2d2",
    "84ca42d95d5f362b2350f9f830a186d2b73b38eb78e012eb99451af0512779c7094e37808ea0ebc5ba8f47ceb28c79920ff3ac627ea7949b593ea445a9824d7d20195ed295db772e48be151e8779b23ff89971971d31acd19a6890761cbd677c",
];

/// Guardians with their signatures, and what a backend prepared of them.
struct World<'a> {
    backend: &'a dyn Backend,
    prepared: PreparedCheckpoint,
    signatures: Vec<Point2>,
}

impl<'a> World<'a> {
    fn new(backend: &'a dyn Backend, scheme: Scheme, secrets: &[SecretKey]) -> Self {
        let keys: Vec<GuardianKey> = secrets.iter().map(SecretKey::public_key).collect();
        let signatures = secrets.iter().map(|secret| point(&secret.sign(scheme, MESSAGE).to_bytes())).collect();
        let guardians = Arc::new(GuardianKeys::new(&keys));
        Self { backend, prepared: backend.prepare_checkpoint(scheme, &guardians, MESSAGE), signatures }
    }

    fn random(backend: &'a dyn Backend, scheme: Scheme, rng: &mut ChaCha20Rng, n: usize) -> Self {
        Self::new(backend, scheme, &(0..n).map(|_| random_secret(rng)).collect::<Vec<_>>())
    }

    /// The right signature for a vector; of anybody's votes if it is all zero.
    fn honest(&self, signers: &[u8]) -> Aggregate {
        let mut terms = self
            .signatures
            .iter()
            .zip(signers)
            .filter(|(_, times)| **times > 0)
            .map(|(signature, times)| [*signature].mult(&[*times], 8));
        let mut sum = terms.next().unwrap_or_else(|| AggregateSignature::from_signature(&self.signatures[0]));
        terms.for_each(|term| sum.add_aggregate(&term));
        Aggregate { signature: sum.to_signature().compress(), signers: signers.to_vec() }
    }

    /// Honest votes with entries of up to `largest`, 1 in the first place.
    fn votes(&self, rng: &mut ChaCha20Rng, count: usize, largest: u8) -> Vec<Aggregate> {
        let n = self.signatures.len();
        let entry = |rng: &mut ChaCha20Rng| (rng.next_u32() % (u32::from(largest) + 1)) as u8;
        let mut vector = || (0..n).map(|i| if i == 0 { 1 } else { entry(rng) }).collect::<Vec<u8>>();
        (0..count).map(|_| self.honest(&vector())).collect()
    }

    /// The twin's answer, and that it is the backend's.
    fn check(&self, votes: &[Aggregate]) -> Merged {
        let scheme = self.prepared.scheme();
        let right = merge(scheme, self.prepared.guardians().keys(), self.prepared.message(), votes);
        let got = self.backend.merge_votes(&self.prepared, votes);
        assert_eq!(got, right, "{}, {scheme:?}, {} guardians", self.backend.name(), self.signatures.len());
        right
    }
}

fn random_secret(rng: &mut ChaCha20Rng) -> SecretKey {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes[0] >>= 2;
    SecretKey::from_bytes(&bytes).expect("below the order")
}

fn secret(number: &BigUint) -> SecretKey {
    let mut bytes = [0; 32];
    let digits = number.to_bytes_be();
    bytes[32 - digits.len()..].copy_from_slice(&digits);
    SecretKey::from_bytes(&bytes).expect("in 1..r")
}

/// The order of the groups.
fn order() -> BigUint {
    let r = b"73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    BigUint::parse_bytes(r, 16).expect("hexadecimal")
}

fn point(bytes: &[u8]) -> Point2 {
    Point2::uncompress(bytes).expect("a point of the curve")
}

/// A sum of points of the curve, whatever their order.
fn sum(a: &[u8; 96], b: &[u8; 96]) -> [u8; 96] {
    let mut sum = AggregateSignature::from_signature(&point(a));
    sum.add_signature(&point(b), false).expect("not checked");
    sum.to_signature().compress()
}

fn outside() -> impl Iterator<Item = [u8; 96]> {
    OUTSIDE.iter().map(|text| vigil_testkit::vectors::unhex(text).try_into().expect("96 bytes"))
}

/// Signatures that are no points, or no points that may be signatures.
fn malformed(good: &[u8; 96], rng: &mut ChaCha20Rng) -> Vec<[u8; 96]> {
    let with_first = |byte: u8, mut bytes: [u8; 96]| {
        bytes[0] = byte;
        bytes
    };
    let mut all: Vec<[u8; 96]> = [0, 0x40, 0x80, 0xa0, 0xc0, 0xe0, 0xff].map(|byte| with_first(byte, [0; 96])).to_vec();
    all.push([0xff; 96]);
    all.extend([0x80, 0x40, 0x60, 0xc0].map(|flags| with_first(good[0] ^ flags, *good)));
    // Infinity with something behind it.
    all.push({
        let mut bytes = with_first(0xc0, [0; 96]);
        bytes[95] = 1;
        bytes
    });
    // Halves of x that are p or more.
    for half in [0, 48] {
        let mut bytes = *good;
        bytes[half..half + 48].fill(0xff);
        bytes[0] &= 0xbf;
        all.push(bytes);
        let p = "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab";
        bytes[half..half + 48].copy_from_slice(&vigil_testkit::vectors::unhex(p));
        bytes[0] |= 0x80;
        all.push(bytes);
    }
    // x of no point, half of the time.
    for _ in 0..8 {
        let mut bytes = *good;
        rng.fill_bytes(&mut bytes[2..]);
        all.push(bytes);
    }
    all.extend(outside());
    all.extend(outside().map(|other| sum(good, &other)));
    all
}

pub(crate) fn honest(backend: &dyn Backend) {
    let rng = &mut make::rng(0x686f_6e65);
    for scheme in SCHEMES {
        for n in [1, 2, 3, 7, 8, 9, 16, 17, 33, 64, 70].into_iter().step_by(one_in(3)) {
            let world = World::random(backend, scheme, rng, n);
            for (count, largest) in [(1, 1), (2, 255), (5, 3), (9, 40)] {
                let merged = world.check(&world.votes(rng, count, largest));
                assert!(merged.verdicts.iter().all(Result::is_ok) && merged.sum.is_some());
            }
            let merged = world.check(&vec![world.honest(&vec![255; n]); 3]);
            assert_eq!(merged.sum.expect("honest").signers, vec![765; n]);
            assert_eq!(world.check(&[]).sum, None);
        }
    }
}

pub(crate) fn thousand(backend: &dyn Backend) {
    let rng = &mut make::rng(0x7468_6f75);
    for scheme in SCHEMES {
        let world = World::random(backend, scheme, rng, 1_000);
        let mut votes = world.votes(rng, 3, 255);
        assert!(world.check(&votes).verdicts.iter().all(Result::is_ok));
        votes[1].signers[999] ^= 1;
        assert_eq!(world.check(&votes[1..]).verdicts, [Err(Reject::Equation), Ok(())]);
    }
}

/// As many as there may be, with the largest entries: sums of 65,280.
pub(crate) fn most(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6d6f_7374);
    for scheme in SCHEMES {
        let world = World::random(backend, scheme, rng, 9);
        let votes = vec![world.honest(&[255, 255, 0, 1, 255, 128, 0, 255, 3]); 256];
        let sum = world.check(&votes).sum.expect("honest");
        assert_eq!(sum.signers, [65_280, 65_280, 0, 256, 65_280, 32_768, 0, 65_280, 768]);
        let too_many = vec![votes[0].clone(); 257];
        assert!(catch_unwind(AssertUnwindSafe(|| backend.merge_votes(&world.prepared, &too_many))).is_err());
    }
}

/// Every malformed signature in every lane, among honest ones.
pub(crate) fn malformed_signatures(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6d61_6c66);
    for scheme in SCHEMES {
        let world = World::random(backend, scheme, rng, 5);
        let honest = world.votes(rng, 3, 2);
        let bad = malformed(&honest[0].signature, rng);
        let replaced = |signature: &[u8; 96]| Aggregate { signature: *signature, ..honest[1].clone() };
        let mut refused = 0;
        for (i, signature) in bad.iter().enumerate() {
            let mut votes = honest.clone();
            votes.insert(i % 4, replaced(signature));
            let merged = world.check(&votes);
            assert!(merged.sum.is_some());
            refused += usize::from(matches!(merged.verdicts[i % 4], Err(Reject::Signature(_))));
        }
        assert!(refused + 8 >= bad.len());
        let all: Vec<Aggregate> = bad.iter().map(replaced).chain(honest.clone()).collect();
        assert_eq!(world.check(&all).verdicts.iter().filter(|verdict| verdict.is_ok()).count(), honest.len());
        let infinity = replaced(&{
            let mut bytes = [0; 96];
            bytes[0] = 0xc0;
            bytes
        });
        assert_eq!(world.check(&[infinity]).verdicts, [Err(Reject::Signature(BlsError::Infinity))]);
    }
}

pub(crate) fn vectors(backend: &dyn Backend) {
    let rng = &mut make::rng(0x7665_6374);
    for scheme in SCHEMES {
        let world = World::random(backend, scheme, rng, 6);
        let mut votes = world.votes(rng, 4, 3);
        votes[0].signers.push(0);
        votes[1].signers.pop();
        votes[2].signers.fill(0);
        votes.push(Aggregate { signers: Vec::new(), ..votes[3].clone() });
        let verdicts = world.check(&votes).verdicts;
        let length = |got| Err(Reject::Length { got, expected: 6 });
        assert_eq!(verdicts, [length(7), length(5), Err(Reject::Empty), Ok(()), length(0)]);
        // The rules of the vector come first.
        votes.iter_mut().for_each(|votes| votes.signature.fill(0));
        assert_eq!(world.check(&votes).verdicts[..3], verdicts[..3]);
        // No guardians at all.
        let nobody = World::new(backend, scheme, &[]);
        nobody.check(&[Aggregate { signature: [0xc0; 96], signers: Vec::new() }]);
        nobody.check(&[]);
    }
}

/// One that does not hold at every place among honest ones, and several.
pub(crate) fn wrong_equations(backend: &dyn Backend) {
    let rng = &mut make::rng(0x7772_6f6e);
    for scheme in SCHEMES {
        let world = World::random(backend, scheme, rng, 4);
        let honest = world.votes(rng, 7, 2);
        let wrong = |votes: &mut Aggregate| votes.signers[3] += 1;
        for at in (0..honest.len()).step_by(one_in(3)) {
            let mut votes = honest.clone();
            wrong(&mut votes[at]);
            let verdicts = world.check(&votes).verdicts;
            assert!((0..7).all(|i| verdicts[i] == if i == at { Err(Reject::Equation) } else { Ok(()) }));
        }
        for mask in [0b101_0001, 0b11, 0b111_1110, 0b111_1111].into_iter().step_by(one_in(3)) {
            let mut votes = honest.clone();
            votes.iter_mut().enumerate().filter(|(i, _)| mask >> i & 1 == 1).for_each(|(_, votes)| wrong(votes));
            let merged = world.check(&votes);
            assert_eq!(merged.sum.is_none(), mask == 0b111_1111);
        }
    }
}

/// Errors of two votes that cancel out: they are accepted together, and not otherwise.
pub(crate) fn cancelling_errors(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6361_6e63);
    for scheme in SCHEMES {
        let world = World::random(backend, scheme, rng, 3);
        let honest = [[1, 1, 0], [0, 1, 1], [2, 0, 1]].map(|signers| world.honest(&signers));
        let mut swapped = honest.clone();
        (swapped[0].signature, swapped[1].signature) = (honest[1].signature, honest[0].signature);
        assert!(world.check(&swapped).verdicts.iter().all(Result::is_ok));
        assert_eq!(world.check(&swapped[..1]).verdicts, [Err(Reject::Equation)]);
        assert_eq!(world.check(&swapped[1..]).verdicts, [Err(Reject::Equation), Ok(())]);
        // Signatures that cancel out, so that the sum is infinity.
        let mut opposite = honest[0].clone();
        opposite.signature[0] ^= 0x20;
        assert_eq!(world.check(&[honest[0].clone(), opposite.clone()]).verdicts, [Ok(()), Err(Reject::Equation)]);
        world.check(&[opposite, honest[2].clone(), honest[0].clone()]);
    }
}

/// Keys that stand in the set twice, with their opposites, and small multiples of each other: sums meet equal and opposite
/// points.
pub(crate) fn related_keys(backend: &dyn Backend) {
    let rng = &mut make::rng(0x7265_6c61);
    for scheme in SCHEMES {
        let mut numbers: Vec<BigUint> = Vec::new();
        for k in [1u32, 2, 3, 4, 5, 7, 1 << 20] {
            let k = BigUint::from(k);
            numbers.extend([k.clone(), order() - &k, k.clone(), order() - &k]);
        }
        let secrets: Vec<SecretKey> = numbers.iter().map(secret).collect();
        let world = World::new(backend, scheme, &secrets);
        let n = secrets.len();
        world.check(&world.votes(rng, 4, 3));
        world.check(&world.votes(rng, 2, 255));
        for entry in [1, 2, 4, 255] {
            // All keys cancel out: in one scheme that is refused, in the other the signature is no infinity.
            let mut votes = world.honest(&vec![entry; n]);
            assert_eq!(votes.signature[0] == 0xc0, scheme == Scheme::ProofOfPossession);
            world.check(&[votes.clone()]);
            votes.signature = world.honest(&[1]).signature;
            let right = if scheme == Scheme::ProofOfPossession { Reject::Keys } else { Reject::Equation };
            assert_eq!(world.check(&[votes.clone()]).verdicts, [Err(right)]);
            let mut few = vec![0; n];
            few[..2].fill(entry);
            votes.signers = few;
            assert_eq!(world.check(&[votes.clone(), world.honest(&[3])]).verdicts.len(), 2);
        }
        // One key many times.
        let world = World::new(backend, scheme, &vec![secrets[6].clone(); 40]);
        assert!(world.check(&world.votes(rng, 3, 255)).verdicts.iter().all(Result::is_ok));
        assert!(world.check(&[world.honest(&[1; 40]), world.honest(&[255; 40])]).verdicts.iter().all(Result::is_ok));
    }
}

/// Votes on something else.
pub(crate) fn other_messages(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6f74_6865);
    for scheme in SCHEMES {
        let secrets: Vec<SecretKey> = (0..3).map(|_| random_secret(rng)).collect();
        let world = World::new(backend, scheme, &secrets);
        let other = |scheme, message: &[u8]| {
            let signatures: Vec<Signature> = secrets.iter().map(|secret| secret.sign(scheme, message)).collect();
            let signature = Signature::aggregate(&signatures).expect("not infinity").to_bytes();
            Aggregate { signature, signers: vec![1; 3] }
        };
        let other_scheme = if scheme == SCHEMES[0] { SCHEMES[1] } else { SCHEMES[0] };
        let votes =
            [other(scheme, b"another"), other(scheme, MESSAGE), other(other_scheme, MESSAGE), other(scheme, b"")];
        let wrong = Err(Reject::Equation);
        assert_eq!(world.check(&votes).verdicts, [wrong, Ok(()), wrong, wrong]);
        let pieces = [0..1, 1..1, 1..3].map(|range| backend.miller_values(world.prepared.guardians(), range, MESSAGE));
        assert_eq!(pieces.each_ref().map(Vec::len), [1, 0, 2]);
    }
}
