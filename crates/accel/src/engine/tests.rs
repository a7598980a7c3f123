//! The engine gives the oracle's answers, whatever its backends, threads and callers do.

use super::*;
use crate::backend::BackendName;
use crate::comb::Comb;
use crate::ops::PublicKey;
use crate::oracle;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use vigil_crypto::{Scalar, SecretKey};
use vigil_testkit::signatures;

#[cfg(all(feature = "host-twin", target_arch = "x86_64"))]
mod cards;
mod checkpoint;
mod faults;

const SEED: u64 = 0x0e61_4e00;

fn dice() -> ChaCha8Rng {
    eprintln!("seed {SEED:#x}");
    ChaCha8Rng::seed_from_u64(SEED)
}

fn keys(dice: &mut ChaCha8Rng, count: usize) -> Vec<SecretKey> {
    (0..count).map(|_| SecretKey::from_bytes(&dice.random()).expect("a number below the order")).collect()
}

/// Claims of a few keys; every fifth is bad in some way.
fn claims(dice: &mut ChaCha8Rng, count: usize) -> Vec<Claim> {
    let keys = keys(dice, 7);
    let claim = |at: usize| {
        let key = &keys[dice.random_range(0..keys.len())];
        let digest = Hash::from(dice.random::<[u8; 32]>());
        let mut signature = *key.sign(&digest).as_array().expect("65 bytes");
        let mut claimed = key.public_key();
        match (at % 5, at / 5 % 5) {
            (0, 0) => signature[dice.random_range(0..64)] ^= 1,
            (0, 1) => signature[64] = 2,
            (0, 2) => signature[..32].fill(0),
            (0, 3) => claimed = keys[0].public_key(),
            (0, 4) => claimed.0[5] ^= 1,
            _ => {}
        }
        Claim { signed: Signed { digest, signature }, key: claimed }
    };
    (0..count).map(claim).collect()
}

fn checks(claims: &[Claim]) -> Vec<Check> {
    let check = |c: &Claim| Check { digest: c.signed.digest, signature: c.signed.signature, signer: c.key.address() };
    claims.iter().map(check).collect()
}

/// Of as many accounts; every seventh is another's.
fn signed_messages<'a>(dice: &mut ChaCha8Rng, messages: &[&'a [u8]]) -> Vec<SignedMessage<'a>> {
    let keys = keys(dice, messages.len());
    let sign = |(at, message): (usize, &&'a [u8])| {
        let signature = *keys[at].sign(&oracle::digest(message)).as_array().expect("65 bytes");
        let signer = keys[if at % 7 == 0 { (at + 1) % keys.len() } else { at }].address();
        SignedMessage { message, signature, signer }
    };
    messages.iter().enumerate().map(sign).collect()
}

fn engine(threads: usize, backends: Vec<&'static dyn Backend>) -> Engine {
    Engine::start(EngineConfig { threads, backends, ..EngineConfig::default() }).expect("threads")
}

#[test]
fn answers_are_the_oracles() {
    let mut dice = dice();
    let claims = claims(&mut dice, 700);
    let signed: Vec<Signed> = claims.iter().map(|c| c.signed).collect();
    let messages: Vec<Vec<u8>> = (0..3_000).map(|n| vec![n as u8; n % 300]).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let recovered: Vec<Recovered> = signed.iter().map(oracle::recover).collect();
    let verdicts: Vec<Verdict> = claims.iter().map(oracle::verify).collect();
    let good = Scalar.check_digests(&checks(&claims));
    assert!(good.contains(&true) && good.contains(&false));
    for threads in [1, 3] {
        let engine = engine(threads, detect());
        for round in 0..4 {
            assert_eq!(engine.recover(&signed), recovered, "{threads} threads, round {round}");
            assert_eq!(engine.verify_known(&claims), verdicts, "{threads} threads, round {round}");
            assert_eq!(engine.verify_signers(&checks(&claims)), good, "{threads} threads, round {round}");
            assert_eq!(engine.verify_signers_once(&checks(&claims)), good, "{threads} threads, round {round}");
        }
        assert_eq!(engine.keccak256(&messages), Scalar.keccak256(&messages));
        assert_eq!(engine.verify_messages(&[]), [false; 0]);
    }
}

