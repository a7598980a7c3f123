//! Signatures of guardians: real ones, or numbers that add up in the same way.

use vigil_consensus::finality::Job;
use vigil_crypto::bls::{BlsError, PublicKey, Scheme, SecretKey, Signature};
use vigil_crypto::checkpoint::{self, Aggregate, Merged, Reject, Sum};
use vigil_primitives::{BlsKeyBytes, Hash, keccak256};

/// A signature on the wire.
pub type Bytes96 = [u8; 96];

/// What nodes and liars do with signatures.
pub trait Signatures: Send + Sync {
    /// A guardian's public key.
    fn key(&self, guardian: usize) -> BlsKeyBytes;
    /// A guardian's signature.
    fn sign(&self, guardian: usize, message: &Hash) -> Bytes96;
    /// As `vigil_crypto::checkpoint::merge`. `order[i]` is the guardian at place i of the set.
    fn merge(&self, job: &Job, order: &[usize]) -> Merged;
    /// The sum of signatures, each so many times: what liars can do with what they hold. `None`: infinity.
    fn combine(&self, terms: &[(Bytes96, u8)]) -> Option<Bytes96>;
    /// The inverse of a signature.
    fn negate(&self, signature: &Bytes96) -> Bytes96;
    /// The point at infinity, a point outside of the subgroup, and bytes that are no point.
    fn malformed(&self) -> [Bytes96; 3];
}

/// A signature is a number modulo the prime 2^61 - 1: a guardian's secret for the message. Sums of signatures are sums of
/// numbers, so scaling, cancelling and forging do what they do with points.
pub struct Symbolic {
    secrets: Vec<u64>,
}

const PRIME: u64 = (1 << 61) - 1;
const POINT: u8 = 0x80;
const INFINITY: u8 = 0xc0;
const OUTSIDE: u8 = 0x90;

impl Symbolic {
    /// Secrets of so many guardians.
    pub fn new(guardians: usize, seed: u64) -> Self {
        let secret = |i: usize| number(&keccak256([seed.to_be_bytes(), i.to_be_bytes()].concat()));
        Self { secrets: (0..guardians).map(secret).collect() }
    }

    fn share(&self, guardian: usize, message: &Hash) -> u64 {
        let mixed = self.secrets[guardian] ^ u64::from_be_bytes(message[..8].try_into().expect("32 bytes"));
        // Multiplied by a factor of the message: shares of different messages are not related in a simple way.
        mulmod(mixed % PRIME, number(message))
    }

    fn holds(&self, message: &Hash, order: &[usize], part: &Part) -> Result<(), Reject> {
        let signers = part.signers.iter().zip(order).filter(|(entry, _)| **entry > 0);
        let sum = signers.fold(0u128, |sum, (entry, guardian)| {
            sum + u128::from(*entry) * u128::from(self.share(*guardian, message))
        });
        let holds = part.number != 0 && part.number == reduce(sum);
        if holds { Ok(()) } else { Err(Reject::Equation) }
    }

    fn bisect(&self, message: &Hash, order: &[usize], parts: &[Part], verdicts: &mut [Result<(), Reject>]) {
        match parts {
            [] => {}
            [part] => verdicts[part.index] = self.holds(message, order, part),
            _ if self.holds(message, order, &Part::sum(parts)).is_ok() => {}
            _ => {
                let (first, rest) = parts.split_at(parts.len() / 2);
                self.bisect(message, order, first, verdicts);
                self.bisect(message, order, rest, verdicts);
            }
        }
    }
}

struct Part {
    index: usize,
    number: u64,
    signers: Vec<u16>,
}

impl Part {
    fn new(index: usize, votes: &Aggregate, guardians: usize) -> Result<Self, Reject> {
        if votes.signers.len() != guardians {
            return Err(Reject::Length { got: votes.signers.len(), expected: guardians });
        }
        if votes.signers.iter().all(|entry| *entry == 0) {
            return Err(Reject::Empty);
        }
        let signers = votes.signers.iter().map(|entry| u16::from(*entry)).collect();
        Ok(Self { index, number: read(&votes.signature)?, signers })
    }

    fn sum(parts: &[Self]) -> Self {
        let number = parts.iter().fold(0, |sum, part| (sum + part.number) % PRIME);
        let mut signers = vec![0; parts[0].signers.len()];
        for part in parts {
            signers.iter_mut().zip(&part.signers).for_each(|(sum, entry)| *sum += entry);
        }
        Self { index: 0, number, signers }
    }
}

fn number(hash: &Hash) -> u64 {
    u64::from_be_bytes(hash[8..16].try_into().expect("32 bytes")) % (PRIME - 1) + 1
}

fn mulmod(a: u64, b: u64) -> u64 {
    reduce(u128::from(a) * u128::from(b))
}

/// Modulo the prime: 2^61 is 1.
fn reduce(wide: u128) -> u64 {
    let folded = (wide & u128::from(PRIME)) + (wide >> 61);
    {
        let twice = (folded as u64 & PRIME) + (folded >> 61) as u64;
        if twice >= PRIME { twice - PRIME } else { twice }
    }
}

