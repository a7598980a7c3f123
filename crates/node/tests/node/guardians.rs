//! Guardians of several nodes finalize checkpoints, and go on when some of them are away.

use super::{key, options, settled_above, start_stored, tokens, until};
use std::path::Path;
use vigil_crypto::bls;
use vigil_ledger::{genesis_guardian, queries};
use vigil_node::Node;
use vigil_node::guardians::HOSTED_MAX;
use vigil_node::layout::Layout;
use vigil_primitives::{Address, Genesis, GenesisAccount, Height};
use vigil_rpc::Backend;

/// Heights between checkpoints.
const T: u64 = 5;

fn guardian(n: u8) -> (Address, bls::SecretKey) {
    let mut bytes = [0; 32];
    bytes[31] = n;
    (Address::repeat_byte(0xa0 + n), bls::SecretKey::from_bytes(&bytes).expect("a key"))
}

/// Key 1 validates, key 2 has its stake; guardians 1 to `guardians` have equal stakes of key 3.
fn genesis(guardians: u8, scheme: &str) -> Genesis {
    let scheme = scheme.to_owned();
    let mut genesis = super::genesis(&[2, 3], &[(2, 1)], |params| {
        params.checkpoint_interval = T;
        params.bls_scheme = scheme;
    });
    let money = tokens(100_000);
    genesis.guardians = (1..=guardians)
        .map(|n| {
            let (holder, secret) = guardian(n);
            genesis_guardian(key(3).address(), holder, money, &secret)
        })
        .collect();
    genesis.accounts.push(GenesisAccount { address: key(4).address(), theta: tokens(1), tfuel: tokens(1) });
    genesis.validate().expect("valid");
    genesis
}

/// A node that follows the validators of `seeds` and hosts these guardians.
async fn host(dir: &Path, genesis: &Genesis, signer: u8, seeds: &[String], hosted: std::ops::Range<u8>) -> Node {
    let mut options = options(dir, genesis.clone(), signer, seeds);
    options.config.validator_enabled = signer == 1;
    options.guardians = hosted.map(guardian).collect();
    start_stored(options).await
}

fn final_height(node: &Node) -> Height {
    node.backend().chain.final_cert().map_or(0, |cert| cert.checkpoint.height)
}

async fn final_above(node: &Node, height: Height) -> Height {
    let probe = async || Some(final_height(node)).filter(|at| *at > height);
    until(&format!("final above {height}"), node, probe).await
}

/// A certificate stands in a block, and guardians were paid for it.
async fn certificate_in_a_block(node: &Node) {
    let probe = async || queries::finalized(&node.backend().chain.head().as_parent.state).expect("reads");
    let known = until("a certificate in a block", node, probe).await;
    assert!(known.height > 0 && known.height.is_multiple_of(T), "{known:?}");
    let stored = node.backend().chain.final_cert_at(known.height).expect("reads").expect("kept for its height");
    assert_eq!(stored.checkpoint.height, known.height);
    let head = node.backend().chain.head();
    vigil_ledger::check_supply(&head.as_parent.state, &head.as_parent.supply).expect("every coin is accounted for");
}

async fn finalizes(scheme: &str) {
    let [first, second, third] = [(); 3].map(|()| tempfile::tempdir().expect("temporary folder"));
    let genesis = genesis(9, scheme);
    // The validator hosts none: it learns from the others what is final, and puts it into its blocks.
    let validator = host(first.path(), &genesis, 1, &[], 0..0).await;
    let seeds = validator.p2p_addresses();
    let hosts =
        [host(second.path(), &genesis, 5, &seeds, 1..6).await, host(third.path(), &genesis, 6, &seeds, 6..10).await];
    for node in hosts.iter().chain([&validator]) {
        let at = final_above(node, 0).await;
        final_above(node, at + T).await;
    }
    certificate_in_a_block(&validator).await;
    for node in hosts.into_iter().chain([validator]) {
        node.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_become_final_by_proof_of_possession() {
    finalizes("proof-of-possession").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn checkpoints_become_final_augmented() {
    finalizes("augmented").await;
}

/// With more than a third of the stake away nothing becomes final; when it comes back the next checkpoint finalizes what
/// was missed, and nobody votes twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn missed_checkpoints_are_finalized_by_a_later_one() {
    let [first, second] = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let genesis = genesis(6, "proof-of-possession");
    let validator = host(first.path(), &genesis, 1, &[], 1..5).await;
    let seeds = validator.p2p_addresses();
    let away = host(second.path(), &genesis, 5, &seeds, 5..7).await;
    final_above(&validator, 0).await;
    away.stop().await;
    // What was under way may still become final; four of six are no quorum for what comes then.
    let at = settled_above(&validator, 0).await;
    settled_above(&validator, at + 2 * T).await;
    let stuck = final_height(&validator);
    settled_above(&validator, at + 4 * T).await;
    assert_eq!(final_height(&validator), stuck, "a final checkpoint without a quorum");
    let back = host(second.path(), &genesis, 5, &seeds, 5..7).await;
    let healed = final_above(&validator, stuck).await;
    assert!(healed > stuck + T, "what was missed was leapt over");
    final_above(&back, stuck).await;
    assert!(back.backend().not_ready().await.is_none(), "{:?}", back.backend().not_ready().await);
    back.stop().await;
    validator.stop().await;
}

/// Peers could not be told who all of them are.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_guardians_than_a_process_hosts_are_refused_at_start() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let mut options = options(dir.path(), genesis(1, "augmented"), 1, &[]);
    let hosted = |n: usize| (Address::left_padding_from(&n.to_be_bytes()), guardian(1).1);
    options.guardians = (0..=HOSTED_MAX).map(hosted).collect();
    let Err(error) = Node::start(options).await else { panic!("it started") };
    let told =
        "1025 guardians are to vote in one process, which hosts 1024 at most: give the others to other processes";
    assert_eq!(error.to_string(), told);
}

/// The operator's word is for what is lost: the validator's journal, which is there, stays and binds.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_guardians_journal_is_begun_anew_beside_the_validators() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let layout = Layout::new(dir.path());
    let start = async |fresh_journal| {
        let mut options = options(dir.path(), genesis(1, "augmented"), 1, &[]);
        (options.guardians, options.fresh_journal) = (vec![guardian(1)], fresh_journal);
        let store = super::stored(&options);
        super::try_start(options, store).await
    };
    let Ok(node) = start(false).await else { panic!("it starts") };
    final_above(&node, 0).await;
    node.stop().await;
    let [journal, lost] = [layout.journal(&key(1).address()), layout.guardian_journal(&guardian(1).0)];
    let bytes = std::fs::read(&journal).expect("read");
    std::fs::remove_file(&lost).expect("removed");
    let Ok(node) = start(true).await else { panic!("one is lost") };
    let at = final_height(&node);
    final_above(&node, at).await;
    node.stop().await;
    assert!(lost.exists() && std::fs::read(&journal).expect("read").starts_with(&bytes));
    let Err(error) = start(true).await else { panic!("nothing is lost") };
    assert!(error.to_string().contains("start without it"), "{error}");
}
