//! The other side: revm as it comes, with its own database in memory.

use super::chain::{Chain, params};
use super::workload::People;
use revm::context::{BlockEnv, CfgEnv, Context, Journal, TxEnv};
use revm::database::{CacheDB, EmptyDB};
use revm::primitives::TxKind;
use revm::primitives::hardfork::SpecId;
use revm::state::AccountInfo;
use revm::{ExecuteCommitEvm, MainBuilder, MainContext};
use std::sync::Arc;
use std::time::{Duration, Instant};
use vigil_crypto::VerifiedTx;
use vigil_primitives::{BlockHeader, U256};

type Db = CacheDB<EmptyDB>;
type Ctx = Context<BlockEnv, TxEnv, CfgEnv, Db, Journal<Db>, ()>;

pub(super) struct Plain(revm::handler::MainnetEvm<Ctx>);

impl Plain {
    /// With the accounts of our genesis.
    pub(super) fn new(people: &People) -> Self {
        let mut db = Db::default();
        for (n, address) in people.addresses.iter().enumerate() {
            db.insert_account_info(*address, AccountInfo { balance: Chain::balance(n), ..AccountInfo::default() });
        }
        let mut cfg = CfgEnv::new_with_spec(SpecId::OSAKA);
        cfg.tx_chain_id_check = false;
        cfg.tx_gas_limit_cap = Some(params().tx_gas_max);
        Self(Context::mainnet().with_db(db).with_cfg(cfg).build_mainnet())
    }

    /// Runs the transactions of a block, and commits each. Success and gas of each, and the time of all.
    pub(super) fn execute(&mut self, header: &BlockHeader, txs: &[Arc<VerifiedTx>]) -> (Vec<(bool, u64)>, Duration) {
        let start = Instant::now();
        let block = BlockEnv {
            number: U256::from(header.height),
            beneficiary: header.proposer,
            timestamp: U256::from(header.timestamp),
            gas_limit: params().block_gas_max,
            basefee: 4_000_000_000_000,
            prevrandao: Some(header.parent),
            ..self.0.ctx.block.clone()
        };
        self.0.ctx.block = block;
        let mut results = Vec::with_capacity(txs.len());
        for tx in txs {
            let call = tx.tx().contract_call().expect("contract transactions alone");
            let tx = TxEnv {
                caller: call.from,
                gas_limit: call.gas_limit,
                gas_price: call.max_fee_per_gas.to(),
                kind: call.to.map_or(TxKind::Create, TxKind::Call),
                value: call.value,
                data: call.data.clone(),
                nonce: call.sequence - 1,
                chain_id: None,
                ..TxEnv::default()
            };
            let result = self.0.transact_commit(tx).expect("a valid transaction");
            results.push((result.is_success(), result.tx_gas_used()));
        }
        (results, start.elapsed())
    }
}
