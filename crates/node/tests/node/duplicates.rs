//! A transaction is verified once, however often it stands in what a peer sends.

use super::{options, send, start};
use std::sync::Arc;
use vigil_primitives::{Address, Bytes};
use vigil_store::MemoryStore;

const TO: Address = Address::repeat_byte(9);
const TIMES: usize = 40;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_many_times_is_verified_once() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let genesis = super::genesis(&[3, 4], &[(3, 1), (3, 2)], |_| ());
    let node = start(options(dir.path(), genesis, 1, &[]), Arc::new(MemoryStore::default())).await;
    let pool = &node.backend().pool;
    let (one, other, none) = (send(3, TO, 1, 1), send(4, TO, 1, 1), Bytes::from_static(b"none"));
    let raws: Vec<Bytes> = [one.clone(), none, other.clone(), one.clone()].into_iter().cycle().take(TIMES).collect();

    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let verdicts = metrics::with_local_recorder(&recorder, || {
        let hashes = pool.hashes_of(&raws);
        pool.complete(&raws, &hashes, pool.known(&hashes))
    });
    for (raw, verdict) in raws.iter().zip(&verdicts) {
        let known = verdict.as_ref().ok().map(|tx| (tx.raw() == raw, tx.all_valid()));
        assert_eq!(known, (*raw == one || *raw == other).then_some((true, true)));
    }
    assert!(Arc::ptr_eq(verdicts[0].as_ref().expect("good"), verdicts[3].as_ref().expect("good")));
    let text = recorder.handle().render();
    let signatures = |line: &&str| line.starts_with("vigil_accel_items_total{") && !line.contains("keccak256");
    let counted: Vec<&str> = text.lines().filter(signatures).collect();
    assert!(counted.len() == 1 && counted[0].ends_with(" 2"), "{counted:?}");
    node.stop().await;
}
