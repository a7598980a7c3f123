//! Backends that fail are left out, and others do their work.

use super::*;

/// Counts what it is asked and fails at everything.
#[derive(Debug)]
struct Failing {
    asked: AtomicUsize,
    short: bool,
}

impl Failing {
    fn fail<R>(&self) -> Vec<R> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        assert!(self.short, "a planted bug");
        Vec::new()
    }
}

impl Backend for Failing {
    fn name(&self) -> BackendName {
        BackendName::Avx2
    }

    fn recover(&self, _: &[Signed]) -> Vec<Recovered> {
        self.fail()
    }

    fn verify_cold(&self, _: &[Claim]) -> Vec<Verdict> {
        self.fail()
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        keys.iter().map(|_| None).collect()
    }

    fn signer_count(&self, _: &[u8]) -> usize {
        self.fail::<u8>();
        0
    }
}

/// Knows nothing better than the oracle; counts what it is asked, and how often it is told to warm up.
#[derive(Debug)]
struct Healthy {
    name: BackendName,
    asked: AtomicUsize,
    warmed: AtomicUsize,
}

impl Healthy {
    const fn new(name: BackendName) -> Self {
        Self { name, asked: AtomicUsize::new(0), warmed: AtomicUsize::new(0) }
    }
}

impl Backend for Healthy {
    fn name(&self) -> BackendName {
        self.name
    }

    fn warm_up(&self) {
        self.warmed.fetch_add(1, Ordering::Relaxed);
    }

    fn recover(&self, items: &[Signed]) -> Vec<Recovered> {
        self.asked.fetch_add(items.len(), Ordering::Relaxed);
        items.iter().map(oracle::recover).collect()
    }

    fn build_combs(&self, keys: &[PublicKey]) -> Vec<Option<Comb>> {
        keys.iter().map(|_| None).collect()
    }
}

#[test]
fn the_next_backend_takes_over() {
    static NEXT: Healthy = Healthy::new(BackendName::Portable);
    let signed: Vec<Signed> = claims(&mut dice(), 40).iter().map(|c| c.signed).collect();
    let recovered: Vec<Recovered> = signed.iter().map(oracle::recover).collect();
    static PANICS: Failing = Failing { asked: AtomicUsize::new(0), short: false };
    static SHORT: Failing = Failing { asked: AtomicUsize::new(0), short: true };
    for (failing, asked) in [(&PANICS, 120), (&SHORT, 240)] {
        let engine = engine(1, vec![&NEXT, failing]);
        let told = rendered(|| (0..3).for_each(|_| assert_eq!(engine.recover(&signed), recovered)));
        assert_eq!((failing.asked.load(Ordering::Relaxed), NEXT.asked.load(Ordering::Relaxed)), (1, asked));
        for labels in ["fallback_items_total{op=\"recover\",backend=\"avx2\",by", "items_total{op=\"recover\",backend"]
        {
            assert!(told.contains(&format!("vigil_accel_{labels}=\"portable\"}} 120\n")), "{told}");
        }
    }
    let engine = engine(1, vec![&NEXT, &PANICS]);
    assert_eq!(engine.signer_count(&[0, 1, 2]), 2, "one vector is the oracle's");
    assert_eq!(engine.plan().choose(Op::SignerVectors, 2), Some(BackendName::Avx2));
}

#[test]
fn a_panic_over_signer_vectors_is_caught() {
    static FAILING: Failing = Failing { asked: AtomicUsize::new(0), short: false };
    let step = Step { from: 1, backend: Some(BackendName::Avx2) };
    let plan = Some(Plan::from_steps(|_| vec![step]));
    let config = EngineConfig { threads: 1, backends: vec![&FAILING], plan, ..EngineConfig::default() };
    let engine = Engine::start(config).expect("threads");
    for _ in 0..2 {
        let told = rendered(|| assert_eq!(engine.signer_count(&[0, 1, 2]), 2));
        assert!(told.contains("vigil_accel_items_total{op=\"signer_vectors\",backend=\"oracle\"} 1\n"), "{told}");
    }
    assert_eq!(FAILING.asked.load(Ordering::Relaxed), 1);
    let shape = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| engine.merge_signers(&[1], &[])));
    assert!(shape.is_err(), "the caller's fault");
}

#[test]
fn backends_of_the_plan_are_warm_at_the_start() {
    static USED: Healthy = Healthy::new(BackendName::Avx2);
    static UNUSED: Healthy = Healthy::new(BackendName::Portable);
    let _engine = engine(1, vec![&UNUSED, &USED]);
    assert_eq!([&UNUSED, &USED].map(|backend| backend.warmed.load(Ordering::Relaxed)), [0, 1]);
}

#[test]
fn a_backend_that_panics_is_left_out() {
    static FAILING: Failing = Failing { asked: AtomicUsize::new(0), short: false };
    let claims = claims(&mut dice(), 40);
    let engine = engine(1, vec![&FAILING]);
    for _ in 0..3 {
        assert_eq!(engine.verify_signers(&checks(&claims)), Scalar.check_digests(&checks(&claims)));
    }
    assert_eq!(FAILING.asked.load(Ordering::Relaxed), 1);
}

#[test]
fn what_a_broken_backend_leaves_to_the_oracle_stays_counted() {
    static FAILING: Failing = Failing { asked: AtomicUsize::new(0), short: false };
    let signed: Vec<Signed> = claims(&mut dice(), 40).iter().map(|c| c.signed).collect();
    let engine = engine(1, vec![&FAILING]);
    for round in 0..3 {
        let fallbacks = counted("vigil_accel_fallback_items_total", || drop(engine.recover(&signed)));
        assert_eq!(fallbacks, 40, "round {round}");
    }
}

#[test]
fn missing_answers_are_not_taken_for_answers() {
    static SHORT: Failing = Failing { asked: AtomicUsize::new(0), short: true };
    let claims = claims(&mut dice(), 40);
    let signed: Vec<Signed> = claims.iter().map(|c| c.signed).collect();
    let engine = engine(1, vec![&SHORT]);
    assert_eq!(engine.recover(&signed), signed.iter().map(oracle::recover).collect::<Vec<_>>());
    assert_eq!(engine.verify_known(&claims), claims.iter().map(oracle::verify).collect::<Vec<_>>());
    assert_eq!(SHORT.asked.load(Ordering::Relaxed), 1, "it has a bug");
}
