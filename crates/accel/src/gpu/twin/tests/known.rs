//! Whether a known key signed, with and without its table.

use super::rig::{Mode, Rig};
use super::signatures::{
    coordinates, good, key_of, malformed, numbers, odd, p, parts, row_with_key, row_with_table, secret,
};
use crate::backend::{Backend, detect};
use crate::comb::Comb;
use crate::gpu::start::Start;
use crate::ops::{Claim, PublicKey, SignatureError, Signed};
use crate::oracle;
use num_bigint::BigUint;

fn portable() -> &'static dyn Backend {
    detect()[0]
}

/// What the code of a claim must be. No sum here ends at infinity, and keys are points.
fn expected(item: &Signed, key: &PublicKey) -> u32 {
    match oracle::verify(&Claim { signed: *item, key: *key }) {
        Ok(()) => 0,
        Err(SignatureError::WrongKey) => 3,
        Err(_) => 1,
    }
}

/// Items of two keys, each asked of both, by both ways.
fn check(items: &[Signed], keys: &[PublicKey; 2]) -> [usize; 4] {
    let mut rig = Rig::new(&Start::random());
    let combs: Vec<Comb> = portable().build_combs(keys).into_iter().map(|comb| comb.expect("a point")).collect();
    let combs: Vec<&Comb> = combs.iter().collect();
    let claims: Vec<(&Signed, usize)> = items.iter().flat_map(|item| [(item, 0), (item, 1)]).collect();
    let cold: Vec<_> = claims.iter().map(|(item, key)| row_with_key(item, &keys[*key])).collect();
    let hot: Vec<_> = claims.iter().map(|(item, key)| row_with_table(item, *key as u32)).collect();
    let cold = rig.known(Mode::Known, &cold, &[]);
    let hot = rig.known(Mode::Hot, &hot, &combs);
    let without_tags = |rows: &[[u32; 4]]| rows.iter().map(|row| [row[0], row[1]]).collect::<Vec<_>>();
    assert_eq!(without_tags(&cold), without_tags(&hot));
    let mut counts = [0; 4];
    for ((item, key), [code, x, ..]) in claims.into_iter().zip(cold) {
        assert_eq!(code, expected(item, &keys[key]), "{item:x?}");
        let r = parts(item).1;
        match code {
            0 => assert_eq!(Some(&x), r.to_u32_digits().first(), "the lowest word of r"),
            1 => assert_eq!(x, 0),
            _ => {}
        }
        counts[code as usize] += 1;
    }
    counts
}

#[test]
fn good_signatures_are_of_their_key_only() {
    let (a, b) = (secret(&81u8.into()), secret(&82u8.into()));
    let mut rng = numbers(31);
    let mut items = good(&a, 500, &mut rng);
    items.extend(good(&b, 500, &mut rng));
    assert_eq!(check(&items, &[a.public_key(), b.public_key()]), [1000, 0, 0, 1000]);
}

#[test]
fn odd_and_malformed_forms_are_judged_as_by_the_oracle() {
    let (a, b) = (secret(&83u8.into()), secret(&84u8.into()));
    let from = good(&a, 12, &mut numbers(32));
    let mut items = odd(&from);
    // Signatures that some other key made good, and a good one whose v is turned.
    let recovered: Vec<PublicKey> = items.iter().filter_map(|item| oracle::recover(item).ok()).map(|s| s.key).collect();
    let counts = check(&items, &[a.public_key(), recovered[0]]);
    assert!(counts[0] >= 1 && counts[3] > 200, "{counts:?}");
    items.clear();
    for item in from {
        items.push(item);
        items.extend(malformed(&item));
    }
    assert_eq!(check(&items, &[a.public_key(), b.public_key()]), [12, 2 * 12 * 18, 0, 12]);
}

#[test]
fn the_sum_has_the_right_x_and_the_other_y() {
    let key = secret(&85u8.into());
    let mut item = good(&key, 1, &mut numbers(33))[0];
    item.signature[64] ^= 1;
    let got = Rig::new(&Start::random()).known(Mode::Known, &[row_with_key(&item, &key.public_key())], &[]);
    assert_eq!(got[0][..2], [3, parts(&item).1.to_u32_digits()[0]]);
}

#[test]
fn keys_that_are_no_points_are_malformed() {
    let key = secret(&86u8.into()).public_key();
    let item = good(&secret(&86u8.into()), 1, &mut numbers(34))[0];
    let (x, y) = coordinates(&key);
    let (small_x, its_y) = with_small_x();
    let (its_x, small_y) = with_small_y();
    let keys = [
        (key, 0),
        (key_of(&x, &(&y + 1u8)), 1),
        (key_of(&(&x ^ &BigUint::from(1u8)), &y), 1),
        (key_of(&y, &x), 1),
        (key_of(&BigUint::ZERO, &BigUint::ZERO), 1),
        (key_of(&p(), &p()), 1),
        (PublicKey([255; 64]), 1),
        (key_of(&small_x, &its_y), 3),
        (key_of(&(&small_x + p()), &its_y), 1),
        (key_of(&its_x, &small_y), 3),
        (key_of(&its_x, &(&small_y + p())), 1),
    ];
    let rows: Vec<_> = keys.iter().map(|(key, _)| row_with_key(&item, key)).collect();
    let got = Rig::new(&Start::random()).known(Mode::Known, &rows, &[]);
    for (i, ((key, code), row)) in keys.iter().zip(got).enumerate() {
        assert_eq!(row[0], *code, "key {i}");
        let right = oracle::verify(&Claim { signed: item, key: *key });
        assert_eq!(right.is_ok(), *code == 0, "key {i}: {right:?}");
    }
}

/// A point whose x is below 2^256 - p.
fn with_small_x() -> (BigUint, BigUint) {
    let p = p();
    let root = |x: &BigUint| (x * x * x + 7u8).modpow(&((&p + 1u8) >> 2), &p);
    let candidates = (1u8..).map(BigUint::from).map(|x| (root(&x), x));
    candidates.map(|(y, x)| (x, y)).find(|(x, y)| y * y % &p == (x * x * x + 7u8) % &p).expect("every second is one")
}

/// A point whose y is below 2^256 - p: a cube root is the power (p + 2) / 9, as p is 7 modulo 9.
fn with_small_y() -> (BigUint, BigUint) {
    let p = p();
    let root = |y: &BigUint| (y * y + &p - 7u8).modpow(&((&p + 2u8) / 9u8), &p);
    let candidates = (3u8..).map(BigUint::from).map(|y| (root(&y), y));
    candidates.into_iter().find(|(x, y)| y * y % &p == (x * x * x + 7u8) % &p).expect("every third is one")
}

#[test]
fn tables_that_are_not_there_are_not_known() {
    let key = secret(&87u8.into());
    let items = good(&key, 4, &mut numbers(35));
    let comb = portable().build_combs(&[key.public_key()]).remove(0).expect("a point");
    let mut rows: Vec<_> = items.iter().zip([0, 1, u32::MAX, 0]).map(|(item, t)| row_with_table(item, t)).collect();
    // Malformed and without a table: malformed.
    rows.push(row_with_table(&malformed(&items[0])[0], 1));
    let codes: Vec<u32> =
        Rig::new(&Start::random()).known(Mode::Hot, &rows, &[&comb]).iter().map(|row| row[0]).collect();
    assert_eq!(codes, [0, 2, 2, 0, 1]);
}
