//! Additions of equal and opposite points. Strangers cannot bring them about but by sums that are the point at infinity,
//! because sums begin at a secret point; here the point is chosen so that they happen.

use crate::backends::portable::Portable;
use crate::field::{Field, Packed};
use crate::ops::{Claim, SignatureError, Signed};
use crate::oracle;
use crate::secp::digits::signed_digits;
use crate::secp::few::FewSums;
use crate::secp::generator::Generator;
use crate::secp::machine::Machine;
use crate::secp::order::{Order, Parsed};
use crate::secp::sums::{Accumulator, Addend, End, Source, Sums};
use crate::secp::{glv, hot, recover};
use vigil_crypto::{SecretKey, keccak256};
use vigil_primitives::Hash;

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
    on_all!(chosen_sums_are_not_lost);
}

/// `k` times G.
fn times_g(k: u8) -> Packed {
    Packed(secret(number(k.into())).public_key().to_words())
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
    let groups = 9;
    let source = Mixed((1..=9).map(times_g).collect(), times_g(5));
    for more in [false, true] {
        // 5 G + k G, with k = 5 and -5 in some lanes; then everything is doubled; then to some, 40 G is added.
        let mut sums = A::new(machine, &source.1, groups);
        sums.add(&source);
        sums.double();
        if more {
            sums.add(&Forty(times_g(40)));
        }
        let sums = sums.finish();
        for place in 0..groups * M::Fe::LANES {
            let added = more && Forty::is_added(place);
            let want = match Mixed::factor(place) {
                5 => End::Lost,
                -5 if added => End::Lost,
                -5 => End::Infinity,
                _ => End::Point,
            };
            assert_eq!(sums.end(place, M::Fe::LANES), want, "place {place}");
            if want == End::Point {
                let want = times_g((2 * (5 + Mixed::factor(place)) + if added { 40 } else { 0 }).unsigned_abs() as u8);
                assert_eq!(sums.points[place].0[..4], want.0[..4], "x at {place}");
            }
        }
    }
}

/// 40 G, to two of three lanes.
struct Forty(Packed);

impl Forty {
    fn is_added(place: usize) -> bool {
        !place.is_multiple_of(3)
    }
}

impl<F: Field> Source<F> for Forty {
    fn addend(&self, group: usize) -> Addend<F> {
        let (x, y) = F::load_points(|_| &self.0);
        let skip =
            (0..F::LANES).fold(0, |mask, lane| mask | u64::from(!Self::is_added(group * F::LANES + lane)) << lane);
        Addend { x, y, negative: 0, skip }
    }

    fn prefetch(&self, _group: usize) {}
}

/// A generator whose sums begin at `k` times G.
fn starting_at(machine: impl Machine, k: Order) -> Generator {
    Generator::starting_at(machine, &secret(k))
}

fn number(n: u64) -> Order {
    Order::reduce([n, 0, 0, 0])
}

/// The secret key of an item.
fn key_of(i: usize) -> Order {
    number(1000 + i as u64)
}

fn secret(key: Order) -> SecretKey {
    SecretKey::from_bytes(&crate::words::to_be(key.words())).expect("not 0")
}

/// The claim with these r, s and parity of R; a high s is negated, and the parity with it.
fn claim_of(digest: Hash, r: Order, s: Order, odd: bool, key: Order) -> Claim {
    let (negated, s) = s.halved();
    let mut signature = [0; 65];
    signature[..32].copy_from_slice(&crate::words::to_be(r.words()));
    signature[32..64].copy_from_slice(&crate::words::to_be(s));
    signature[64] = u8::from(odd ^ negated);
    Claim { signed: Signed { digest, signature }, key: secret(key).public_key() }
}

