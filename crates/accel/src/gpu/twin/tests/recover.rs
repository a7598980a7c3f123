//! Who signed, from rows to addresses.

use super::rig::{Rig, bytes_as_words};
use super::signatures::{good, malformed, numbers, odd, row, secret};
use crate::gpu::start::Start;
use crate::ops::Signed;
use crate::oracle;
use num_bigint::BigUint;
use vigil_crypto::SignatureError;

/// What the row of an item must say, tag aside. No sum here ends at infinity.
fn expected(item: &Signed) -> [u32; 22] {
    let mut row = [0; 22];
    match oracle::recover(item) {
        Err(_) => row[0] = 1,
        Ok(signer) => {
            let mut bytes = [0; 32];
            bytes[..20].copy_from_slice(signer.address.as_slice());
            row[1..6].copy_from_slice(&bytes_as_words(&bytes)[..5]);
            row[6..14].copy_from_slice(&bytes_as_words(&signer.key.0[..32]));
            row[14..].copy_from_slice(&bytes_as_words(&signer.key.0[32..]));
        }
    }
    row
}

fn check(rig: &mut Rig, items: &[Signed]) {
    let rows: Vec<_> = items.iter().map(row).collect();
    for (item, got) in items.iter().zip(rig.recover(&rows)) {
        assert_eq!(got[..22], expected(item), "{item:x?}");
    }
}

#[test]
fn good_signatures_give_their_signers() {
    let mut rng = numbers(21);
    let mut rig = Rig::new(&Start::random());
    for seed in 1u8..4 {
        let key = secret(&BigUint::from(seed));
        check(&mut rig, &good(&key, 700, &mut rng));
    }
}

#[test]
fn odd_forms_give_what_the_oracle_gives() {
    let items = odd(&good(&secret(&77u8.into()), 12, &mut numbers(22)));
    let no_key = items.iter().filter(|item| oracle::recover(item) == Err(SignatureError::NoKey)).count();
    assert!((20..80).contains(&no_key), "{no_key} of {}", items.len());
    check(&mut Rig::new(&Start::random()), &items);
}

#[test]
fn malformed_signatures_among_good_ones() {
    let key = secret(&78u8.into());
    let mut items = vec![];
    for item in good(&key, 20, &mut numbers(23)) {
        items.push(item);
        items.extend(malformed(&item));
    }
    let refused = items.iter().filter(|item| oracle::recover(item).is_err()).count();
    assert_eq!(refused, 20 * 18);
    check(&mut Rig::new(&Start::random()), &items);
    // v is a whole word.
    let mut large = row(&items[0]);
    large[24] += 256;
    let got = Rig::new(&Start::random()).recover(&[large]);
    assert_eq!(got[0][..22], [&[1][..], &[0; 21]].concat()[..]);
}

#[test]
fn inversions_are_shared_by_any_number_of_threads() {
    let items = good(&secret(&79u8.into()), 150, &mut numbers(24));
    let mut rig = Rig::new(&Start::random());
    for inverters in [1, 2, 128, 149, 150, 151, 4096] {
        rig.inverters = inverters;
        check(&mut rig, &items);
    }
    check(&mut rig, &items[..1]);
}
