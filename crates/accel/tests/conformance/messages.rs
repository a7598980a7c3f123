//! Messages with the accounts that are said to have signed them, from bytes to verdict.

use crate::judge::{at_most, one_in};
use crate::make::{self, N, P};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::RngCore;
use vigil_accel::{Backend, Signed, SignedMessage, oracle};
use vigil_crypto::SecretKey;
use vigil_primitives::{Address, U256};

/// Bytes that a permutation of Keccak takes in.
const RATE: usize = 136;
/// Longer than what a card hashes.
const LONG: usize = 16 * 1_024 + 1;

/// A message, a signature and an account.
#[derive(Clone, Debug)]
struct Item {
    text: Vec<u8>,
    signature: [u8; 65],
    signer: Address,
}

/// Signed by a key of a few.
fn signed(rng: &mut ChaCha20Rng, length: usize) -> Item {
    let mut text = vec![0; length];
    rng.fill_bytes(&mut text);
    let secret = SecretKey::from_bytes(&[1 + (rng.next_u32() % 40) as u8; 32]).expect("below n");
    let signature = *secret.sign(&oracle::digest(&text)).as_array().expect("65 bytes");
    Item { text, signature, signer: secret.public_key().address() }
}

fn right(item: &Item) -> bool {
    let signed = Signed { digest: oracle::digest(&item.text), signature: item.signature };
    oracle::recover(&signed).is_ok_and(|signer| signer.address == item.signer)
}

/// As one batch; says how many are good.
fn check(backend: &dyn Backend, items: &[Item]) -> usize {
    let messages: Vec<SignedMessage<'_>> = items
        .iter()
        .map(|Item { text, signature, signer }| SignedMessage { message: text, signature: *signature, signer: *signer })
        .collect();
    let got = backend.verify_messages(&messages);
    let expected: Vec<bool> = items.iter().map(right).collect();
    assert_eq!(got.len(), items.len());
    let wrong = (0..items.len()).find(|at| got[*at] != expected[*at]);
    assert_eq!(wrong, None, "{}: of {}: {:?}", backend.name(), items.len(), wrong.map(|at| &items[at]));
    got.into_iter().filter(|good| *good).count()
}

/// Up to some blocks and around the longest that a card takes, good and with one bit of the message turned over.
pub(crate) fn every_length(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6d65_7373);
    let lengths = (0..3 * RATE + 2).step_by(one_in(3)).chain([5 * RATE - 1, 5 * RATE, 1_000, 10_001]);
    let mut items: Vec<Item> = lengths.map(|length| signed(rng, length)).collect();
    let good = items.len();
    for at in 1..good {
        let mut other = items[at].clone();
        let bit = rng.next_u32() as usize % (8 * other.text.len());
        other.text[bit / 8] ^= 1 << (bit % 8);
        items.push(other);
    }
    assert_eq!(check(backend, &items), good);
    for length in [LONG - 2, LONG - 1, LONG, 2 * LONG] {
        let mut items = vec![signed(rng, 7), signed(rng, length), signed(rng, 300)];
        assert_eq!(check(backend, &items), 3);
        *items[1].text.last_mut().expect("long") ^= 1;
        assert_eq!(check(backend, &items), 2);
    }
}

/// r, s and v at and beyond their bounds, between good signatures; and the last bytes that make another message equal.
pub(crate) fn malformed(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6d65_7374);
    let one = U256::from(1);
    let mut items = Vec::new();
    for length in (0..at_most(60)).map(|i| 5 * i) {
        let good = signed(rng, length);
        let [r, s] = [0, 32].map(|at| U256::from_be_slice(&good.signature[at..at + 32]));
        let with = |r: U256, s: U256, v: u8| {
            let mut item = good.clone();
            item.signature[..32].copy_from_slice(&r.to_be_bytes::<32>());
            item.signature[32..64].copy_from_slice(&s.to_be_bytes::<32>());
            item.signature[64] = v;
            item
        };
        let v = good.signature[64];
        let bounds = [U256::ZERO, one, N, N - one, N + one, P, P + one, U256::MAX];
        items.extend(bounds.map(|r| with(r, s, v)));
        items.extend(bounds.map(|s| with(r, s, v)));
        items.extend([with(r, N - s, v), with(r, N - s, v ^ 1), with(s, r, v), with(r.wrapping_add(N), s, v)]);
        items.extend([v ^ 1, 2, 3, 27 + v, 255].map(|v| with(r, s, v)));
        // Keccak's own padding, written out, and a zero more.
        for end in [&[1][..], &[0], &[0x80]] {
            let mut item = good.clone();
            item.text.extend(end);
            items.push(item);
        }
        items.push(good);
    }
    let good = check(backend, &items);
    assert_eq!(good, at_most(60), "the good ones alone");
}

/// Any byte of the account counts.
pub(crate) fn other_signers(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6d65_7375);
    let mut items = Vec::new();
    for length in [0, 1, RATE - 1, RATE, 200] {
        let good = signed(rng, length);
        for bit in (0..160).step_by(one_in(4)) {
            let mut other = good.clone();
            other.signer.0[bit / 8] ^= 1 << (bit % 8);
            items.push(other);
        }
        items.push(Item { signer: Address::ZERO, ..good.clone() });
        items.push(good);
    }
    assert_eq!(check(backend, &items), 5);
}

/// None, one, odd numbers, around groups and blocks; each message its own, or all the same.
pub(crate) fn batch_sizes(backend: &dyn Backend) {
    let rng = &mut make::rng(0x6d65_7376);
    let all: Vec<Item> = (0..1_025).map(|at| signed(rng, at % 200)).collect();
    let sizes =
        (0..70).step_by(one_in(7)).chain([127, 128, 129, 255, 256, 257, 1_023, 1_025].into_iter().step_by(one_in(3)));
    for n in sizes.filter(|n| *n <= at_most(1_025)) {
        let mut items = all[..n].to_vec();
        assert_eq!(check(backend, &items), n);
        if let Some(item) = items.get_mut(n / 2) {
            item.signature[7] ^= 4;
            assert_eq!(check(backend, &items), n - 1);
        }
        assert_eq!(check(backend, &vec![all[1].clone(); n]), n);
    }
}
