//! A report that is pending is heard again by those who did not take it, though only somebody between them and us knows us.

use super::*;
use crate::chain::GenesisBlock;
use crate::genesis::{Preset, assemble};
use crate::keys::NodeKeys;
use crate::pool::{Origin, Submission};
use vigil_accel::Engine;
use vigil_accel::engine::FlushAt;
use vigil_net::{Head, NetConfig, NetEvent, NetHandle, Network, Verdict};
use vigil_primitives::{
    Address, Bytes, Coins, GenesisAccount, GenesisStake, Hash, Send, Signature, TxOutput, U256, Vote, WEI,
};
use vigil_store::MemoryStore;

const REPORTER: u8 = 2;
const OFFENDER: u8 = 3;
/// Keys of accounts that pay once each.
const PAYERS: std::ops::Range<u8> = 4..250;
const PATIENCE: Duration = Duration::from_secs(60);

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).expect("a key")
}

fn tokens(n: u64) -> U256 {
    U256::from(n) * U256::from(WEI)
}

/// Nothing is settled ever, so a fault must be of height 0: it can be reported at once.
fn chain() -> Arc<Chain> {
    let mut params = Preset::Theta.params();
    params.return_locking_period = 1;
    let account = |n| GenesisAccount { address: key(n).address(), theta: tokens(2_000_000), tfuel: tokens(1_000) };
    let accounts = std::iter::once(REPORTER).chain(PAYERS).map(account).collect();
    let [source, holder] = [REPORTER, OFFENDER].map(|n| key(n).address());
    let stake = GenesisStake { source, holder, amount: tokens(500_000) };
    let genesis = assemble(params, 1, accounts, vec![stake], Vec::new()).expect("valid");
    let block = GenesisBlock::of(&genesis).expect("valid");
    Arc::new(Chain::open(Arc::new(MemoryStore::default()), &genesis, &block, 1).expect("opens").0)
}

fn double_vote(chain: &Chain) -> Evidence {
    let vote = |block| {
        let unsigned = Vote {
            height: 0,
            block_hash: Hash::repeat_byte(block),
            block_epoch: 0,
            source_set: 0,
            source_height: 0,
            source_hash: Hash::ZERO,
            voter: key(OFFENDER).address(),
            signature: Signature::none(),
        };
        Vote { signature: key(OFFENDER).sign(&unsigned.digest(&chain.sign_domain())), ..unsigned }
    };
    Evidence::DoubleVote(vote(1), vote(2))
}

fn payment(chain: &Chain, payer: u8) -> Bytes {
    let [fee, coins, one] = [1, 2, 1].map(|n| Coins::tfuel(tokens(n)));
    let input = TxInput { address: key(payer).address(), coins, sequence: 1, signature: Signature::none() };
    let output = TxOutput { address: Address::repeat_byte(9), coins: one };
    let mut tx = Tx::Send(Send { fee, inputs: vec![input], outputs: vec![output] });
    sign_tx(&chain.params().chain_id, &mut tx, 0, &key(payer)).expect("slot 0");
    tx.to_raw().into()
}

/// On the network, with a connection to `seed` alone.
async fn join(
    dir: &tempfile::TempDir,
    chain: &Chain,
    seed: Option<&NetHandle>,
) -> (NetHandle, mpsc::Receiver<NetEvent>) {
    let mut config = NetConfig::new(dir.path()).listen_on(std::net::Ipv4Addr::LOCALHOST.into(), 0);
    config.seeds = seed.map(|seed| seed.addresses().to_vec()).unwrap_or_default();
    (config.discovery, config.target_peers) = (false, 0);
    let (head, keys) = (Head { height: 0, hash: chain.genesis() }, NodeKeys::new(key(99), Engine::small()));
    Network::start(config, chain.sign_domain(), head, Arc::new(keys)).await.expect("starts")
}

fn admission(chain: &Chain, net: &NetHandle) -> (Arc<Pool>, Admission) {
    let pool = Arc::new(Pool::new(chain, vigil_mempool::Config::default(), Engine::small()));
    let at = FlushAt { items: 64, age: Duration::from_millis(1) };
    let admission = Admission::start(Arc::clone(&pool), net.clone(), at).expect("a thread");
    (pool, admission)
}

/// Admits what peers send.
fn serve(mut events: mpsc::Receiver<NetEvent>, admission: Admission) {
    tokio::spawn(async move {
        while let Some(event) = events.recv().await {
            if let NetEvent::Txs { txs, message, .. } = event {
                let submission = Submission { txs, origin: Origin::Gossip(message) };
                admission.offer(submission).expect("room");
            }
        }
    });
}

/// The next transactions that come, which are refused as by somebody who is busy.
async fn refused(net: &NetHandle, events: &mut mpsc::Receiver<NetEvent>) -> Vec<Bytes> {
    loop {
        if let NetEvent::Txs { txs, message, .. } = events.recv().await.expect("the network runs") {
            net.report(message, Verdict::Ignore).expect("room");
            return txs;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_busy_hears_of_a_pending_report_again() {
    let dirs = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let chain = chain();
    let (ours, our_events) = join(&dirs[0], &chain, None).await;
    let (between, between_events) = join(&dirs[1], &chain, Some(&ours)).await;
    let (busy, mut busy_events) = join(&dirs[2], &chain, Some(&between)).await;
    let (pool, way_in) = admission(&chain, &ours);
    serve(our_events, way_in.clone());
    serve(between_events, admission(&chain, &between).1);

    // Until they are connected, and know that they are.
    let mut is_heard = false;
    for payer in PAYERS {
        way_in.submit(payment(&chain, payer)).await.expect("judged").expect("accepted");
        let heard = tokio::time::timeout(Duration::from_millis(200), refused(&busy, &mut busy_events));
        is_heard = heard.await.is_ok();
        if is_heard {
            break;
        }
    }
    assert!(is_heard, "{:?} peers", [&ours, &between, &busy].map(NetHandle::peer_count));

    let evidence = double_vote(&chain);
    let mut reporter = Reporter::open(Arc::clone(&chain), pool, way_in, key(REPORTER)).expect("opens");
    assert!(reporter.take(evidence.clone()));
    let report = Bytes::from(slash(&chain.params().chain_id, &key(REPORTER), 1, &evidence));
    let mut hears = async || loop {
        let txs = tokio::time::timeout(PATIENCE, refused(&busy, &mut busy_events)).await.expect("it comes");
        match txs.iter().filter(|tx| **tx == report).count() {
            0 => {}
            times => return times,
        }
    };
    let start = Instant::now();
    reporter.report(start).await.expect("sent");
    assert_eq!(hears().await, 1);
    let early = start + AGAIN - Duration::from_millis(1);
    for (at, times) in [(early, 1), (start + AGAIN, 2), (early + AGAIN, 2), (start + 2 * AGAIN, 3)] {
        reporter.report(at).await.expect("pending");
        let sent = reporter.cases.iter().filter_map(|(_, case)| case.sent.as_ref()).map(|sent| sent.times);
        assert_eq!(sent.collect::<Vec<_>>(), [times]);
        if at != early && at != early + AGAIN {
            assert_eq!(hears().await, times, "by way of one who has it already");
        }
    }
    assert_eq!([&ours, &between, &busy].map(NetHandle::peer_count), [1, 2, 1], "nobody was punished");
}
