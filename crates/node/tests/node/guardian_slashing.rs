//! A guardian that votes for two blocks at one checkpoint height is reported, and loses its stake.

use super::slashing::{ignore, join};
use super::{key, options, settled_above, start_stored, tokens, until};
use alloy_rlp::RlpEncodable;
use std::time::Duration;
use vigil_crypto::{bls, sign_tx, signer_vectors};
use vigil_ledger::{check_supply, genesis_guardian, queries};
use vigil_net::{NetEvent, NetHandle, Peer};
use vigil_node::Node;
use vigil_node::guardians::sign_hosting;
use vigil_primitives::{
    Address, AggregatedVotes, BlsSignatureBytes, Bytes, Checkpoint, Evidence, Genesis, Hash, Height, Slash,
    StakePurpose, Tx, TxInput, rlp,
};
use vigil_rpc::{Backend, Read};

/// Heights between checkpoints.
const T: u64 = 10;
/// Guardians of equal stake; the last one is the offender, without which the others are no quorum.
const GUARDIANS: u8 = 3;

/// For two connected hosts to take each other's guardians as neighbours.
const LINK_PATIENCE: Duration = Duration::from_secs(60);

fn guardian(n: u8) -> (Address, bls::SecretKey) {
    (Address::repeat_byte(0xa0 + n), bls::SecretKey::from_bytes(&[n; 32]).expect("a key"))
}

/// Key 1 validates, and has an account to report with.
fn genesis() -> Genesis {
    let mut genesis = super::genesis(&[1, 2, 3], &[(2, 1)], |params| params.checkpoint_interval = T);
    let stake = |n| {
        let (holder, secret) = guardian(n);
        genesis_guardian(key(3).address(), holder, tokens(100_000), &secret)
    };
    genesis.guardians = (1..=GUARDIANS).map(stake).collect();
    genesis.validate().expect("valid");
    genesis
}

#[derive(Clone, RlpEncodable)]
struct Link {
    from: Address,
    to: Address,
}

#[derive(RlpEncodable)]
struct Here {
    members: Vec<Address>,
    others: Vec<Address>,
    signature: BlsSignatureBytes,
}

#[derive(RlpEncodable)]
struct Votes {
    from: Address,
    to: Vec<Address>,
    votes: AggregatedVotes,
}

/// The offender, as a host of its own.
struct Offender {
    net: NetHandle,
    node: Peer,
    id: Address,
    secret: bls::SecretKey,
}

impl Offender {
    /// Connects, says and proves whom it hosts, and waits until it is a neighbour of the others.
    async fn connect(dir: &std::path::Path, node: &Node) -> Self {
        let (net, mut events) = join(dir, node).await;
        let (id, secret) = guardian(GUARDIANS);
        let links = [1, 2].map(|n| Link { from: guardian(n).0, to: id });
        let link = [&[2], &rlp::encode(&links.to_vec())[..]].concat();
        let chain = &node.backend().chain;
        let signature = sign_hosting(&secret, &chain.sign_domain(), &net.local_peer_id()).to_bytes().into();
        let here = rlp::encode(&Here { members: vec![id], others: Vec::new(), signature });
        let mut offender = Self { net, node: Peer(0), id, secret };
        let linked = async {
            loop {
                match events.recv().await.expect("the network runs") {
                    NetEvent::Guardian { peer, bytes } if bytes[0] == 1 => {
                        offender.node = peer;
                        offender.tell(1, here.clone());
                    }
                    NetEvent::Guardian { bytes, .. } if *bytes == link => break,
                    _ => {}
                }
            }
        };
        tokio::time::timeout(LINK_PATIENCE, linked).await.expect("both guardians take the third as a neighbour");
        ignore(events);
        offender
    }

    /// As hosts of guardians talk: one byte of kind, then RLP.
    fn tell(&self, kind: u8, body: Vec<u8>) {
        let bytes: Bytes = std::iter::once(kind).chain(body).collect();
        self.net.send_guardian(self.node, bytes).expect("sent");
    }

    /// Its vote for a block, to the first guardian.
    fn vote(&self, node: &Node, checkpoint: Checkpoint) {
        let chain = &node.backend().chain;
        let message = checkpoint.message(&chain.sign_domain());
        let signature: BlsSignatureBytes = self.secret.sign(chain.scheme(), message.as_slice()).to_bytes().into();
        let mut signers = vec![0; usize::from(GUARDIANS)];
        signers[usize::from(GUARDIANS) - 1] = 1;
        let votes = AggregatedVotes { checkpoint, signers: signer_vectors::pack(&signers).into(), signature };
        self.tell(3, rlp::encode(&Votes { from: self.id, to: vec![guardian(1).0], votes }));
    }
}

