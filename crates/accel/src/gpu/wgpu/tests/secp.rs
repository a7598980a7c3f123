//! Signatures, from rows to answers, against the oracle.

use super::cards::on_all;
use super::cases::{
    GOOD, MALFORMED, UNKNOWN, WRONG_KEY, claims, honest, honest_claims, key, number, off_curve, recoveries, secret,
};
use super::work::{Bench, Question, SEEDS, claim_row, halves, packed, row, tables_of, untagged};
use crate::gpu::card::{Kernel, PARAMS};
use crate::ops::{Claim, PublicKey, Signed};
use crate::oracle;
use crate::secp::curve::{GX, GY};
use crate::secp::digits::signed_digits;
use crate::secp::glv;
use crate::secp::order::{Order, Parsed};
use vigil_crypto::SecretKey;

fn check_recovery(items: &[(Signed, u32)], start: &SecretKey, inverters: u32) {
    let rows: Vec<_> = items.iter().map(|(signed, _)| row(signed)).collect();
    on_all(|card, arithmetic| {
        let mut bench = Bench::new(card, start);
        let full = bench.secp(Question::WhoSigned, &rows, &[], inverters);
        let short = bench.secp(Question::SignerAddress, &rows, &[], inverters);
        for (i, (signed, code)) in items.iter().enumerate() {
            let mut want = vec![*code];
            match oracle::recover(signed) {
                Ok(signer) if *code == GOOD => {
                    want.extend(packed(&signer.address.0[..]).into_iter().chain(packed(&signer.key.0)));
                }
                answer => {
                    assert!(*code == UNKNOWN || answer.is_err(), "item {i} is good");
                    want.resize(22, 0);
                }
            }
            assert_eq!(full[i], want, "item {i}, {signed:?}, {arithmetic:?}");
            assert_eq!(short[i], want[..6], "item {i}, {signed:?}, {arithmetic:?}");
        }
    });
}

fn check_claims(question: Question, claims: &[(Claim, u32)], start: &SecretKey, inverters: u32) {
    let mut keys: Vec<PublicKey> = vec![];
    let mut rows = vec![];
    for (claim, _) in claims {
        rows.push(if question == Question::DidTable {
            let table = keys.iter().position(|key| *key == claim.key).unwrap_or_else(|| {
                keys.push(claim.key);
                keys.len() - 1
            });
            let mut row = row(&claim.signed);
            row.push(table as u32);
            row
        } else {
            claim_row(claim)
        });
    }
    let tables = tables_of(&keys);
    on_all(|card, arithmetic| {
        let mut bench = Bench::new(card, start);
        for (i, answer) in bench.secp(question, &rows, &tables, inverters).into_iter().enumerate() {
            let (claim, code) = &claims[i];
            assert_eq!(answer[0], *code, "claim {i}, {claim:?}, {arithmetic:?}");
            match *code {
                GOOD => assert_eq!(
                    answer[1..],
                    row(&claim.signed)[15..16].iter().map(|word| word.swap_bytes()).collect::<Vec<_>>()
                ),
                WRONG_KEY => {}
                _ => assert_eq!(answer[1], 0),
            }
        }
    });
}

#[test]
fn signers_are_right() {
    let items = recoveries();
    check_recovery(&items, &key(100), 7);
    check_recovery(&items[..1], &key(101), 1);
    check_recovery(&items[items.len() - 60..], &key(102), 1000);
}

#[test]
fn verdicts_are_right() {
    let claims = claims();
    for (question, inverters) in [(Question::DidThisKey, 64), (Question::DidTable, 5)] {
        check_claims(question, &claims, &key(103), inverters);
    }
}

#[test]
fn keys_off_the_curve_are_refused() {
    let claims: Vec<_> = off_curve().into_iter().map(|claim| (claim, MALFORMED)).collect();
    check_claims(Question::DidThisKey, &claims, &key(104), 2);
}

#[test]
fn tables_that_are_not_there_are_not_known() {
    let claim = honest(0, [3; 32]);
    let rows: Vec<_> =
        [0u32, 1, 2, 65_536, u32::MAX].iter().map(|table| [row(&claim.signed), vec![*table]].concat()).collect();
    let tables = tables_of(&[claim.key, key(1).public_key()]);
    on_all(|card, arithmetic| {
        let answers = Bench::new(card, &key(105)).secp(Question::DidTable, &rows, &tables, 1);
        let codes: Vec<_> = answers.iter().map(|answer| answer[0]).collect();
        assert_eq!(codes, [GOOD, WRONG_KEY, UNKNOWN, UNKNOWN, UNKNOWN], "{arithmetic:?}");
    });
}

