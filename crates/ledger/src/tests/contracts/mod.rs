//! Contracts in blocks. Every block is built, executed by a receiver with nothing in memory, and its coins are counted.

mod environment;
mod fees;
mod lifecycle;
mod receipts;
mod refused;
mod script;
mod stakes;
mod stakes_limits;
mod storage;
mod theta;

use super::actors::{Chain, address, input, key, output, params, signed};
use crate::{BuiltBlock, queries};
use script::{Do, creation, machine, script};
use std::sync::Arc;
use vigil_crypto::{TxDomain, VerifiedTx, verify_tx};
use vigil_primitives::{
    Account, Address, Bytes, ChainParams, Coins, EMPTY_CODE_HASH, Receipt, SmartContract, Tx, U256, chain_id_number,
    keccak256,
};
use vigil_testkit::ethereum::{EthTx, type_12};
use vigil_trie::Trie;

/// Least gas price, which is the base fee.
const PRICE: u64 = 4_000_000_000_000;
/// Enough for all that is not about gas.
const GAS: u64 = 5_000_000;

/// A native contract transaction (type 7) of person `from`.
#[derive(Clone)]
struct Call {
    from: u16,
    sequence: u64,
    to: Option<Address>,
    coins: Coins,
    gas: u64,
    price: U256,
    data: Vec<u8>,
}

impl Call {
    fn new(from: u16, sequence: u64, to: Option<Address>, data: Vec<u8>) -> Self {
        Self { from, sequence, to, coins: Coins::ZERO, gas: GAS, price: U256::from(PRICE), data }
    }

    fn with(self, coins: Coins) -> Self {
        Self { coins, ..self }
    }

    fn gas(self, gas: u64) -> Self {
        Self { gas, ..self }
    }

    fn sign(&self, params: &ChainParams) -> Arc<VerifiedTx> {
        let tx = SmartContract {
            from: input(self.from, self.coins, self.sequence),
            to: output(self.to.unwrap_or_default(), Coins::ZERO),
            gas_limit: self.gas,
            gas_price: self.price,
            data: self.data.clone().into(),
        };
        signed(params, Tx::SmartContract(tx), &[self.from])
    }
}

/// A typed Ethereum transaction (type 12) of person `from`.
fn ethereum(params: &ChainParams, from: u16, tx: &EthTx) -> Arc<VerifiedTx> {
    let domain = TxDomain { chain_id: params.chain_id.clone(), forks: params.forks.clone() };
    let tx = EthTx { chain_id: chain_id_number(&params.chain_id, 1, &params.forks), ..tx.clone() };
    let signature = key(from).sign(&keccak256(tx.unsigned()));
    let raw = type_12(&tx.signed(signature.as_array().expect("65 bytes")));
    let verified = verify_tx(&domain, raw.into()).expect("a transaction");
    assert!(verified.all_valid());
    Arc::new(verified)
}

/// Five people with 10 million and 50 million tokens.
fn chain() -> Chain {
    Chain::new(params(), 5)
}

fn chain_on(fork: &str) -> Chain {
    Chain::new(ChainParams { evm_fork: fork.into(), ..params() }, 5)
}

impl Chain {
    /// Puts calls into a block; all must be taken. Their receipts.
    fn calls(&mut self, calls: &[Call]) -> Vec<Receipt> {
        let txs: Vec<_> = calls.iter().map(|call| call.sign(&self.params)).collect();
        let built = self.step_all(&txs);
        assert_eq!(built.outcome.receipts.len(), calls.len());
        built.outcome.receipts
    }

    /// A block with one transaction of person `from`.
    fn send_call(&mut self, from: u16, to: Option<Address>, coins: Coins, data: Vec<u8>) -> Receipt {
        let sequence = self.sequence(from) + 1;
        self.calls(&[Call::new(from, sequence, to, data).with(coins)]).remove(0)
    }

    /// [`Self::send_call`] of person 1 without coins; it must succeed.
    fn call(&mut self, to: Address, data: Vec<u8>) -> Receipt {
        let receipt = self.send_call(1, Some(to), Coins::ZERO, data);
        assert!(receipt.success, "{}", receipt.error);
        receipt
    }

    /// Has a contract do these steps; they must succeed.
    fn run(&mut self, machine: Address, steps: &[Do]) -> Receipt {
        self.call(machine, script(steps))
    }

    /// Person 1 makes a contract with this code.
    fn deploy(&mut self, code: &[u8]) -> Address {
        let receipt = self.send_call(1, None, Coins::ZERO, creation(code));
        assert!(receipt.success && receipt.created, "{}", receipt.error);
        receipt.contract
    }

    /// A contract that does what it is told ([`script`]).
    fn machine(&mut self) -> Address {
        self.deploy(&machine())
    }

    fn sequence(&self, person: u16) -> u64 {
        self.account(&address(person)).sequence
    }

    fn maybe(&self, address: &Address) -> Option<Account> {
        queries::account(&self.head.state, self.head.height, address).expect("reads")
    }

    fn theta_of(&self, address: &Address) -> U256 {
        self.maybe(address).map(|account| account.balance.theta).unwrap_or_default()
    }

    fn tfuel_of(&self, address: &Address) -> U256 {
        self.maybe(address).map(|account| account.balance.tfuel).unwrap_or_default()
    }

    /// A word of storage, read from the stored nodes alone.
    fn word(&self, address: &Address, slot: u64) -> U256 {
        let root = self.account(address).storage_root;
        if root.is_zero() {
            return U256::ZERO;
        }
        let key = U256::from(slot).to_be_bytes::<32>();
        let value = Trie::open(root).get(&*self.nodes, &key).expect("its nodes are stored");
        value.map_or(U256::ZERO, |bytes| vigil_primitives::rlp::decode_exact("word", &bytes, 33).expect("a number"))
    }

    fn code(&self, address: &Address) -> Option<Bytes> {
        let hash = self.account(address).code_hash;
        if hash == EMPTY_CODE_HASH { None } else { self.head.state.value(&crate::keys::code(&hash)).expect("reads") }
    }
}

fn only(built: &BuiltBlock) -> &Receipt {
    assert_eq!(built.outcome.receipts.len(), 1);
    &built.outcome.receipts[0]
}

fn tfuel(wei: u64) -> Coins {
    Coins::tfuel(U256::from(wei))
}

fn fee_of(gas: u64) -> U256 {
    U256::from(gas) * U256::from(PRICE)
}