/// Also where neighbours share their message.
#[test]
fn messages_are_hashed_and_checked() {
    let texts: Vec<Vec<u8>> = (0..200).map(|n| vec![n as u8; 3 * n]).collect();
    let messages: Vec<&[u8]> =
        texts.iter().enumerate().flat_map(|(n, text)| vec![text.as_slice(); 1 + n % 4]).collect();
    let items = signed_messages(&mut dice(), &messages);
    let right = Scalar.check(&items);
    let one_by_one: Vec<bool> = items.iter().flat_map(|item| Scalar.check(std::slice::from_ref(item))).collect();
    assert!(right == one_by_one && right.contains(&true) && right.contains(&false));
    for threads in [1, 3] {
        let engine = engine(threads, detect());
        (0..4).for_each(|round| assert_eq!(engine.verify_messages(&items), right, "{threads} threads, round {round}"));
    }
}

/// What ethers.js signed and what was broken since, in any order and in lots of any size.
#[test]
fn senders_of_messages_are_found() {
    let dice = &mut dice();
    let mut signed: Vec<(Vec<u8>, [u8; 65])> =
        signatures::ethers_signed().into_iter().map(|case| (case.unsigned, case.signature)).collect();
    let key = &keys(dice, 1)[0];
    signed.extend((0..400).map(|n| {
        let text = vec![n as u8; n];
        let signature = *key.sign(&oracle::digest(&text)).as_array().expect("65 bytes");
        (text, signature)
    }));
    for (at, (_, signature)) in signed.iter_mut().enumerate() {
        match at % 25 {
            0 => signature[64] = 2,
            1 => signature[..32].fill(0),
            2 => signature[32..64].fill(0xff),
            3 => signature[64] ^= 1,
            _ => {}
        }
    }
    let items: Vec<MessageSignature<'_>> =
        signed.iter().map(|(message, signature)| MessageSignature { message, signature: *signature }).collect();
    let right = Scalar.recover(&items);
    assert!(right.contains(&None) && right.iter().flatten().count() > 300);
    for (threads, backends) in [(1, detect()), (3, detect()), (2, Vec::new())] {
        let engine = engine(threads, backends);
        let mut order: Vec<usize> = (0..items.len()).collect();
        for _ in 0..2 {
            order.shuffle(dice);
            let mut rest = order.as_slice();
            while !rest.is_empty() {
                let (lot, others) = rest.split_at(dice.random_range(1..=4_096).min(rest.len()));
                let asked: Vec<MessageSignature<'_>> = lot.iter().map(|at| items[*at]).collect();
                let wanted: Vec<Option<Address>> = lot.iter().map(|at| right[*at]).collect();
                assert_eq!(SignatureChecker::recover(&engine, &asked), wanted, "{} on {threads} threads", lot.len());
                rest = others;
            }
        }
        assert!(engine.recover_messages(&[]).is_empty());
    }
}

#[test]
fn few_items_and_none() {
    let mut dice = dice();
    let claims = claims(&mut dice, 12);
    let engine = Engine::small();
    for count in 0..claims.len() {
        let claims = &claims[..count];
        let good = Scalar.check_digests(&checks(claims));
        assert_eq!(engine.verify_known(claims), claims.iter().map(oracle::verify).collect::<Vec<_>>());
        assert_eq!(engine.verify_signers(&checks(claims)), good);
        assert_eq!(engine.verify_signers_once(&checks(claims)), good);
    }
    assert!(engine.recover(&[]).is_empty() && engine.keccak256(&[]).is_empty());
}

