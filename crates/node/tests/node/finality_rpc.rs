//! Committed, settled and finalized, as a node with guardians tells them apart.

use super::{key, options, send, settled_above, start_stored, tokens, until};
use vigil_crypto::{bls, signer_vectors};
use vigil_ledger::{genesis_guardian, queries};
use vigil_node::{Node, StartOptions};
use vigil_primitives::{Address, Genesis, Height};
use vigil_rpc::{Backend, BlockStatus, CertAt, CertInfo, TxPlace};

/// Heights between checkpoints.
const T: u64 = 5;

fn guardian(n: u8) -> (Address, bls::SecretKey) {
    let address = if n == 1 { key(1).address() } else { Address::repeat_byte(0xa0 + n) };
    (address, bls::SecretKey::from_bytes(&[n; 32]).expect("a key"))
}

/// Key 1 validates and is a guardian; three others are, too.
fn genesis() -> Genesis {
    let mut genesis = super::genesis(&[2, 3], &[(2, 1)], |params| params.checkpoint_interval = T);
    let stake = |n| {
        let (holder, secret) = guardian(n);
        genesis_guardian(key(3).address(), holder, tokens(100_000), &secret)
    };
    genesis.guardians = (1..=4).map(stake).collect();
    genesis.validate().expect("valid");
    genesis
}

async fn cert(node: &Node, height: Option<Height>) -> CertAt {
    node.backend().finality_cert(height).await.expect("reads")
}

/// A certificate proves itself by what the chain says of the guardians.
fn holds(node: &Node, info: &CertInfo) {
    let chain = &node.backend().chain;
    let header = chain.block(&info.cert.checkpoint.block_hash).expect("reads").expect("there").header.clone();
    let set = queries::guardians(&chain.state_of(&header)).expect("reads");
    let signers = signer_vectors::unpack(set.len(), &info.cert.signers).expect("a vector");
    assert_eq!((header.height, set.hash()), (info.cert.checkpoint.height, info.cert.checkpoint.set_hash));
    assert_eq!((info.guardians, info.total_weight), (4, set.total()));
    assert_eq!((info.signers, info.weight), (signer_vectors::signer_count(&signers), set.weight_of(&signers)));
    assert!(set.is_quorum(info.weight) && info.signers >= 3, "{info:?}");
    let keys = set.members().iter().map(|m| bls::PublicKey::from_bytes(m.key.as_slice()).expect("a key"));
    let message = info.cert.checkpoint.message(&chain.sign_domain());
    let votes = vigil_crypto::checkpoint::Aggregate { signature: info.cert.signature.0, signers };
    let keys: Vec<_> = keys.collect();
    assert_eq!(vigil_crypto::checkpoint::judge(chain.scheme(), &keys, message.as_slice(), &votes), Ok(()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_certificate_is_served_and_blocks_tell_how_far_they_have_come() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let hosted = |guardians| StartOptions { guardians, ..options(dir.path(), genesis(), 1, &[]) };
    // One of four: nothing becomes final.
    let node = start_stored(hosted(vec![guardian(1)])).await;
    let to = Address::repeat_byte(9);
    let (tx, header) = node.backend().broadcast_and_wait(send(3, to, 1, 1)).await.expect("settles");
    settled_above(&node, 2 * T).await;
    assert_eq!(cert(&node, None).await, CertAt::NotFinal { highest: 0 });
    assert_eq!(cert(&node, Some(T)).await, CertAt::NotFinal { highest: 0 });
    assert_eq!(cert(&node, Some(T + 1)).await, CertAt::NoCheckpoint { interval: T });
    assert_eq!(node.backend().status().await.expect("status").finalized, None);
    let place = async |node: &Node| match node.backend().transaction(tx).await.expect("reads") {
        TxPlace::InBlock { height, status, guardian_finalized, .. } => {
            (height, status.is_settled(), guardian_finalized)
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(place(&node).await, (header.height, true, false));
    let info = node.backend().guardian().expect("its own key is there");
    assert_eq!(info.address, key(1).address());
    node.stop().await;

    // Three of four.
    let node = start_stored(hosted(vec![guardian(2), guardian(3), guardian(4)])).await;
    assert_eq!(node.backend().guardian(), None, "none of these keys is its own");
    until("final", &node, async || node.backend().chain.final_cert()).await;
    let CertAt::Found(info) = cert(&node, None).await else { panic!("{:?}", cert(&node, None).await) };
    holds(&node, &info);
    let height = info.cert.checkpoint.height;
    assert_eq!(cert(&node, Some(height)).await, CertAt::Found(info));
    // What was settled while too few voted has no certificate of its own, and is final by a later one.
    let CertAt::Passed { by } = cert(&node, Some(T)).await else { panic!("{:?}", cert(&node, Some(T)).await) };
    assert!(by > T && by <= height);
    assert!(matches!(cert(&node, Some(1_000_000 * T)).await, CertAt::NotFinal { highest } if highest >= height));
    assert_eq!(place(&node).await, (header.height, true, true));
    let of = async |height| node.backend().block_at(height, true).await.expect("reads").expect("a block");
    let below = of(T).await;
    assert!(below.status.is_settled() && below.guardian_finalized);
    let status = node.backend().status().await.expect("status");
    assert!(status.current_height >= status.settled_height);
    let (last, _) = status.finalized.expect("some");
    assert!(status.settled_height >= last);
    node.stop().await;
}

/// A block is committed before it is settled: the tip of a chain that stands still stays so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_tip_is_committed_and_its_transactions_with_it() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let node = start_stored(options(dir.path(), genesis(), 1, &[])).await;
    let to = Address::repeat_byte(9);
    let hash = node.backend().broadcast(send(3, to, 1, 1)).await.expect("admitted");
    let mut seen = Vec::new();
    let probe = async || {
        let status = match node.backend().transaction(hash).await.expect("reads") {
            TxPlace::InBlock { status, .. } => Some(status),
            _ => None,
        };
        seen.extend(status);
        status.filter(|status| status.is_settled())
    };
    until("settled", &node, probe).await;
    assert!(seen.is_sorted(), "it never goes back: {seen:?}");
    let committed = async || {
        let status = node.backend().status().await.expect("status");
        let block = node.backend().block(status.current_hash).await.expect("reads")?;
        assert_eq!(block.block.header.height, status.current_height);
        (block.status == BlockStatus::Committed).then_some(())
    };
    until("a committed block", &node, committed).await;
    node.stop().await;
}