/// Signatures with known nonce k, so that R = k G.
fn signed_with_nonce(k: u64, count: usize) -> Vec<Signed> {
    let nonce = secret(number(k)).public_key().to_words();
    let (r, odd) = (Order::reduce([nonce[0], nonce[1], nonce[2], nonce[3]]), nonce[4] & 1 == 1);
    let sign = |i: usize| {
        let digest = keccak256(i.to_be_bytes());
        let s = Order::from_digest(&digest).add(r.mul(key_of(i))).mul(number(k).invert());
        claim_of(digest, r, s, odd, key_of(i)).signed
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
    let items = signed_with_nonce(78, 12);
    let claim = |item: &Signed| Claim { signed: *item, key: oracle::recover(item).expect("a signer").key };
    let mut claims: Vec<_> = items.iter().map(claim).collect();
    claims[11].signed.digest.0[7] ^= 1;
    let want: Vec<_> = claims.iter().map(oracle::verify).collect();
    assert_eq!(want.iter().filter(|verdict| verdict.is_ok()).count(), 11);
    let keys: Vec<_> = claims.iter().map(|claim| claim.key).collect();
    let combs: Vec<_> = hot::build_combs(Portable, &keys).into_iter().map(|comb| comb.expect("a point")).collect();
    for (place, item) in items.iter().enumerate() {
        // The first addend is the multiple of the key that the lowest digit of r/s picks: a start that it equals, and one
        // that is opposite.
        let parsed = Parsed::new(&item.signature).expect("of good form");
        let digit = lowest_digit(parsed.r.mul(parsed.s.invert()));
        assert_ne!(digit, 0, "another nonce is needed");
        let start = key_of(place).mul(number(digit.unsigned_abs()));
        for start in [start, start.neg()] {
            let generator = starting_at(machine, start);
            for times in [1, 60] {
                let (claims, combs) = (claims.repeat(times), combs.iter().collect::<Vec<_>>().repeat(times));
                let got = hot::verify_hot(machine, &generator, &claims, &combs);
                assert_eq!(got, want.repeat(times), "claim {place}, start {start:?}");
            }
        }
    }
}

fn lowest_digit(factor: Order) -> i64 {
    let (negative, magnitude) = factor.halved();
    let mut lowest = 0;
    signed_digits::<8, 32, 4>(magnitude, |window, digit| {
        if window == 0 {
            lowest = i64::from(if negative { -digit } else { digit });
        }
    });
    lowest
}

/// Claims of which whoever makes them has chosen the scalars: u1 G + u2 Q is the point at infinity, or meets an equal or an
/// opposite point on the way if that does not begin at a point that nobody knows.
fn chosen(count: usize) -> Vec<Claim> {
    let claim = |i: usize| {
        let (key, u2) = (key_of(i % 5), number([5, 1 << 20, 3 << 40][i % 3]));
        let u1 = if i.is_multiple_of(2) { u2.mul(key) } else { u2.mul(key).neg() };
        // They follow from any digest: r need not be of a point.
        let digest = keccak256(i.to_be_bytes());
        let s = Order::from_digest(&digest).mul(u1.invert());
        claim_of(digest, u2.mul(s), s, false, key)
    };
    (0..count).map(claim).collect()
}

/// Signatures with known nonce that recover the point at infinity.
fn of_nobody(count: usize) -> Vec<Signed> {
    let nonce = number(79);
    let point = secret(nonce).public_key().to_words();
    let (r, odd) = (Order::reduce([point[0], point[1], point[2], point[3]]), point[4] & 1 == 1);
    let signed = |i: usize| {
        let digest = keccak256(i.to_be_bytes());
        claim_of(digest, r, Order::from_digest(&digest).mul(nonce.invert()), odd, number(1)).signed
    };
    (0..count).map(signed).collect()
}

/// What strangers can choose is not done again by the oracle, which takes ten times as long.
fn chosen_sums_are_not_lost<M: Machine>(machine: M) {
    let generator = starting_at(machine, Order::from_digest(&keccak256("looks random")));
    let keys: Vec<_> = (0..5).map(|i| secret(key_of(i)).public_key()).collect();
    let combs: Vec<_> = hot::build_combs(machine, &keys).into_iter().map(|comb| comb.expect("a point")).collect();
    let lanes = M::Fe::LANES;
    for count in [20, 700] {
        let claims = chosen(count);
        let combs: Vec<_> = (0..count).map(|i| &combs[i % 5]).collect();
        let (_, sums) = hot::sums(machine, &generator, &claims, &combs);
        for i in 0..count {
            assert_eq!(sums.end(i, lanes), if i % 2 == 0 { End::Point } else { End::Infinity }, "claim {i} of {count}");
        }
        let want: Vec<_> = claims.iter().map(oracle::verify).collect();
        assert_eq!(hot::verify_hot(machine, &generator, &claims, &combs), want);

        let items = of_nobody(count);
        let keys = recover::keys(machine, &generator, &items);
        for i in 0..count {
            assert_eq!(keys.sums.end(i, lanes), End::Infinity, "item {i} of {count}");
        }
        assert_eq!(recover::recover(machine, &generator, &items), vec![Err(SignatureError::NoKey); count]);
        assert!(items.iter().all(|item| oracle::recover(item) == Err(SignatureError::NoKey)));
    }
}
