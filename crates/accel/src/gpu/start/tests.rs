use super::*;
use crate::backends::portable::Portable;
use crate::secp::order::N;
use crate::testing::{big, power};
use num_bigint::BigUint;

fn number(words: &[u32]) -> BigUint {
    BigUint::from_slice(words)
}

#[test]
fn a_start_is_its_point_and_what_takes_it_out_of_sums() {
    for log in [1u8, 2, 77] {
        let mut bytes = [0; 32];
        bytes[31] = log;
        bytes[0] = log / 2;
        let key = SecretKey::from_bytes(&bytes).expect("a key");
        let words = Start::of(&key).words;
        let point = key.public_key().to_words();
        assert_eq!(number(&words[..8]), big(&point[..4]));
        assert_eq!(number(&words[8..16]), big(&point[4..]));
        let log = BigUint::from_bytes_be(&bytes);
        assert_eq!((number(&words[16..24]) + (&log << 128)) % big(&N), BigUint::ZERO);
        assert_eq!((number(&words[24..]) + &log) % big(&N), BigUint::ZERO);
        assert!(number(&words[16..24]) < big(&N) && number(&words[24..]) < power(256));
    }
    assert_ne!(Start::random(), Start::random());
}

#[test]
fn the_table_of_g_holds_multiples_of_g() {
    let generator = Generator::starting_at(Portable, &SecretKey::generate());
    let words = table_of_g(&generator);
    assert_eq!(words.len(), 20 * 4096 * 16);
    for (window, i) in [(0, 1), (0, 2), (0, 4096), (7, 3), (19, 1), (19, 255)] {
        let times: BigUint = BigUint::from(i as u32) << (13 * window);
        let mut bytes = [0; 32];
        let times = times.to_bytes_be();
        bytes[32 - times.len()..].copy_from_slice(&times);
        let point = SecretKey::from_bytes(&bytes).expect("a key").public_key().to_words();
        let entry = &words[16 * (window * 4096 + i - 1)..][..16];
        assert_eq!(number(entry), big(&point), "window {window}, {i}");
    }
}
