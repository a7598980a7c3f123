use crate::safegcd::Modulus;
use crate::secp::order::{N, Order, Parsed, batch_invert};
use crate::testing::{big, edges, numbers, power, random, rng, words};
use crate::words::to_be;
use num_bigint::BigUint;
use vigil_primitives::Hash;

fn n() -> BigUint {
    big(&N)
}

fn orders(seed: u64, more: usize) -> Vec<Order> {
    numbers(N, seed, more).into_iter().map(Order::reduce).collect()
}

#[test]
fn reads_what_is_below_n() {
    for value in numbers(N, 1, 1000) {
        let bytes = to_be(value);
        let below = big(&value) < n();
        assert_eq!(Order::from_be(&bytes).map(Order::words), below.then_some(value), "{value:x?}");
        let reduced = words(&(big(&value) % n()));
        assert_eq!(Order::from_digest(&Hash::new(bytes)).words(), reduced, "{value:x?}");
        assert_eq!(Order::reduce(value).words(), reduced, "{value:x?}");
    }
}

#[test]
fn arithmetic() {
    let numbers = orders(2, 40);
    for a in &numbers {
        let big_a = big(&a.words());
        assert_eq!(a.is_zero(), big_a == BigUint::ZERO);
        assert_eq!(a.is_high(), &big_a * 2u8 > n(), "{a:x?}");
        assert_eq!(a.neg().words(), words(&((n() - &big_a) % n())), "-{a:x?}");
        let (negative, half) = a.halved();
        assert_eq!(negative, a.is_high());
        assert_eq!(Order::reduce(half), if negative { a.neg() } else { *a });
        for b in &numbers {
            let big_b = big(&b.words());
            assert_eq!(a.mul(*b).words(), words(&(&big_a * &big_b % n())), "{a:x?} * {b:x?}");
            assert_eq!(a.add(*b).words(), words(&((&big_a + &big_b) % n())), "{a:x?} + {b:x?}");
        }
    }
}

#[test]
fn products_of_random_numbers() {
    let mut rng = rng(3);
    for _ in 0..20_000 {
        let (a, b) = (Order::reduce(random(&mut rng)), Order::reduce(random(&mut rng)));
        assert_eq!(a.mul(b).words(), words(&(big(&a.words()) * big(&b.words()) % n())), "{a:x?} * {b:x?}");
    }
}

/// Random products reach the last fold once in 2^125: factors are made whose product lies right at its edges.
#[test]
fn products_at_the_last_fold() {
    let mut rng = rng(4);
    let end = power(256);
    for edge in [n(), end.clone(), &end * 2u8, &end * 3u8, &end * &end, &n() * &n()] {
        for _ in 0..500 {
            let a = big(&random(&mut rng)) % n();
            for b in [&edge / &a, &edge / &a + 1u8, (&end * &edge) / &a] {
                let b = b % n();
                let product = Order::reduce(words(&a)).mul(Order::reduce(words(&b)));
                assert_eq!(product.words(), words(&(&a * &b % n())), "{a:x} * {b:x}");
            }
        }
    }
}

#[test]
fn inverses() {
    assert_eq!(Order::ZERO.invert(), Order::ZERO);
    for a in orders(5, 2000).into_iter().filter(|a| !a.is_zero()) {
        assert_eq!(a.mul(a.invert()), Order::ONE, "{a:x?}");
    }
}

#[test]
fn inverses_of_another_modulus() {
    let p = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];
    let modulus = Modulus::new(p);
    for a in numbers(p, 6, 1000) {
        let a = words(&(big(&a) % big(&p)));
        let product = big(&a) * big(&modulus.invert(a)) % big(&p);
        assert_eq!(product, BigUint::from(u8::from(a != [0; 4])), "{a:x?}");
    }
}

#[test]
fn inverses_in_batches() {
    let numbers: Vec<_> = orders(7, 0).into_iter().filter(|a| !a.is_zero()).collect();
    for length in (0..18).chain([numbers.len()]) {
        let mut inverses = numbers[..length].to_vec();
        batch_invert(&mut inverses);
        for (a, inverse) in numbers.iter().zip(&inverses) {
            assert_eq!(*inverse, a.invert(), "{a:x?} among {length}");
        }
    }
}

/// Every pair of edges as r and s, with good and bad v, has the verdict of `vigil-crypto`, reason included.
#[test]
fn parses_as_the_oracle() {
    let digest = Hash::new([1; 32]);
    let edges = edges(N);
    for r in &edges {
        for (i, s) in edges.iter().enumerate() {
            let mut signature = [0; 65];
            signature[..32].copy_from_slice(&to_be(*r));
            signature[32..64].copy_from_slice(&to_be(*s));
            signature[64] = [0, 1, 1, 2, 27, 255][i % 6];
            let judged = vigil_crypto::recover_key(&digest, &signature).map(|_| ());
            match Parsed::new(&signature) {
                Ok(parsed) => {
                    let no_key = judged == Err(vigil_crypto::SignatureError::NoKey);
                    assert!(judged.is_ok() || no_key, "{signature:x?}: {judged:?}");
                    assert_eq!((parsed.r.words(), parsed.s.words(), parsed.odd), (*r, *s, signature[64] == 1));
                }
                Err(reason) => assert_eq!(Err(reason), judged, "{signature:x?}"),
            }
        }
    }
}
