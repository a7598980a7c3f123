//! The twin of the operation `checkpoint`: what holds, what does not, and who is to blame.

use vigil_crypto::bls::{BlsError, PublicKey, Scheme, SecretKey, Signature};
use vigil_crypto::checkpoint::{Aggregate, Reject, judge, merge};
use vigil_primitives::keccak256;

const MESSAGE: &[u8] = b"a checkpoint";
const SCHEMES: [Scheme; 2] = [Scheme::Augmented, Scheme::ProofOfPossession];

fn secrets(n: usize) -> Vec<SecretKey> {
    let secret = |i| {
        let mut bytes = keccak256([b"guardian".as_slice(), &[i as u8]].concat()).0;
        bytes[0] &= 0x3f;
        SecretKey::from_bytes(&bytes).unwrap()
    };
    (0..n).map(secret).collect()
}

fn keys(secrets: &[SecretKey]) -> Vec<PublicKey> {
    secrets.iter().map(SecretKey::public_key).collect()
}

/// The honest aggregate with these entries.
fn votes(scheme: Scheme, secrets: &[SecretKey], entries: &[u8]) -> Aggregate {
    let repeated = secrets
        .iter()
        .zip(entries)
        .flat_map(|(secret, entry)| std::iter::repeat_n(secret.sign(scheme, MESSAGE), usize::from(*entry)));
    let signature = Signature::aggregate(&repeated.collect::<Vec<_>>()).unwrap().to_bytes();
    Aggregate { signature, signers: entries.to_vec() }
}

/// The aggregate with a point added to its signature.
fn plus(votes: &Aggregate, point: &[u8; 96]) -> Aggregate {
    let parts = [&votes.signature, point].map(|bytes| Signature::from_bytes(bytes).unwrap());
    Aggregate { signature: Signature::aggregate(&parts).unwrap().to_bytes(), signers: votes.signers.clone() }
}

fn minus(point: &[u8; 96]) -> [u8; 96] {
    let mut point = *point;
    point[0] ^= 0x20;
    point
}

/// A point of the curve that is not in the subgroup.
fn outside() -> [u8; 96] {
    let mut bytes = [0; 96];
    bytes[0] = 0x80;
    loop {
        bytes[95] += 1;
        match Signature::from_bytes(&bytes) {
            Err(BlsError::Subgroup) => return bytes,
            Err(BlsError::Encoding) => {}
            other => panic!("{other:?} of a small number"),
        }
    }
}

#[test]
fn honest_votes_hold() {
    for scheme in SCHEMES {
        let secrets = secrets(5);
        let keys = keys(&secrets);
        for entries in [[1, 0, 0, 0, 0], [0, 3, 0, 1, 255], [1, 1, 1, 1, 1]] {
            assert_eq!(judge(scheme, &keys, MESSAGE, &votes(scheme, &secrets, &entries)), Ok(()), "{scheme:?}");
        }
        let wrong =
            |entries: [u8; 5]| Aggregate { signers: entries.to_vec(), ..votes(scheme, &secrets, &[0, 3, 0, 1, 9]) };
        for entries in [[0, 3, 0, 1, 8], [0, 3, 1, 1, 9], [0, 0, 0, 1, 9], [3, 0, 0, 1, 9]] {
            assert_eq!(judge(scheme, &keys, MESSAGE, &wrong(entries)), Err(Reject::Equation));
        }
        assert_eq!(judge(scheme, &keys, b"another", &wrong([0, 3, 0, 1, 9])), Err(Reject::Equation));
        let other = if scheme == Scheme::Augmented { Scheme::ProofOfPossession } else { Scheme::Augmented };
        assert_eq!(judge(other, &keys, MESSAGE, &wrong([0, 3, 0, 1, 9])), Err(Reject::Equation));
    }
}

#[test]
fn malformed_votes_are_refused_for_what_they_are() {
    let secrets = secrets(3);
    let keys = keys(&secrets);
    for scheme in SCHEMES {
        let good = votes(scheme, &secrets, &[1, 2, 0]);
        let with = |signature| Aggregate { signature, ..good.clone() };
        let mut infinity = [0; 96];
        infinity[0] = 0xc0;
        let mut no_point = good.signature;
        no_point[0] = 0x1f;
        let cases = [
            (Aggregate { signers: vec![1, 2], ..good.clone() }, Reject::Length { got: 2, expected: 3 }),
            (Aggregate { signers: vec![1, 2, 0, 0], ..with(infinity) }, Reject::Length { got: 4, expected: 3 }),
            (Aggregate { signers: vec![0; 3], ..with(infinity) }, Reject::Empty),
            (with(infinity), Reject::Signature(BlsError::Infinity)),
            (with(no_point), Reject::Signature(BlsError::Encoding)),
            (with(outside()), Reject::Signature(BlsError::Subgroup)),
            (with(minus(&good.signature)), Reject::Equation),
        ];
        for (votes, reject) in cases {
            assert_eq!(judge(scheme, &keys, MESSAGE, &votes), Err(reject));
            let merged = merge(scheme, &keys, MESSAGE, &[good.clone(), votes, good.clone()]);
            assert_eq!(merged.verdicts, [Ok(()), Err(reject), Ok(())]);
            assert_eq!(merged.sum.unwrap().signers, [2, 4, 0]);
        }
    }
}

