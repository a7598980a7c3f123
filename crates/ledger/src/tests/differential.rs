//! Random programs: our machine on a view, and plain revm on its own database, under Ethereum's rules.

mod programs;

use super::ethereum_state::Numbers;
use super::random::Random;
use crate::contracts::Contracts;
use crate::error::ApplyError;
use crate::keys;
use crate::state::{State, decode};
use crate::tx::contract;
use crate::view::View;
use programs::{Programs, program};
use revm::context::result::{ExecutionResult, Output};
use revm::context::{BlockEnv, TxEnv};
use revm::context_interface::block::BlobExcessGasAndPrice;
use revm::database::{AccountState, CacheDB, EmptyDB};
use revm::primitives::TxKind;
use revm::primitives::hardfork::SpecId;
use revm::state::{AccountInfo, Bytecode};
use revm::{Context, ExecuteCommitEvm, MainBuilder, MainContext};
use std::collections::HashMap;
use std::sync::Arc;
use vigil_evm::{BlockContext, Fees, Fork, Message, Rules};
use vigil_primitives::{Account, Address, Bytes, ChainParams, Coins, Hash, Receipt, U256, keccak256, rlp};
use vigil_testkit::vectors::long;
use vigil_trie::{EMPTY_ROOT, NoNodes, ScalarHasher, Trie};

const FORKS: [(&str, SpecId); 6] = [
    ("petersburg", SpecId::PETERSBURG),
    ("istanbul", SpecId::ISTANBUL),
    ("berlin", SpecId::BERLIN),
    ("shanghai", SpecId::SHANGHAI),
    ("cancun", SpecId::CANCUN),
    ("osaka", SpecId::OSAKA),
];
/// Transactions of a case, two of which are a block of their own.
const TXS: u64 = 6;
const HEIGHT: u64 = 1_000;

#[test]
fn random_programs() {
    let cases = if long() { 20_000 } else { 600 };
    let mut seen = [0u32; 3];
    for seed in 1..=cases {
        let outcomes = Case::new(seed).run();
        outcomes.iter().for_each(|outcome| seen[*outcome as usize] += 1);
    }
    eprintln!("{cases} cases (seeds 1 to {cases}): {} succeeded, {} reverted, {} broke", seen[0], seen[1], seen[2]);
    assert!(seen.iter().all(|count| u64::from(*count) > cases / 10), "{seen:?}: programs that say little");
}

#[derive(Clone, Copy)]
enum Outcome {
    Success,
    Reverted,
    Halted,
}

/// What both gave for a transaction.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    success: bool,
    gas: u64,
    output: Bytes,
    logs: Vec<revm::primitives::Log>,
}