/// Starts that the walk of u2 times the point with this logarithm meets in its first addition: the point that it adds and
/// the opposite one. `None` if that addition is of the second half, or a half is negative.
fn starts_met(u2: Order, log: Order) -> Option<[SecretKey; 2]> {
    let [half, other] = glv::split(u2);
    if half.negative || other.negative {
        return None;
    }
    let (mut digits, mut others) = ([0; 33], [0; 33]);
    signed_digits::<4, 33, 2>(half.magnitude, |window, digit| digits[window] = digit);
    signed_digits::<4, 33, 2>(other.magnitude, |window, digit| others[window] = digit);
    let window = (0..33).rev().find(|window| digits[*window] != 0 || others[*window] != 0)?;
    let digit = number(digits[window].unsigned_abs().into());
    let doublings = (0..4 * (32 - window)).fold(number(1), |product, _| product.add(product));
    let start = (digits[window] != 0).then(|| digit.mul(log).mul(doublings.invert()))?;
    Some([secret(start), secret(start.neg())])
}

#[test]
fn walks_that_meet_their_start_are_not_known() {
    let honest = honest_claims();
    let (place, starts) = (0..honest.len())
        .find_map(|i| {
            let parsed = Parsed::new(&honest[i].signed.signature).expect("of good form");
            let log = Order::from_be(&key(i % 7).to_bytes()).expect("below n");
            Some((i, starts_met(parsed.r.mul(parsed.s.invert()), log)?))
        })
        .expect("a walk that begins in the first half");
    let claims: Vec<_> = (0..place + 3).map(|i| (honest[i], if i == place { UNKNOWN } else { GOOD })).collect();
    for start in &starts {
        check_claims(Question::DidThisKey, &claims, start, 9);
    }
}

#[test]
fn sums_of_tables_that_meet_their_start_are_not_known() {
    let honest = &honest_claims()[..30];
    // What the first window adds: a multiple of the key, or its opposite.
    let lowest = |claim: &Claim| {
        let parsed = Parsed::new(&claim.signed.signature).expect("of good form");
        let mut lowest = 0;
        signed_digits::<8, 32, 4>(parsed.r.mul(parsed.s.invert()).halved().1, |window, digit| {
            if window == 0 {
                lowest = digit.unsigned_abs();
            }
        });
        (claim.key, lowest)
    };
    let place = 11;
    let met = lowest(&honest[place]);
    assert_ne!(met.1, 0, "another claim is needed");
    let log = Order::from_be(&key(place % 7).to_bytes()).expect("below n");
    let start = log.mul(number(met.1.into()));
    let code = |claim: &Claim| if lowest(claim) == met { UNKNOWN } else { GOOD };
    let claims: Vec<_> = honest.iter().map(|claim| (*claim, code(claim))).collect();
    for start in [start, start.neg()] {
        check_claims(Question::DidTable, &claims, &secret(start), 9);
    }
}

/// Sums that an error of the card made: no inputs lead to them, so they are put into the state.
#[test]
fn sums_off_the_curve_are_not_known() {
    let one = [1, 0, 0, 0];
    let shifted = [GY[0] + 1, GY[1], GY[2], GY[3]];
    let sums = [(GX, GY, GOOD), (GX, shifted, GOOD), (one, GY, GOOD), (GX, GY, MALFORMED), (GX, GY, UNKNOWN)];
    let codes = [GOOD, UNKNOWN, UNKNOWN, MALFORMED, UNKNOWN];
    let asked = [GX[0] as u32; 25];
    let items = [asked; 5].concat();
    // Columns: x, y, 1 / z, code.
    let rows = sums.map(|(x, y, code)| [x, y, one].iter().flat_map(|n| halves(n)).chain([code]).collect::<Vec<_>>());
    let state: Vec<u32> = (0..25).flat_map(|column| rows.iter().map(move |row| row[column])).collect();
    let g = secret(number(1)).public_key();
    on_all(|card, arithmetic| {
        let mut bench = Bench::new(card, &key(106));
        let (items, state) = (bench.room(&items), bench.room(&state));
        let mut params = [0; PARAMS];
        params[..4].copy_from_slice(&[5, 5, 0, 25]);
        [params[14], params[15]] = SEEDS;
        for (kernel, width) in [(Kernel::RecoverFinish, 24), (Kernel::SignerFinish, 8), (Kernel::KnownFinish, 4)] {
            let answers = bench.room(&vec![0; 5 * width]);
            bench.launch(kernel, 5, &[&items, &state, &answers], params);
            for (i, row) in bench.read(&answers).chunks(width).enumerate() {
                let answer = untagged(i as u32, &asked, row);
                match (kernel, codes[i]) {
                    (Kernel::KnownFinish, GOOD) => assert_eq!(answer, [WRONG_KEY, GX[0] as u32], "{arithmetic:?}"),
                    (_, GOOD) => assert_eq!(answer[..2], [GOOD, packed(&g.address().0[..4])[0]], "{arithmetic:?}"),
                    (_, code) => {
                        assert_eq!(answer[0], code, "{kernel:?} of {i}, {arithmetic:?}");
                        assert!(answer[1..].iter().all(|word| *word == 0), "{kernel:?} of {i}, {arithmetic:?}");
                    }
                }
            }
        }
    });
}