/// Guardians with keys k and -k: both can prove that they own theirs.
#[test]
fn keys_that_cancel_out_are_no_vote() {
    const ORDER: &str = "73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000001";
    let mut secrets = secrets(2);
    let order = vigil_primitives::U256::from_str_radix(ORDER, 16).unwrap();
    let k = vigil_primitives::U256::from_be_bytes(*secrets[0].to_bytes());
    secrets.push(SecretKey::from_bytes(&(order - k).to_be_bytes()).unwrap());
    let keys = keys(&secrets);
    let scheme = Scheme::ProofOfPossession;
    let anything = votes(scheme, &secrets, &[0, 1, 0]);
    let cancelled = Aggregate { signers: vec![2, 0, 2], ..anything.clone() };
    assert_eq!(judge(scheme, &keys, MESSAGE, &cancelled), Err(Reject::Keys));
    // Each of them holds, their sum is nothing: both are accepted, and nothing can be made of them.
    let parts = [votes(scheme, &secrets, &[1, 0, 0]), votes(scheme, &secrets, &[0, 0, 1])];
    let merged = merge(scheme, &keys, MESSAGE, &parts);
    assert_eq!((merged.verdicts, merged.sum), (vec![Ok(()), Ok(())], None));
    let parts = [&parts[..], &[anything]].concat();
    let merged = merge(scheme, &keys, MESSAGE, &parts);
    assert_eq!(merged.verdicts, vec![Ok(()); 3]);
    assert_eq!(merged.sum.unwrap().signers, [1, 1, 1]);
    // Under the other scheme their messages differ, so that nothing cancels out.
    let scheme = Scheme::Augmented;
    assert_eq!(judge(scheme, &keys, MESSAGE, &votes(scheme, &secrets, &[2, 0, 2])), Ok(()));
}

#[test]
fn the_guilty_are_found() {
    let secrets = secrets(4);
    let keys = keys(&secrets);
    for scheme in SCHEMES {
        let good: Vec<Aggregate> = (0..7u8).map(|i| votes(scheme, &secrets, &[i, 1, 0, 7 - i])).collect();
        let error = secrets[0].sign(scheme, b"something else").to_bytes();
        for guilty in 0u8..128 {
            if guilty.count_ones() > 2 {
                continue;
            }
            let is_guilty = |i: usize| guilty >> i & 1 == 1;
            let parts: Vec<_> =
                good.iter().enumerate().map(|(i, v)| if is_guilty(i) { plus(v, &error) } else { v.clone() }).collect();
            let merged = merge(scheme, &keys, MESSAGE, &parts);
            for (i, verdict) in merged.verdicts.iter().enumerate() {
                assert_eq!(*verdict, if is_guilty(i) { Err(Reject::Equation) } else { Ok(()) }, "{guilty:#b} {i}");
            }
            let expected: u16 = (0..7).filter(|i| !is_guilty(*i)).map(|i| i as u16).sum();
            assert_eq!(merged.sum.unwrap().signers[0], expected);
        }
    }
}

/// What is kept is the sum, so that errors that cancel out do no harm; the sum holds as if there had been none.
#[test]
fn errors_that_cancel_out_leave_an_honest_sum() {
    let secrets = secrets(3);
    let keys = keys(&secrets);
    for scheme in SCHEMES {
        let (a, b) = (votes(scheme, &secrets, &[1, 0, 0]), votes(scheme, &secrets, &[0, 1, 0]));
        let error = secrets[2].sign(scheme, b"x").to_bytes();
        let merged = merge(scheme, &keys, MESSAGE, &[plus(&a, &error), plus(&b, &minus(&error))]);
        let honest = merge(scheme, &keys, MESSAGE, &[a.clone(), b.clone()]);
        assert_eq!(merged, honest);
        let sum = honest.sum.unwrap();
        assert_eq!(sum.signature, votes(scheme, &secrets, &[1, 1, 0]).signature);
        // With a third that is wrong each is judged again, and what cancels out only with it falls.
        let three = [plus(&a, &error), b, plus(&a, &minus(&error)), plus(&a, &error)];
        let verdicts = merge(scheme, &keys, MESSAGE, &three).verdicts;
        assert_eq!(verdicts, [Err(Reject::Equation), Ok(()), Ok(()), Ok(())]);
    }
}

#[test]
fn the_number_of_aggregates_is_bounded() {
    let secrets = secrets(1);
    let (scheme, keys) = (Scheme::ProofOfPossession, keys(&secrets));
    let many = vec![votes(scheme, &secrets, &[255]); 256];
    let sum = merge(scheme, &keys, MESSAGE, &many).sum.unwrap();
    assert_eq!(sum.signers, [255 * 256]);
    assert_eq!(merge(scheme, &keys, MESSAGE, &[]).sum, None);
    let more = [many, vec![votes(scheme, &secrets, &[1])]].concat();
    assert!(std::panic::catch_unwind(|| merge(scheme, &keys, MESSAGE, &more)).is_err());
}