#[test]
fn signer_vectors_are_the_twins() {
    use vigil_crypto::signer_vectors as twin;
    let mut dice = dice();
    for backends in [detect(), Vec::new()] {
        let engine = engine(1, backends);
        for (n, count) in [(0, 0), (1, 0), (1, 1), (100, 2), (1_000, 3), (1_001, 20), (4_000, 40)] {
            let mut vector = || (0..n).map(|_| [0, 1, 1, 200][dice.random_range(0..4)]).collect::<Vec<u8>>();
            let vectors: Vec<Vec<u8>> = (0..count).map(|_| vector()).collect();
            let vectors: Vec<&[u8]> = vectors.iter().map(Vec::as_slice).collect();
            let weights: Vec<u64> = (0..count).map(|_| dice.random()).collect();
            let mut sums = vec![1; n];
            twin::weighted_sums(&vectors, &weights, &mut sums);
            assert_eq!(engine.weighted_sums(n, &vectors, &weights), sums);
            assert_eq!(engine.signer_support(n, &vectors), twin::support(n, &vectors));
            for pair in vectors.windows(2) {
                assert_eq!(engine.merge_signers(pair[0], pair[1]), twin::merge(pair[0], pair[1]));
                assert_eq!(engine.signer_count(pair[0]), twin::signer_count(pair[0]));
                let packed = twin::pack(pair[0]);
                assert_eq!(engine.pack_signers(pair[0]), packed);
                assert_eq!(engine.unpack_signers(n, &packed).as_deref(), Ok(pair[0]));
                assert_eq!(engine.unpack_signers(n + 9, &packed), twin::unpack(n + 9, &packed));
            }
        }
    }
}

/// What `work` tells the recorder.
fn rendered(work: impl FnOnce()) -> String {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    ::metrics::with_local_recorder(&recorder, work);
    recorder.handle().render()
}

/// What `work` counts under a metric's name, over all labels.
fn counted(name: &str, work: impl FnOnce()) -> u64 {
    let text = rendered(work);
    let lines = text.lines().filter(|line| line.starts_with(&format!("{name}{{")));
    lines.map(|line| line.rsplit(' ').next().expect("a value").parse::<u64>().expect("a number")).sum()
}

#[test]
fn every_item_is_counted_once() {
    let claims = claims(&mut dice(), 300);
    let signed: Vec<Signed> = claims.iter().map(|c| c.signed).collect();
    let engine = engine(1, detect());
    for round in 0..3 {
        let asked = |work: &dyn Fn()| counted("vigil_accel_items_total", work);
        assert_eq!(asked(&|| drop(engine.recover(&signed))), 300, "round {round}");
        assert_eq!(asked(&|| drop(engine.verify_known(&claims))), 300, "round {round}");
        assert_eq!(asked(&|| drop(engine.verify_signers(&checks(&claims)))), 300, "round {round}");
        assert_eq!(asked(&|| drop(engine.keccak256(&[b"a".as_slice(), b"b", b"c"]))), 3, "round {round}");
    }
}

/// Builds tables that it only looks at, and counts the items of each kind.
#[derive(Debug, Default)]
struct Tables {
    cold: AtomicUsize,
    hot: AtomicUsize,
}

impl Backend for Tables {
    fn name(&self) -> BackendName {
        BackendName::Avx512Ifma
    }

    fn verify_cold(&self, claims: &[Claim]) -> Vec<Verdict> {
        self.cold.fetch_add(claims.len(), Ordering::Relaxed);
        claims.iter().map(oracle::verify).collect()
    }

    fn verify_hot(&self, claims: &[Claim], combs: &[&Comb]) -> Vec<Verdict> {
        assert_eq!(claims.len(), combs.len());
        self.hot.fetch_add(claims.len(), Ordering::Relaxed);
        let answer = |(claim, comb): (&Claim, &&Comb)| {
            assert_eq!(claim.key, *comb.key(), "the tables of this key");
            oracle::verify(claim)
        };
        claims.iter().zip(combs).map(answer).collect()
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        let points = vec![crate::field::Packed([0; 8]); Comb::BYTES / size_of::<crate::field::Packed>()];
        keys.iter().map(|key| Some(Comb::new(*key, points.clone()))).collect()
    }
}

