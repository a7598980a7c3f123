//! Sums that meet infinity, by themselves or because the start is known here: code 2, and no harm to their neighbours.

use super::rig::{Mode, Rig};
use super::signatures::{
    coordinates, good, inverse, n, numbers, parity, random_point, row, row_with_key, row_with_table, secret, signed,
};
use crate::backend::detect;
use crate::gpu::card::Kernel;
use crate::gpu::start::Start;
use crate::ops::{Claim, PublicKey, SignatureError, Signed};
use crate::oracle;
use crate::testing::power;
use num_bigint::BigUint;

/// An item whose r is the x of a random point k G; of z and s nothing is known. Also k.
fn with_nonce(seed: u64) -> (BigUint, BigUint, u8) {
    let mut rng = numbers(seed);
    loop {
        let (k, point) = random_point(&mut rng);
        let (x, y) = coordinates(&point);
        // So that s may be r or -r.
        if x < n() {
            return (k, x, parity(&y));
        }
    }
}

/// r or n - r, whichever is low, and whether it is r.
fn low(r: &BigUint) -> (BigUint, bool) {
    let minus = n() - r;
    if *r < minus { (r.clone(), true) } else { (minus, false) }
}

/// Codes of an item between two good ones, in this mode.
fn codes(rig: &mut Rig, mode: Mode, item: &Signed, key: &PublicKey) -> Vec<u32> {
    let signer = secret(&91u8.into());
    let good = good(&signer, 2, &mut numbers(40));
    let items = [(good[0], signer.public_key()), (*item, *key), (good[1], signer.public_key())];
    match mode {
        Mode::Recover => {
            let rows: Vec<_> = items.iter().map(|(item, _)| row(item)).collect();
            rig.recover(&rows).iter().map(|row| row[0]).collect()
        }
        Mode::Known => {
            let rows: Vec<_> = items.iter().map(|(item, key)| row_with_key(item, key)).collect();
            rig.known(mode, &rows, &[]).iter().map(|row| row[0]).collect()
        }
        Mode::Hot => {
            let keys = items.map(|(_, key)| key);
            let combs: Vec<_> = detect()[0].build_combs(&keys).into_iter().map(|comb| comb.expect("a point")).collect();
            let rows: Vec<_> = (0..3).map(|i| row_with_table(&items[i].0, i as u32)).collect();
            rig.known(mode, &rows, &combs.iter().collect::<Vec<_>>()).iter().map(|row| row[0]).collect()
        }
    }
}

#[test]
fn no_key_is_the_sum_at_infinity() {
    let mut rig = Rig::new(&Start::random());
    for seed in 41..45 {
        let (k, r, v) = with_nonce(seed);
        // s R = z G.
        for s in [BigUint::from(1u8), BigUint::from(2u8), power(200) + 5u8] {
            let item = signed(&(&s * &k % n()), &r, &s, v);
            assert_eq!(oracle::recover(&item), Err(SignatureError::NoKey));
            assert_eq!(codes(&mut rig, Mode::Recover, &item, &secret(&k).public_key()), [0, 2, 0]);
        }
    }
}

#[test]
fn no_nonce_is_the_sum_at_infinity() {
    let mut rig = Rig::new(&Start::random());
    for seed in 51..55 {
        let (_, r, v) = with_nonce(seed);
        let q = BigUint::from(seed) + power(190);
        let key = secret(&q).public_key();
        // z G + r Q = 0.
        let item = signed(&(n() - &r * &q % n()), &r, &(power(254) + seed), v);
        assert_eq!(oracle::verify(&Claim { signed: item, key }), Err(SignatureError::WrongKey));
        assert_eq!(codes(&mut rig, Mode::Known, &item, &key), [0, 2, 0]);
        assert_eq!(codes(&mut rig, Mode::Hot, &item, &key), [0, 2, 0]);
    }
}

#[test]
fn walks_that_meet_their_start_are_not_known() {
    for seed in 61..65 {
        let (k, r, v) = with_nonce(seed);
        // u2 is 1 or -1, so the only multiple of P is P or -P, added to 2^128 S. Equal or opposite: S is chosen so.
        let (s, same) = low(&r);
        let minus = n() - &k;
        let item = signed(&power(99), &r, &s, v);
        for log in [k.clone(), minus] {
            let start = secret(&(log * inverse(&power(128)) % n()));
            let mut rig = Rig::starting_at(&start);
            let key = secret(&k).public_key();
            assert_eq!(codes(&mut rig, Mode::Recover, &item, &key), [0, 2, 0], "{same}");
            assert_eq!(codes(&mut rig, Mode::Known, &item, &key), [0, 2, 0], "{same}");
        }
    }
}

#[test]
fn sums_by_table_that_meet_their_start_are_not_known() {
    for seed in 71..75 {
        let (k, r, v) = with_nonce(seed);
        let (s, _) = low(&r);
        let item = signed(&power(99), &r, &s, v);
        let key = secret(&k).public_key();
        for log in [k.clone(), n() - &k] {
            let mut rig = Rig::starting_at(&secret(&log));
            assert_eq!(codes(&mut rig, Mode::Hot, &item, &key), [0, 2, 0]);
        }
    }
}

#[test]
fn known_starts_do_no_harm_elsewhere() {
    // The start is G itself: multiples of G that are added at the end are not those of the sum.
    let signer = secret(&92u8.into());
    let items = good(&signer, 100, &mut numbers(45));
    let mut rig = Rig::starting_at(&secret(&1u8.into()));
    let rows: Vec<_> = items.iter().map(row).collect();
    assert!(rig.recover(&rows).iter().all(|row| row[0] == 0));
}

#[test]
fn sums_off_the_curve_are_not_known() {
    let items = good(&secret(&93u8.into()), 4, &mut numbers(46));
    let mut rig = Rig::new(&Start::random());
    let rows: Vec<_> = items.iter().map(row).collect();
    let (asked, state, stride) = rig.sums(Mode::Recover, &rows, &[]);
    // A bit of X of item 1 and of Y of item 2 turns over on the card.
    for (column, item) in [(3, 1), (8, 2)] {
        let at = column * stride as usize + item;
        let word = rig.read(&state)[at];
        rig.write(&state, at, &[word ^ 1 << 9]);
    }
    let (long, short) = (rig.buffer(24 * 4), rig.buffer(8 * 4));
    let params = [stride, Mode::Recover as u32, rows[0].len() as u32];
    rig.launch(Kernel::RecoverFinish, 4, &[&asked, &state, &long], &params);
    rig.launch(Kernel::SignerFinish, 4, &[&asked, &state, &short], &params);
    for row in &rig.answers::<24>(&rows, &long)[1..3] {
        assert_eq!(row[..22], [&[2][..], &[0; 21]].concat());
    }
    let short = rig.answers::<8>(&rows, &short);
    assert!(short[1..3].iter().all(|row| row[..6] == [2, 0, 0, 0, 0, 0]));
    assert!(short[0][0] == 0 && short[3][0] == 0);
}
