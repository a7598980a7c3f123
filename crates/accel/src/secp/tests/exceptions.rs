//! Additions of equal and opposite points. A stranger cannot bring them about, because sums begin at a secret point; here
//! the point is chosen so that they happen.

use crate::backends::portable::Portable;
use crate::field::{Field, Packed};
use crate::ops::{Claim, Signed};
use crate::oracle;
use crate::secp::digits::signed_digits;
use crate::secp::few::FewSums;
use crate::secp::generator::Generator;
use crate::secp::machine::Machine;
use crate::secp::order::{Order, Parsed};
use crate::secp::sums::{Accumulator, Addend, Source, Sums};
use crate::secp::{glv, hot, recover};
use vigil_crypto::{SecretKey, keccak256};

/// Runs a test with every token of this machine.
macro_rules! on_all {
    ($test:ident) => {
        #[test]
        fn $test() {
            super::$test(crate::backends::portable::Portable);
            #[cfg(target_arch = "x86_64")]
            {
                crate::backends::avx2::Avx2::detect().into_iter().for_each(super::$test);
                crate::backends::avx512ifma::Avx512Ifma::detect().into_iter().for_each(super::$test);
            }
        }
    };
}

mod on_all {
    on_all!(lost_lanes_do_not_spoil_others);
    on_all!(recovers_where_the_walk_meets_its_start);
    on_all!(verifies_where_the_sum_meets_its_start);
}

/// `k` times G.
fn times_g(k: u8) -> Packed {
    let mut bytes = [0; 32];
    bytes[31] = k;
    Packed(SecretKey::from_bytes(&bytes).expect("a key").public_key().to_words())
}

/// The point 5 G in some lanes, 1 G, 2 G, .. 9 G in turn in the others; taken away in odd lanes.
struct Mixed(Vec<Packed>, Packed);

impl Mixed {
    fn is_five(place: usize) -> bool {
        place % 7 == 3
    }

    fn factor(place: usize) -> i32 {
        let factor = if Self::is_five(place) { 5 } else { [1, 2, 3, 4, 6, 7, 8, 9][place % 8] };
        if place % 2 == 1 { -factor } else { factor }
    }
}

impl<F: Field> Source<F> for Mixed {
    fn addend(&self, group: usize) -> Addend<F> {
        let (x, y) = F::load_points(|lane| &self.0[Self::factor(group * F::LANES + lane).unsigned_abs() as usize - 1]);
        let negative = (0..F::LANES).fold(0, |mask, lane| mask | ((group * F::LANES + lane) as u64 % 2) << lane);
        Addend { x, y, negative, skip: 0 }
    }

    fn prefetch(&self, _group: usize) {}
}

fn lost_lanes_do_not_spoil_others<M: Machine>(machine: M) {
    lose::<M, Sums<M>>(machine);
    lose::<M, FewSums<M>>(machine);
}

fn lose<M: Machine, A: Accumulator<M>>(machine: M) {
    let groups = 5;
    let source = Mixed((1..=9).map(times_g).collect(), times_g(5));
    // 5 G + k G, with k = 5 and -5 in the lanes to be lost; then everything is doubled.
    let mut sums = A::new(machine, &source.1, groups);
    sums.add(&source);
    sums.double();
    let sums = sums.finish();
    for place in 0..groups * M::Fe::LANES {
        let is_lost = sums.is_lost(place, M::Fe::LANES);
        assert_eq!(is_lost, Mixed::is_five(place), "place {place}");
        if !is_lost {
            let want = times_g((2 * (5 + Mixed::factor(place))).unsigned_abs() as u8);
            assert_eq!(sums.points[place].0[..4], want.0[..4], "x at {place}");
        }
    }
}

/// A generator whose sums begin at `k` times G.
fn starting_at(machine: impl Machine, k: Order) -> Generator {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(k.words().iter().rev()) {
        bytes.copy_from_slice(&word.to_be_bytes());
    }
    Generator::starting_at(machine, &SecretKey::from_bytes(&bytes).expect("not 0"))
}

