//! Reports of a guardian that voted twice, to a mempool on a chain that remembers its guardian set. Time stands as long as the
//! clock of a test does.

use super::*;
use crate::chain::{Chain, GenesisBlock};
use crate::genesis::{Preset, assemble};
use vigil_crypto::{SecretKey, TxDomain, bls, sign_tx, signer_vectors, verify_tx};
use vigil_ledger::{Env, NoAncestors, Parent, Proposal, build_block, genesis_guardian, queries};
use vigil_mempool::Config;
use vigil_primitives::{BlockHeader, Checkpoint, Genesis, GenesisAccount, GenesisStake, Slash, TxInput, U256, WEI};
use vigil_store::MemoryStore;
use vigil_trie::ScalarHasher;

const T: u64 = 2;
const SECOND: Duration = Duration::from_secs(1);

fn key(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).expect("a key")
}

fn guardian() -> (Address, bls::SecretKey) {
    (Address::repeat_byte(0xa1), bls::SecretKey::from_bytes(&[7; 32]).expect("a key"))
}

/// Key 1 validates, keys 2 to 9 have accounts, and there is one guardian.
fn genesis() -> Genesis {
    let tokens = |n: u64| U256::from(n) * U256::from(WEI);
    let mut params = Preset::Theta.params();
    params.checkpoint_interval = T;
    let (theta, tfuel) = (tokens(2_000_000), tokens(1_000));
    let account = |n| GenesisAccount { address: key(n).address(), theta, tfuel };
    let [source, holder] = [1, 1].map(|n| key(n).address());
    let stake = GenesisStake { source, holder, amount: tokens(500_000) };
    let mut genesis =
        assemble(params, 1, (1..10).map(account).collect(), vec![stake], Vec::new()).expect("a valid genesis");
    let (holder, secret) = guardian();
    genesis.guardians = vec![genesis_guardian(source, holder, tokens(100_000), &secret)];
    genesis
}

struct Bench {
    chain: Chain,
    judge: EvidenceJudge,
    mempool: Mutex<Mempool<Screen>>,
    set: GuardianSet,
}

impl Bench {
    /// On the block after the first checkpoint, whose state names the guardians.
    fn new() -> Self {
        let genesis = genesis();
        let block = GenesisBlock::of(&genesis).expect("valid");
        let (chain, _) = Chain::open(Arc::new(MemoryStore::default()), &genesis, &block, 1).expect("opens");
        let mut head = chain.head().as_parent.clone();
        for height in 1..=T + 1 {
            head = next(&chain, &head, height);
        }
        let judge = EvidenceJudge::new(Arc::clone(chain.proofs()));
        let params = Arc::clone(chain.params());
        let set = queries::guardians(&head.state).expect("reads");
        let screen = Screen::new(params, judge.for_mempool(), head.state, head.height);
        let mempool = Mutex::new(Mempool::new(Config::default(), screen));
        Self { chain, judge, mempool, set }
    }

    fn votes(&self, block: u8) -> AggregatedVotes {
        let set_hash = self.set.hash();
        let checkpoint = Checkpoint { resets: 0, height: T, block_hash: Hash::repeat_byte(block), set_hash };
        let message = checkpoint.message(&self.chain.sign_domain());
        let signature = guardian().1.sign(self.chain.scheme(), message.as_slice()).to_bytes().into();
        AggregatedVotes { checkpoint, signers: signer_vectors::pack(&[1]).into(), signature }
    }

    /// Votes for these blocks; a forged one has the signature of another block.
    fn fault(&self, blocks: [u8; 2], forged: bool) -> Box<(AggregatedVotes, AggregatedVotes)> {
        let [a, mut b] = blocks.map(|block| self.votes(block));
        if forged {
            b.signature = a.signature;
        }
        Box::new((a, b))
    }

    /// A report by key `n`, its first transaction.
    fn report(&self, n: u8, votes: &(AggregatedVotes, AggregatedVotes)) -> VerifiedTx {
        let evidence = Evidence::GuardianDoubleVote(guardian().0, Box::new(votes.clone()));
        let proposer = TxInput { address: key(n).address(), sequence: 1, ..TxInput::default() };
        let slash_proof = evidence.to_bytes().into();
        let mut tx = Tx::Slash(Slash { proposer, slashed_address: guardian().0, reserve_sequence: 0, slash_proof });
        let params = self.chain.params();
        sign_tx(&params.chain_id, &mut tx, 0, &key(n)).expect("a slot");
        let domain = TxDomain { chain_id: params.chain_id.clone(), forks: params.forks.clone() };
        verify_tx(&domain, tx.to_raw().into()).expect("decodes")
    }