struct Case {
    seed: u64,
    random: Programs,
    fork: (&'static str, SpecId),
    nodes: HashMap<Hash, Bytes>,
    root: Hash,
    theirs: CacheDB<EmptyDB>,
}

impl Case {
    fn new(seed: u64) -> Self {
        let mut random = Programs { random: Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)), spec: SpecId::OSAKA };
        let fork = FORKS[random.below(FORKS.len() as u64) as usize];
        random.spec = fork.1;
        let mut view = View::new(State::open(EMPTY_ROOT, Arc::new(NoNodes)), 0);
        let mut theirs = CacheDB::new(EmptyDB::default());
        for n in 0..6 {
            let code = if n == 0 { Bytes::new() } else { program(&mut random).into() };
            let balance = U256::from(if n == 0 { 1_000_000_000_000 } else { random.below(1_000) });
            let (address, nonce, hash) = (place(n), u64::from(n > 0), keccak256(&code));
            view.set_account(Account {
                sequence: nonce,
                balance: Coins::tfuel(balance),
                code_hash: hash,
                ..Account::new(address, 0)
            });
            if !code.is_empty() {
                view.set_raw(keys::code(&hash), code.clone());
            }
            let slots: Vec<_> =
                (0..random.below(4)).map(|slot| (U256::from(slot), U256::from(1 + random.below(9)))).collect();
            let slots = if n == 0 { Vec::new() } else { slots };
            let code = Bytecode::new_legacy(code);
            theirs.insert_account_info(
                address,
                AccountInfo { balance, nonce, code_hash: hash, code: Some(code), ..AccountInfo::default() },
            );
            for (slot, value) in &slots {
                theirs.insert_account_storage(address, *slot, *value).expect("never fails");
            }
            view.write_storage(address, true, slots);
        }
        view.keep().expect("no overflow");
        let (_, commit) = view.commit(&ScalarHasher).expect("in memory");
        Self { seed, random, fork, nodes: commit.nodes.into_iter().collect(), root: commit.root, theirs }
    }

    fn run(mut self) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        for _ in 0..TXS / 2 {
            let state = State::open(self.root, Arc::new(self.nodes.clone()));
            let mut view = View::new(state, HEIGHT - 1);
            for _ in 0..2 {
                let message = self.message(&mut view);
                let ours = self.ours(&mut view, &message);
                let (theirs, outcome) = self.theirs(&message);
                assert_eq!(ours, theirs, "seed {}, {}, {message:?}", self.seed, self.fork.0);
                outcomes.push(outcome);
            }
            let (_, commit) = view.commit(&ScalarHasher).expect("in memory");
            self.nodes.extend(commit.nodes);
            self.root = commit.root;
            self.compare();
        }
        outcomes
    }

    fn message(&mut self, view: &mut View) -> Message {
        let random = &mut self.random;
        let from = place(0);
        let nonce = view.plain_account(&from).expect("reads").expect("rich").sequence;
        let to = if random.below(4) == 0 { None } else { Some(place(1 + random.below(5) as u8)) };
        let data = if to.is_none() {
            program(random)
        } else {
            (0..random.below(70)).map(|_| random.below(256) as u8).collect()
        };
        let tip = (random.below(3) == 0 && self.fork.1 >= SpecId::LONDON).then(|| u128::from(random.below(5)));
        Message {
            from,
            to,
            nonce,
            value: U256::from(random.below(3) * random.below(1_000)),
            data: data.into(),
            gas_limit: 150_000 + random.below(1_500_000),
            max_fee_per_gas: 10 + u128::from(random.below(5)),
            max_priority_fee_per_gas: tip,
            ..Message::default()
        }
    }

    fn ours(&self, view: &mut View, message: &Message) -> Answer {
        let fork = Fork::from_name(self.fork.0).expect("known");
        let rules = Rules {
            fork,
            chain_number: U256::from(1),
            tx_gas_max: u64::MAX,
            fees: Fees::ToProposer,
            stake_token: false,
        };
        let block = BlockContext {
            height: HEIGHT,
            timestamp: 77,
            proposer: place(9),
            gas_max: 30_000_000,
            base_fee: 7,
            randomness: keccak256("randomness"),
            difficulty: U256::from(5),
            excess_blob_gas: 0,
        };
        let parent = keccak256((HEIGHT - 1).to_string());
        let contracts = Contracts::with(rules, block, parent, &Numbers);
        match contract::run(view, &contracts, &ChainParams::default(), message.clone(), (Hash::ZERO, 0)) {
            Ok(()) => view.keep().expect("no overflow"),
            Err(ApplyError::Refused(error)) => panic!("seed {}: {error}", self.seed),
            Err(ApplyError::State(error)) => panic!("seed {}: {error}", self.seed),
        }
        let receipts: Vec<Receipt> = view.take_receipts();
        let Receipt { success, gas_used: gas, output, logs, .. } = receipts.into_iter().next_back().expect("one");
        Answer { success, gas, output, logs }
    }

    fn theirs(&mut self, message: &Message) -> (Answer, Outcome) {
        let spec = self.fork.1;
        let block = BlockEnv {
            number: U256::from(HEIGHT),
            beneficiary: place(9),
            timestamp: U256::from(77),
            gas_limit: 30_000_000,
            basefee: 7,
            difficulty: U256::from(5),
            prevrandao: Some(keccak256("randomness")),
            blob_excess_gas_and_price: Some(BlobExcessGasAndPrice { excess_blob_gas: 0, blob_gasprice: 1 }),
            ..BlockEnv::default()
        };
        let tx = TxEnv {
            tx_type: if message.max_priority_fee_per_gas.is_some() { 2 } else { 0 },
            caller: message.from,
            gas_limit: message.gas_limit,
            gas_price: message.max_fee_per_gas,
            gas_priority_fee: message.max_priority_fee_per_gas,
            kind: message.to.map_or(TxKind::Create, TxKind::Call),
            value: message.value,
            data: message.data.clone(),
            nonce: message.nonce,
            chain_id: Some(1),
            ..TxEnv::default()
        };
        let context = Context::mainnet().with_db(&mut self.theirs).with_block(block);
        let mut evm = context.modify_cfg_chained(|cfg| cfg.set_spec_and_mainnet_gas_params(spec)).build_mainnet();
        let result = evm.transact_commit(tx).unwrap_or_else(|error| panic!("seed {}: {error}", self.seed));
        let gas = result.tx_gas_used();
        let (outcome, output, logs) = match result {
            ExecutionResult::Success { output: Output::Call(output) | Output::Create(output, _), logs, .. } => {
                (Outcome::Success, output, logs)
            }
            ExecutionResult::Revert { output, .. } => (Outcome::Reverted, output, Vec::new()),
            ExecutionResult::Halt { .. } => (Outcome::Halted, Bytes::new(), Vec::new()),
        };
        (Answer { success: matches!(outcome, Outcome::Success), gas, output, logs }, outcome)
    }

    /// Every account and word of both, ours read from the committed nodes alone.
    fn compare(&self) {
        let state = State::open(self.root, Arc::new(self.nodes.clone()));
        let mut ours = HashMap::new();
        for entry in state.scan(keys::ACCOUNT_PREFIX, &[]) {
            let (key, value) = entry.expect("its nodes are all there");
            let account: Account = decode(&key, &value).expect("an account");
            let mut words = HashMap::new();
            if !account.storage_root.is_zero() {
                for entry in Trie::open(account.storage_root).iter(&self.nodes, &[], &[]) {
                    let (slot, value) = entry.expect("its nodes are all there");
                    words.insert(
                        U256::from_be_slice(&slot),
                        rlp::decode_exact::<U256>("word", &value, 33).expect("a number"),
                    );
                }
            }
            ours.insert(account.address, (account.balance.tfuel, account.sequence, account.code_hash, words));
        }
        let mut theirs = HashMap::new();
        for (address, account) in &self.theirs.cache.accounts {
            let info = &account.info;
            if account.account_state == AccountState::NotExisting || info.is_empty() {
                continue;
            }
            let words: HashMap<U256, U256> = account
                .storage
                .iter()
                .filter(|(_, value)| !value.is_zero())
                .map(|(slot, value)| (*slot, *value))
                .collect();
            theirs.insert(*address, (info.balance, info.nonce, info.code_hash, words));
        }
        assert_eq!(ours, theirs, "seed {}, {}", self.seed, self.fork.0);
    }
}

/// Account number `n`: 0 is the sender, 1 to 5 are contracts, 9 proposes.
fn place(n: u8) -> Address {
    Address::with_last_byte(0x60 + n)
}