fn number(n: u64) -> Order {
    Order::reduce([n, 0, 0, 0])
}

/// Signatures with known nonce k, so that R = k G.
fn signed_with_nonce(k: u64, count: usize) -> Vec<Signed> {
    let nonce = SecretKey::from_bytes(&crate::words::to_be([k, 0, 0, 0])).expect("a key").public_key().to_words();
    let (r, odd) = (Order::reduce([nonce[0], nonce[1], nonce[2], nonce[3]]), nonce[4] & 1 == 1);
    let sign = |i: usize| {
        let digest = keccak256(i.to_be_bytes());
        let key = number(1000 + i as u64);
        let s = Order::from_digest(&digest).add(r.mul(key)).mul(number(k).invert());
        let (negated, s) = s.halved();
        let mut signature = [0; 65];
        signature[..32].copy_from_slice(&crate::words::to_be(r.words()));
        signature[32..64].copy_from_slice(&crate::words::to_be(s));
        signature[64] = u8::from(odd ^ negated);
        Signed { digest, signature }
    };
    (0..count).map(sign).collect()
}

/// The first digit that is not 0 of the first half of s/r: what the walk adds first.
fn first_digit(item: &Signed) -> Option<i32> {
    let parsed = Parsed::new(&item.signature).expect("of good form");
    let half = glv::split(parsed.s.mul(parsed.r.invert()))[0];
    let mut last = 0;
    signed_digits::<5, 26, 2>(half.magnitude, |window, digit| {
        if window == 25 {
            last = if half.negative { -digit } else { digit };
        }
    });
    (last != 0).then_some(last)
}

fn recovers_where_the_walk_meets_its_start<M: Machine>(machine: M) {
    let k = 77;
    let items = signed_with_nonce(k, 800);
    let want: Vec<_> = items.iter().map(oracle::recover).collect();
    assert!(want.iter().all(Result::is_ok));
    let digits: Vec<_> = items.iter().map(first_digit).collect();
    let hit = digits.iter().flatten().next().copied().expect("some digit is not 0");
    // The point R itself stands for v = 0 or 1, so that the digit's multiple may be of k or of -k.
    for start in
        [number(k).mul(number(hit.unsigned_abs().into())), number(k).mul(number(hit.unsigned_abs().into())).neg()]
    {
        let generator = starting_at(machine, start);
        for items_of in [&items[..100], &items[..]] {
            assert_eq!(recover::recover(machine, &generator, items_of), want[..items_of.len()], "start {start:?}");
        }
    }
}

fn verifies_where_the_sum_meets_its_start<M: Machine>(machine: M) {
    // The first addend is the multiple of G that the lowest digit of z/s - start picks: look for starts that it equals.
    let items = signed_with_nonce(78, 12);
    let claim = |item: &Signed| Claim { signed: *item, key: oracle::recover(item).expect("a signer").key };
    let claims: Vec<_> = items.iter().map(claim).collect();
    let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
    let combs: Vec<_> = hot::build_combs(Portable, &keys).into_iter().map(|comb| comb.expect("a point")).collect();
    let combs: Vec<_> = combs.iter().collect();
    let mut met = 0;
    for item in &items[..4] {
        let parsed = Parsed::new(&item.signature).expect("of good form");
        let whole = Order::from_digest(&item.digest).mul(parsed.s.invert());
        for start in 1..=4096 {
            let digit = lowest_digit(whole.add(number(start as u64).neg()));
            if digit == start {
                let generator = starting_at(machine, number(start as u64));
                assert_eq!(hot::verify_hot(machine, &generator, &claims, &combs), [Ok(()); 12], "start {start}");
                met += 1;
            }
        }
    }
    assert!(met > 0);
}

fn lowest_digit(factor: Order) -> i64 {
    let (negative, magnitude) = factor.halved();
    let mut lowest = 0;
    signed_digits::<13, 20, 4>(magnitude, |window, digit| {
        if window == 0 {
            lowest = i64::from(if negative { -digit } else { digit });
        }
    });
    lowest
}