    /// Judges at `now`; a judgement takes so long as `takes`.
    fn judge(&self, tx: &VerifiedTx, now: Duration, takes: Duration) -> Result<(), Refused> {
        let readings = std::cell::Cell::new(0);
        let clock = || now + takes * readings.replace(readings.get() + 1);
        self.judge.judge(&self.mempool, tx, &clock)
    }
}

fn next(chain: &Chain, parent: &Parent, height: u64) -> Parent {
    let (proposer, chain_id) = (key(1).address(), chain.params().chain_id.clone());
    let header = BlockHeader { height, timestamp: 2, proposer, chain_id, ..BlockHeader::default() };
    let sign = |digest: &Hash| key(1).sign(digest);
    let proposal = Proposal { header, allow_set_change: true, candidates: &[], sign: &sign };
    let (params, proofs) = (chain.params(), chain.proofs().as_ref());
    let env = Env { params, hasher: &ScalarHasher, proofs, ancestors: &NoAncestors };
    let built = build_block(&env, parent, proposal).expect("builds");
    built.outcome.as_parent(&built.block.header)
}

#[test]
fn a_true_report_enters_and_under_the_lock_nothing_is_judged() {
    let bench = Bench::new();
    let votes = bench.fault([1, 2], true);
    let tx = bench.report(2, &votes);
    assert_eq!(lock(&bench.mempool).insert(0, Arc::new(tx)), Ok(()), "nobody asked the judge");
    assert_eq!([&votes.0, &votes.1].map(|votes| bench.chain.proofs().known(votes)), [None, None]);

    let bench = Bench::new();
    let tx = bench.report(2, &bench.fault([1, 2], false));
    assert_eq!(bench.judge(&tx, SECOND, SECOND), Ok(()));
    assert_eq!(lock(&bench.mempool).insert(2_000, Arc::new(tx)), Ok(()));
}

#[test]
fn who_forges_is_remembered_and_so_is_what_was_forged() {
    let bench = Bench::new();
    let (forged, good) = (bench.fault([1, 2], true), bench.fault([1, 2], false));
    let refused = bench.judge(&bench.report(2, &forged), SECOND, SECOND).expect_err("forged");
    assert!(refused.is_bad_signature(), "{refused}");
    assert_eq!([&forged.0, &forged.1].map(|votes| bench.chain.proofs().known(votes)), [Some(true), Some(false)]);
    let liar = bench.judge(&bench.report(2, &good), 2 * SECOND, SECOND).expect_err("a liar");
    assert!(matches!(liar, Refused::Liar { .. }), "{liar}");
    // Somebody else sends the same while the judge has no time for more: it is known, and blamed.
    let again = bench.judge(&bench.report(3, &forged), 2 * SECOND, SECOND).expect_err("forged");
    assert!(again.is_bad_signature(), "{again}");
}

#[test]
fn a_tenth_of_the_time_at_most_and_who_waits_is_not_blamed() {
    let bench = Bench::new();
    let lie = |n, block| bench.report(n, &bench.fault([1, block], true));
    let refused = bench.judge(&lie(2, 2), SECOND, SECOND).expect_err("forged");
    assert!(refused.is_bad_signature());
    // It took until 2 s, so nine more seconds must pass.
    let busy = bench.judge(&lie(3, 3), Duration::from_millis(10_999), SECOND);
    assert_eq!(busy, Err(Refused::Busy));
    assert!(!Refused::Busy.is_bad_signature());
    let refused = bench.judge(&lie(3, 3), 11 * SECOND, SECOND).expect_err("forged");
    assert!(refused.is_bad_signature(), "{refused}");
}

#[test]
fn what_fails_before_its_votes_are_judged_keeps_nobody_waiting() {
    let bench = Bench::new();
    let unknown = bench.report(99, &bench.fault([1, 2], true));
    let refused = bench.judge(&unknown, SECOND, SECOND).expect_err("no account");
    assert!(refused.to_string().contains("reporter account"), "{refused}");
    assert_eq!(bench.judge(&bench.report(2, &bench.fault([1, 3], false)), 2 * SECOND, SECOND), Ok(()));
}

/// The time that others keep a lock is none in which evidence was judged.
#[test]
fn the_time_of_a_judgement_begins_after_the_locks() {
    let bench = Bench::new();
    let tx = bench.report(2, &bench.fault([1, 2], false));
    let locked = std::cell::RefCell::new(Vec::new());
    let clock = || {
        locked.borrow_mut().push([bench.mempool.try_lock().is_err(), bench.judge.free_at.try_lock().is_err()]);
        SECOND
    };
    assert_eq!(bench.judge.judge(&bench.mempool, &tx, &clock), Ok(()));
    assert_eq!(locked.into_inner(), [[true, true], [false, true]], "mempool and judge, at the beginning and the end");
}
