//! What is run: contracts (`bench/contracts`), and transactions that call them.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;
use vigil_crypto::{Scalar, SecretKey, TxDomain, VerifiedTx, sign_tx, verify_txs};
use vigil_primitives::{Address, Bytes, Coins, Hash, SmartContract, Tx, TxInput, TxOutput, U256, keccak256};

/// Transactions in order.
pub(super) type Txs = Vec<Arc<VerifiedTx>>;

/// The price of gas: the base fee.
const GAS_PRICE: u64 = 4_000_000_000_000;
/// Accounts that get tokens in one transaction, and words that are filled in one.
const MINTED: usize = 400;
const FILLED: usize = 700;
/// Words in the storage before it is measured.
const WORDS: usize = 100_000;

/// Accounts with coins. The first is the proposer, and deploys.
pub(super) struct People {
    pub(super) addresses: Vec<Address>,
}

impl People {
    pub(super) fn new(count: usize) -> Self {
        Self { addresses: (0..count).map(|n| Self::key_of(n).address()).collect() }
    }

    fn key_of(n: usize) -> SecretKey {
        let seed = keccak256(format!("vigil-bench evm account {n}"));
        SecretKey::from_bytes(&seed.0).expect("a hash is below the group order but for odds of 2^-128")
    }

    pub(super) fn key(&self, n: usize) -> SecretKey {
        Self::key_of(n)
    }
}

/// Kinds of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Workload {
    /// Transfers of a token between random accounts.
    #[value(name = "erc20-transfer")]
    Erc20,
    /// Arithmetic and hashing.
    Compute,
    /// Words of a large storage: new, changed and read.
    Storage,
}

impl Workload {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Erc20 => "erc20-transfer",
            Self::Compute => "compute",
            Self::Storage => "storage",
        }
    }

    pub(super) fn source(self, people: &People) -> Source<'_> {
        let sequences = vec![0; people.addresses.len()];
        let random = ChaCha8Rng::seed_from_u64(6);
        Source { workload: self, people, sequences, random, waiting: Txs::new() }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Erc20 => include_str!("../../contracts/Token.hex"),
            Self::Compute => include_str!("../../contracts/Compute.hex"),
            Self::Storage => include_str!("../../contracts/Store.hex"),
        }
    }

    /// Most gas of a transaction: a little more than it needs, as a block sets it aside.
    fn gas_limit(self) -> u64 {
        match self {
            Self::Erc20 => 60_000,
            Self::Compute => 3_000_000,
            Self::Storage => 2_000_000,
        }
    }

    /// More transactions than a block takes.
    fn batch(self) -> usize {
        match self {
            Self::Erc20 => 2_500,
            Self::Compute | Self::Storage => 70,
        }
    }
}

/// Makes transactions, each account's in order of its sequence.
pub(super) struct Source<'a> {
    workload: Workload,
    people: &'a People,
    sequences: Vec<u64>,
    random: ChaCha8Rng,
    /// Made and not taken.
    waiting: Txs,
}

impl Source<'_> {
    /// What deploys the contract and fills it.
    pub(super) fn preparation(&mut self) -> Vec<Txs> {
        let code = alloy_primitives::hex::decode(self.workload.code().trim()).expect("hex");
        let deploy = self.sign(0, None, code.into(), 5_000_000);
        let contract = self.contract();
        let mut fill = Vec::new();
        match self.workload {
            Workload::Erc20 => {
                for some in self.people.addresses.chunks(MINTED) {
                    let mut data = call("mint(address[],uint256)", &[U256::from(64), U256::from(1_000_000)]);
                    data.extend_from_slice(&U256::from(some.len()).to_be_bytes::<32>());
                    some.iter().for_each(|to| data.extend_from_slice(to.into_word().as_slice()));
                    fill.push(self.sign(0, Some(contract), data.into(), 20_000_000));
                }
            }
            Workload::Compute => {}
            Workload::Storage => {
                for from in (0..WORDS).step_by(FILLED) {
                    let count = FILLED.min(WORDS - from);
                    let data = call("fill(uint256,uint256)", &[U256::from(from), U256::from(count)]);
                    fill.push(self.sign(0, Some(contract), data.into(), 20_000_000));
                }
            }
        }
        vec![verify(vec![deploy]), verify(fill)]
    }

    /// Transactions for a block: more than it takes.
    pub(super) fn block(&mut self) -> Txs {
        let missing = self.workload.batch().saturating_sub(self.waiting.len());
        let made = (0..missing).map(|_| self.one()).collect();
        self.waiting.extend(verify(made));
        self.waiting.clone()
    }

    /// So many of them were taken.
    pub(super) fn took(&mut self, count: usize) {
        self.waiting.drain(..count);
    }

    fn one(&mut self) -> Tx {
        let count = self.people.addresses.len();
        let from = self.random.random_range(0..count);
        let data = match self.workload {
            Workload::Erc20 => {
                let to = self.people.addresses[self.random.random_range(0..count)];
                call("transfer(address,uint256)", &[to.into_word().into(), U256::from(1)])
            }
            Workload::Compute => call("run(uint256)", &[U256::from(10_000)]),
            Workload::Storage => {
                let seed = U256::from(self.random.random::<u64>());
                call("run(uint256,uint256,uint256)", &[seed, U256::from(40), U256::from(WORDS)])
            }
        };
        self.sign(from, Some(self.contract()), data.into(), self.workload.gas_limit())
    }

    fn contract(&self) -> Address {
        self.people.addresses[0].create(0)
    }

    fn sign(&mut self, from: usize, to: Option<Address>, data: Bytes, gas_limit: u64) -> Tx {
        self.sequences[from] += 1;
        let (address, sequence) = (self.people.addresses[from], self.sequences[from]);
        let mut tx = Tx::SmartContract(SmartContract {
            from: TxInput { address, sequence, ..TxInput::default() },
            to: TxOutput { address: to.unwrap_or_default(), coins: Coins::ZERO },
            gas_limit,
            gas_price: U256::from(GAS_PRICE),
            data,
        });
        let params = super::chain::params();
        sign_tx(&params.chain_id, &mut tx, 0, &self.people.key(from)).expect("it has one signature");
        tx
    }
}

fn verify(txs: Vec<Tx>) -> Txs {
    let params = super::chain::params();
    let domain = TxDomain { chain_id: params.chain_id, forks: params.forks };
    let raws = txs.iter().map(|tx| Bytes::from(tx.to_raw()));
    verify_txs(&Scalar, &domain, raws).into_iter().map(|tx| Arc::new(tx.expect("just encoded"))).collect()
}

/// Input of a call: the selector and words.
fn call(signature: &str, words: &[U256]) -> Vec<u8> {
    let hash: Hash = keccak256(signature);
    let mut data = hash[..4].to_vec();
    words.iter().for_each(|word| data.extend_from_slice(&word.to_be_bytes::<32>()));
    data
}
