//! Signed messages on an engine with a graphics card, which the host twin plays.

use super::*;
use crate::engine::payers::Payer;
use crate::engine::work::lock;
use crate::gpu::twin::Twin;

/// With a card that is to do nearly everything.
fn with_card() -> (&'static Gpu, Engine) {
    let gpu = Gpu::open(BackendName::Cuda, Twin::open(), *detect().last().expect("portable")).expect("a good card");
    let gpu: &'static Gpu = Box::leak(Box::new(gpu));
    let cost = CardCost { card: 0, fixed_ns: 1.0, ns_per_item: 1.0 };
    let plan = Plan::unmeasured(&detect()).with_same_cost(1_000.0).with_cards(|_| vec![cost]);
    let config = EngineConfig { threads: 2, pin: false, cards: vec![gpu], plan: Some(plan), ..EngineConfig::default() };
    (gpu, Engine::start(config).expect("threads"))
}

#[test]
fn strangers_come_to_be_known() {
    let dice = &mut dice();
    let mut texts: Vec<Vec<u8>> = (0..320).map(|n| vec![n as u8; n]).collect();
    texts.push(vec![9; Gpu::MESSAGE_BYTES_MAX + 1]);
    let alone = texts.len();
    let shared = [3; 200];
    let messages: Vec<&[u8]> = texts.iter().map(Vec::as_slice).chain([&shared[..]; 20]).collect();
    let items = signed_messages(dice, &messages);
    let right = Scalar.check(&items);
    assert!(right.contains(&true) && right.contains(&false));
    let (gpu, engine) = with_card();
    let find = |item: &SignedMessage<'_>| {
        let mut payers = lock(&engine.work.payers);
        (payers.is_stranger(&item.signer), matches!(payers.by_address(&item.signer), Payer::Unknown))
    };
    let tables = || lock(&engine.work.payers).tables().0;
    assert_eq!(engine.verify_messages(&items), right);
    let good: Vec<_> = items[1..300].iter().zip(&right[1..300]).filter(|(_, good)| **good).collect();
    let met = good.iter().filter(|(item, _)| find(item) == (false, true)).count();
    // But for a sample, which the CPU did as well and knows the keys of.
    assert!(met + 4 > good.len(), "{met} of {} accounts were met without the key", good.len());
    let others = items[alone..].iter().zip(&right[alone..]);
    others.filter(|(_, good)| **good).for_each(|(item, _)| assert_eq!(find(item), (false, false), "the key is known"));
    // Those whose keys were known from the start have tables one round before the others.
    for (round, few) in [(2, 0), (3, 0), (4, 30)] {
        assert!(tables() <= few, "{} tables before round {round}", tables());
        assert_eq!(engine.verify_messages(&items), right, "round {round}");
    }
    assert!(tables() > 40, "{} tables: who comes again gets one", tables());
    assert_eq!(engine.verify_messages(&items), right, "by tables");
    assert_eq!((gpu.why_not(), gpu.faults()), (None, 0));
}

#[test]
fn forgeries_make_nobody_known() {
    let texts: Vec<Vec<u8>> = (0..300).map(|n| vec![n as u8; 50 + n]).collect();
    let messages: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    let mut items = signed_messages(&mut dice(), &messages);
    items.iter_mut().for_each(|item| item.signature[40] ^= 1);
    let (_, engine) = with_card();
    for _ in 0..2 {
        assert_eq!(engine.verify_messages(&items), vec![false; items.len()]);
        assert!(items.iter().all(|item| lock(&engine.work.payers).is_stranger(&item.signer)));
    }
}

#[test]
fn pieces_on_worker_threads_wait_for_no_card() {
    let texts: Vec<Vec<u8>> = (0..600).map(|n| vec![n as u8; n % 90]).collect();
    let messages: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
    let items = signed_messages(&mut dice(), &messages);
    let (gpu, engine) = with_card();
    assert!(engine.uses_cards(Op::Recover, 300) && !engine.uses_cards(Op::Recover, 100));
    let inside = engine.spread(&items, 64, |piece| {
        assert!(!engine.uses_cards(Op::Recover, 1 << 20));
        engine.verify_messages(piece)
    });
    assert_eq!(inside, Scalar.check(&items));
    gpu.failed(&crate::gpu::Fault::Lies("a digest".into()));
    assert!(!engine.uses_cards(Op::Recover, 1 << 20), "it rests");
    assert_eq!(engine.verify_messages(&items), inside);
}

/// What a card does is counted under its backend's name, what it fails at is not, and it is told how it is from the start.
#[test]
fn cards_are_in_the_metrics() {
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let page = recorder.handle();
    ::metrics::with_local_recorder(&recorder, || {
        let (gpu, _engine) = with_card();
        let has = |line: &str| assert!(page.render().lines().any(|l| l == line), "{line} in:\n{}", page.render());
        has("vigil_accel_gpu_up{card=\"cuda 0: host twin\"} 1");
        has("vigil_accel_gpu_faults_total{card=\"cuda 0: host twin\"} 0");
        let signed: Vec<Signed> = claims(&mut dice(), 40).iter().map(|claim| claim.signed).collect();
        gpu.recover(&signed);
        has("vigil_accel_items_total{op=\"recover\",backend=\"cuda\"} 40");
        has("vigil_accel_seconds_count{op=\"recover\",backend=\"cuda\"} 1");
        gpu.failed(&crate::gpu::Fault::Driver("gone".into()));
        gpu.recover(&signed);
        has("vigil_accel_gpu_up{card=\"cuda 0: host twin\"} 0");
        has("vigil_accel_gpu_faults_total{card=\"cuda 0: host twin\"} 1");
        has("vigil_accel_items_total{op=\"recover\",backend=\"cuda\"} 40");
    });
}