#[test]
fn who_signs_often_is_verified_with_tables() {
    static TABLES: std::sync::LazyLock<Tables> = std::sync::LazyLock::new(Tables::default);
    let mut dice = dice();
    let claims = claims(&mut dice, 200);
    let good = Scalar.check_digests(&checks(&claims));
    let by_address = engine(1, vec![&*TABLES]);
    assert_eq!(by_address.verify_signers(&checks(&claims)), good, "all are new");
    assert_eq!(TABLES.hot.load(Ordering::Relaxed), 0);
    assert_eq!(by_address.verify_signers(&checks(&claims)), good);
    let hot = TABLES.hot.load(Ordering::Relaxed);
    assert!(hot > 150, "{hot} of 200 are of keys with good signatures");
    let cold = TABLES.cold.load(Ordering::Relaxed);
    let verdicts: Vec<Verdict> = claims.iter().map(oracle::verify).collect();
    assert_eq!(by_address.verify_known(&claims), verdicts, "the same tables");
    assert!(TABLES.hot.load(Ordering::Relaxed) > hot + 150 && TABLES.cold.load(Ordering::Relaxed) < cold + 50);

    let none = EngineConfig { threads: 1, backends: vec![&*TABLES], payer_cache_bytes: 0, ..EngineConfig::default() };
    let none = Engine::start(none).expect("threads");
    let hot = TABLES.hot.load(Ordering::Relaxed);
    (0..3).for_each(|_| assert_eq!(none.verify_signers(&checks(&claims)), good));
    assert_eq!(TABLES.hot.load(Ordering::Relaxed), hot, "no memory, no tables");
}

#[test]
fn a_remembered_signature_vouches_for_its_signer_alone() {
    let key = &keys(&mut dice(), 1)[0];
    let digest = Hash::repeat_byte(7);
    let signature = *key.sign(&digest).as_array().expect("65 bytes");
    let good = Check { digest, signature, signer: key.address() };
    let other = Check { signer: Address::repeat_byte(1), ..good };
    let engine = Engine::small();
    for _ in 0..2 {
        assert_eq!(engine.verify_signers_once(&[good, other, good]), [true, false, true]);
    }
}

/// Longest time that a test waits for what comes at once.
const PATIENCE: Duration = Duration::from_secs(60);

#[test]
fn votes_do_not_wait_for_busy_workers() {
    let claims = claims(&mut dice(), 200);
    let want = Scalar.check_digests(&checks(&claims));
    let engine = engine(2, detect());
    let all_busy = std::sync::Barrier::new(3);
    let done = std::sync::Barrier::new(3);
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            engine.spread(&[0_u8; 64], 16, |piece| {
                all_busy.wait();
                done.wait();
                piece.to_vec()
            })
        });
        all_busy.wait();
        scope.spawn(|| tell.send(engine.verify_signers_once(&checks(&claims))));
        let answers = told.recv_timeout(PATIENCE);
        done.wait();
        assert_eq!(answers, Ok(want));
    });
}

#[test]
fn the_last_engine_ends_its_threads() {
    struct Tell(std::sync::mpsc::Sender<()>);
    impl Drop for Tell {
        fn drop(&mut self) {
            self.0.send(()).expect("the test listens");
        }
    }
    thread_local!(static AT_THE_END: std::cell::RefCell<Option<Tell>> = const { std::cell::RefCell::new(None) });
    let (tell, ended) = std::sync::mpsc::channel();
    let engine = engine(2, Vec::new());
    let both = std::sync::Barrier::new(2);
    engine.spread(&[0_u8; 32], 16, |piece| {
        AT_THE_END.set(Some(Tell(tell.clone())));
        both.wait();
        piece.to_vec()
    });
    let other = engine.clone();
    drop(engine);
    assert_eq!(other.recover(&[]).len(), 0);
    assert_eq!(ended.try_iter().count(), 0);
    drop(other);
    assert_eq!(ended.try_iter().count(), 2);
}