/// The highest settled checkpoint.
fn newest(node: &Node) -> Option<Checkpoint> {
    let chain = &node.backend().chain;
    let height = chain.head().as_parent.height / T * T;
    let (block_hash, _) = chain.settled_at(height).expect("reads").filter(|_| height > 0)?;
    let header = &chain.block(&block_hash).expect("reads")?.header;
    let set_hash = queries::guardians(&chain.state_of(header)).expect("reads").hash();
    Some(Checkpoint { resets: 0, height, block_hash, set_hash })
}

fn slashed_at(node: &Node) -> Option<Height> {
    let state = &node.backend().chain.head().as_parent.state;
    queries::slashed_at(state, StakePurpose::Guardian, &guardian(GUARDIANS).0).expect("reads")
}

/// The offender votes for each checkpoint and for another block of its height, until it is slashed.
async fn slashed(offender: &Offender, node: &Node) -> Height {
    let mut last = 0;
    let probe = async || {
        if let Some(checkpoint) = newest(node).filter(|checkpoint| checkpoint.height > last) {
            last = checkpoint.height;
            offender.vote(node, checkpoint);
            offender.vote(node, Checkpoint { block_hash: Hash::repeat_byte(7), ..checkpoint });
        }
        slashed_at(node)
    };
    until("slashed", node, probe).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_double_checkpoint_vote_costs_the_stake() {
    let [dir, other] = [(); 2].map(|()| tempfile::tempdir().expect("temporary folder"));
    let mut options = options(dir.path(), genesis(), 1, &[]);
    options.guardians = (1..GUARDIANS).map(guardian).collect();
    let node = start_stored(options).await;
    let chain = &node.backend().chain;
    settled_above(&node, 2 * T).await;
    assert_eq!(chain.final_height(), 0, "two of three are no quorum");
    let offender = Offender::connect(other.path(), &node).await;
    let at = slashed(&offender, &node).await;
    assert!(chain.final_height() > 0, "its votes counted before");

    let head = chain.head();
    let (state, supply) = (&head.as_parent.state, &head.as_parent.supply);
    check_supply(state, supply).expect("every coin is accounted for");
    assert_eq!(supply.burned.theta, tokens(95_000));
    let account = |n| queries::account(state, 0, &key(n).address()).expect("reads").expect("an account");
    assert_eq!(account(1).balance.theta, tokens(2_005_000), "5 %");
    // The source of the three stakes has what it did not stake, and gets nothing back.
    assert_eq!(account(3).balance.theta, tokens(1_700_000));
    let left = queries::guardians(state).expect("reads");
    assert_eq!(left.members().iter().map(|member| member.address).collect::<Vec<_>>(), [1, 2].map(|n| guardian(n).0));
    assert!(left.members().iter().all(|member| member.weight == 100_000 * 10u128.pow(18)), "nobody else pays");
    let Read::Found(pools) = node.backend().guardian_pools(0).await.expect("reads") else { panic!("no pool") };
    let holders: Vec<_> = pools[0].value.sorted_guardians.iter().map(|guardian| guardian.holder.holder).collect();
    assert_eq!(holders, [1, 2].map(|n| guardian(n).0), "by RPC too");

    // The others are all there are now, and go on without it.
    let probe = async || Some(chain.final_height()).filter(|height| *height > at + T);
    until("final without the offender", &node, probe).await;
    let head = chain.head();
    check_supply(&head.as_parent.state, &head.as_parent.supply).expect("every coin is accounted for");
    assert_eq!(head.as_parent.supply.burned.theta, tokens(95_000), "slashed once");
    offender.net.shutdown().await;
    node.stop().await;
}

/// Key 2 reports guardian 1 with a vote that it never gave. The mempool judges no votes: they are judged on the way in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_votes_do_not_get_into_the_mempool() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let node = start_stored(options(dir.path(), genesis(), 1, &[])).await;
    settled_above(&node, 2 * T).await;
    let checkpoint = newest(&node).expect("a checkpoint");
    let (id, secret) = guardian(1);
    let message = checkpoint.message(&node.backend().chain.sign_domain());
    let signature = secret.sign(node.backend().chain.scheme(), message.as_slice()).to_bytes().into();
    let signers = signer_vectors::pack(&[1, 0, 0]).into();
    let given = AggregatedVotes { checkpoint, signers, signature };
    let other = Checkpoint { block_hash: Hash::repeat_byte(7), ..checkpoint };
    let evidence =
        Evidence::GuardianDoubleVote(id, Box::new((given.clone(), AggregatedVotes { checkpoint: other, ..given })));
    let proposer = TxInput { address: key(2).address(), sequence: 1, ..TxInput::default() };
    let slash_proof = evidence.to_bytes().into();
    let mut tx = Tx::Slash(Slash { proposer, slashed_address: id, reserve_sequence: 0, slash_proof });
    sign_tx("privatenet", &mut tx, 0, &key(2)).expect("slot 0");
    let refused = node.backend().broadcast(tx.to_raw().into()).await.expect_err("forged").to_string();
    assert!(refused.contains("the signature is not that of the signers"), "{refused}");
    assert_eq!(node.backend().pool.size().0, 0);
    node.stop().await;
}