fn write(number: u64) -> Bytes96 {
    let mut bytes = [0; 96];
    bytes[0] = if number == 0 { INFINITY } else { POINT };
    bytes[88..].copy_from_slice(&number.to_be_bytes());
    bytes
}

fn read(bytes: &Bytes96) -> Result<u64, BlsError> {
    let number = u64::from_be_bytes(bytes[88..].try_into().expect("8 bytes"));
    match bytes[0] {
        INFINITY => Err(BlsError::Infinity),
        OUTSIDE => Err(BlsError::Subgroup),
        POINT if bytes[1..88].iter().all(|byte| *byte == 0) && number < PRIME => Ok(number),
        _ => Err(BlsError::Encoding),
    }
}

impl Signatures for Symbolic {
    fn key(&self, guardian: usize) -> BlsKeyBytes {
        BlsKeyBytes::left_padding_from(&self.secrets[guardian].to_be_bytes())
    }

    fn sign(&self, guardian: usize, message: &Hash) -> Bytes96 {
        write(self.share(guardian, message))
    }

    fn merge(&self, job: &Job, order: &[usize]) -> Merged {
        let mut verdicts = vec![Ok(()); job.parts.len()];
        let mut parts = Vec::new();
        for (index, votes) in job.parts.iter().enumerate() {
            match Part::new(index, votes, order.len()) {
                Ok(part) => parts.push(part),
                Err(reject) => verdicts[index] = Err(reject),
            }
        }
        self.bisect(&job.message, order, &parts, &mut verdicts);
        parts.retain(|part| verdicts[part.index].is_ok());
        let sum = (!parts.is_empty()).then(|| Part::sum(&parts)).filter(|sum| sum.number != 0);
        Merged { verdicts, sum: sum.map(|sum| Sum { signature: write(sum.number), signers: sum.signers }) }
    }

    fn combine(&self, terms: &[(Bytes96, u8)]) -> Option<Bytes96> {
        let sum = terms.iter().try_fold(0, |sum, (bytes, times)| {
            read(bytes).ok().map(|number| (sum + mulmod(number, u64::from(*times))) % PRIME)
        });
        sum.filter(|sum| *sum != 0).map(write)
    }

    fn negate(&self, signature: &Bytes96) -> Bytes96 {
        read(signature).map_or(*signature, |number| write(PRIME - number))
    }

    fn malformed(&self) -> [Bytes96; 3] {
        let outside = {
            let mut bytes = write(7);
            bytes[0] = OUTSIDE;
            bytes
        };
        [write(0), outside, [0xff; 96]]
    }
}

/// BLS12-381, judged by the scalar twin.
pub struct Real {
    scheme: Scheme,
    secrets: Vec<SecretKey>,
    keys: Vec<PublicKey>,
}

impl Real {
    /// Keys of so many guardians.
    pub fn new(scheme: Scheme, guardians: usize, seed: u64) -> Self {
        let secret = |i: usize| {
            let mut bytes = keccak256([seed.to_be_bytes(), i.to_be_bytes()].concat()).0;
            bytes[0] &= 0x3f;
            SecretKey::from_bytes(&bytes).expect("below the order of the group")
        };
        let secrets: Vec<SecretKey> = (0..guardians).map(secret).collect();
        let keys = secrets.iter().map(SecretKey::public_key).collect();
        Self { scheme, secrets, keys }
    }
}

impl Signatures for Real {
    fn key(&self, guardian: usize) -> BlsKeyBytes {
        self.keys[guardian].to_bytes().into()
    }

    fn sign(&self, guardian: usize, message: &Hash) -> Bytes96 {
        self.secrets[guardian].sign(self.scheme, message.as_slice()).to_bytes()
    }

    fn merge(&self, job: &Job, order: &[usize]) -> Merged {
        let keys: Vec<PublicKey> = order.iter().map(|guardian| self.keys[*guardian]).collect();
        let parts: Vec<Aggregate> = job.parts.iter().map(|part| part.as_ref().clone()).collect();
        checkpoint::merge(self.scheme, &keys, job.message.as_slice(), &parts)
    }

    fn combine(&self, terms: &[(Bytes96, u8)]) -> Option<Bytes96> {
        let point = |bytes: &Bytes96| Signature::from_bytes(bytes).ok();
        let points = terms.iter().map(|(bytes, times)| point(bytes).map(|p| vec![p; usize::from(*times)]));
        let points = points.collect::<Option<Vec<_>>>()?.concat();
        Some(Signature::aggregate(&points).ok()?.to_bytes())
    }

    fn negate(&self, signature: &Bytes96) -> Bytes96 {
        let mut bytes = *signature;
        bytes[0] ^= 0x20;
        bytes
    }

    fn malformed(&self) -> [Bytes96; 3] {
        let mut infinity = [0; 96];
        infinity[0] = 0xc0;
        let mut outside = [0; 96];
        outside[0] = 0x80;
        while Signature::from_bytes(&outside) != Err(BlsError::Subgroup) {
            outside[95] += 1;
        }
        [infinity, outside, [0xff; 96]]
    }
}
