//! A node that is not one, for the Ethereum side.

use super::chain;
use alloy_rpc_types_eth::{AccessListResult, Filter, Log};
use alloy_rpc_types_trace::geth::GethDebugTracingOptions;
use async_trait::async_trait;
use serde_json::json;
use serde_json::value::{RawValue, to_raw_value};
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::{Semaphore, broadcast, watch};
use vigil_primitives::{Address, Bytes, Hash, Height, U256, keccak256};
use vigil_rpc::eth::{
    CallArgs, CallOutcome, Estimate, EthAccount, EthAt, EthBackend, EthBlock, EthBlockSummary, EthError, EthFound,
    EthHeads, EthPlace, EthPool, EthRules, EthSyncing, EthTx,
};

/// How many admitted transactions the channel remembers.
pub(crate) const ADMITTED_MAX: usize = 256;

type Message = (Option<Address>, Bytes);

/// The node. Blocks of the height above the settled one are the tip.
pub(crate) struct FakeEth {
    pub(crate) rules: EthRules,
    pub(crate) finalized: Option<Height>,
    pub(crate) syncing: Mutex<Option<EthSyncing>>,
    pub(crate) blocks: Mutex<BTreeMap<Height, Arc<EthBlock>>>,
    pub(crate) txs: HashMap<Hash, EthFound>,
    /// At a block, or anywhere.
    pub(crate) accounts: HashMap<(Address, Option<Hash>), EthAccount>,
    pub(crate) codes: HashMap<Address, Bytes>,
    pub(crate) slots: HashMap<(Address, U256), Hash>,
    pub(crate) outcomes: HashMap<Message, Result<CallOutcome, EthError>>,
    pub(crate) estimates: HashMap<Message, Estimate>,
    pub(crate) access_lists: HashMap<Message, AccessListResult>,
    /// Beside those of the blocks.
    pub(crate) logs: Vec<Log>,
    pub(crate) pool: EthPool,
    /// What the last call asked for.
    pub(crate) asked: Mutex<Option<CallArgs>>,
    /// What the last trace was to be.
    pub(crate) traced: Mutex<Option<GethDebugTracingOptions>>,
    /// Ranges that were asked for.
    pub(crate) ranges: Mutex<Vec<(Height, Height)>>,
    /// More logs than this match too many.
    pub(crate) logs_max: usize,
    /// Data of each trace, in bytes.
    pub(crate) trace_bytes: usize,
    pub(crate) block_reads: AtomicUsize,
    /// Reads of logs wait until it has room.
    pub(crate) logs_gate: Semaphore,
    pub(crate) settled: watch::Sender<Height>,
    pub(crate) admitted: broadcast::Sender<Arc<EthTx>>,
}

impl FakeEth {
    /// Without blocks, settled at a height.
    pub(crate) fn empty(settled: Height) -> Self {
        Self {
            rules: chain::rules(),
            finalized: None,
            syncing: Mutex::default(),
            blocks: Mutex::default(),
            txs: HashMap::new(),
            accounts: HashMap::new(),
            codes: HashMap::new(),
            slots: HashMap::new(),
            outcomes: HashMap::new(),
            estimates: HashMap::new(),
            access_lists: HashMap::new(),
            logs: Vec::new(),
            pool: EthPool::default(),
            asked: Mutex::default(),
            traced: Mutex::default(),
            ranges: Mutex::default(),
            logs_max: vigil_rpc::limits::LOGS_MAX,
            trace_bytes: 0,
            block_reads: AtomicUsize::new(0),
            logs_gate: Semaphore::new(1),
            settled: watch::channel(settled).0,
            admitted: broadcast::channel(ADMITTED_MAX).0,
        }
    }

    /// The small chain up to settled block 5, finalized 3, with tip 6.
    pub(crate) fn small() -> Self {
        let mut fake = Self { finalized: Some(3), ..Self::empty(5) };
        fake.blocks = Mutex::new((0..=6).map(|number| (number, Arc::new(chain::block(number)))).collect());
        for number in 1..=5 {
            for (info, place) in places(&chain::block(number)) {
                fake.txs.insert(info.tx.hash, EthFound::Settled(Box::new(info), place));
            }
        }
        let waiting = Arc::new(chain::tx(8, 2));
        fake.txs.insert(waiting.hash, EthFound::Pending(waiting.clone()));
        fake.pool = EthPool { pending: vec![waiting], queued: vec![Arc::new(chain::tx(9, 0))] };
        let account = EthAccount { balance: U256::from(1_000), nonce: 15 };
        fake.accounts.insert((chain::address(0xf0), None), account);
        fake.codes.insert(chain::address(0xcc), Bytes::from(vec![0x60, 0x01]));
        fake.slots.insert((chain::address(0xcc), U256::from(7)), chain::topic(0x38));
        fake
    }

    /// Settles the next block.
    pub(crate) fn settle(&self) {
        let number = *self.settled.borrow() + 1;
        self.blocks.lock().unwrap().insert(number, Arc::new(chain::block(number)));
        self.settled.send_replace(number);
    }

    /// Settles up to a height; these blocks have nothing but logs.
    pub(crate) fn settle_to(&self, height: Height) {
        self.settled.send_replace(height);
    }

    /// Admits a transaction.
    pub(crate) fn admit(&self, tx: EthTx) {
        let _nobody_listens = self.admitted.send(Arc::new(tx));
    }

    fn find(&self, at: EthAt) -> Option<Arc<EthBlock>> {
        let settled = *self.settled.borrow();
        let blocks = self.blocks.lock().unwrap();
        match at {
            EthAt::Settled => blocks.get(&settled).cloned(),
            EthAt::Tip => blocks.last_key_value().map(|(_, block)| block.clone()),
            EthAt::Number(number) => blocks.get(&number).filter(|_| number <= settled).cloned(),
            EthAt::Hash(hash) => blocks.values().find(|block| block.hash == hash).cloned(),
        }
    }

    /// Heights from 900 on are pruned; a state needs a block.
    fn state(&self, at: EthAt) -> Result<Option<Hash>, EthError> {
        match at {
            EthAt::Number(number @ 900..1_000) => Err(EthError::Pruned(number)),
            EthAt::Number(_) => self.find(at).map(|block| Some(block.hash)).ok_or(EthError::UnknownBlock),
            EthAt::Hash(hash) if hash == Hash::repeat_byte(0xee) => Err(EthError::UnknownBlock),
            EthAt::Hash(hash) => Ok(Some(hash)),
            EthAt::Settled | EthAt::Tip => Ok(None),
        }
    }

    fn matching(&self, filter: &Filter, wanted: impl Fn(&Log) -> bool) -> Result<Vec<Log>, EthError> {
        let blocks = self.blocks.lock().unwrap();
        let of_blocks = blocks.values().flat_map(|block| logs(block));
        let all = self.logs.iter().cloned().chain(of_blocks);
        let logs: Vec<Log> = all.filter(|log| wanted(log) && filter.matches(&log.inner)).collect();
        if logs.len() > self.logs_max {
            return Err(EthError::TooManyLogs(self.logs_max));
        }
        Ok(logs)
    }

    fn trace(&self, options: GethDebugTracingOptions) -> Box<RawValue> {
        *self.traced.lock().unwrap() = Some(options);
        to_raw_value(&json!({"type": "CALL", "data": "x".repeat(self.trace_bytes)})).unwrap()
    }
}

/// Where each transaction stands: a plain second count.
pub(crate) fn places(block: &EthBlock) -> Vec<(vigil_rpc::eth::EthTxInfo, EthPlace)> {
    let place = |index: usize| EthPlace {
        block_hash: block.hash,
        number: block.header.height,
        timestamp: block.header.timestamp,
        index: index as u64,
        first_log: block.txs[..index].iter().map(|info| info.receipt.logs.len() as u64).sum(),
    };
    block.txs.iter().cloned().enumerate().map(|(index, info)| (info, place(index))).collect()
}

fn logs(block: &EthBlock) -> Vec<Log> {
    let all = places(block).into_iter().flat_map(|(info, place)| {
        info.receipt.logs.into_iter().map(move |inner| (inner, info.tx.hash, place)).collect::<Vec<_>>()
    });
    let log = |(index, (inner, hash, place)): (usize, (_, Hash, EthPlace))| Log {
        inner,
        block_hash: Some(place.block_hash),
        block_number: Some(place.number),
        block_timestamp: Some(place.timestamp),
        transaction_hash: Some(hash),
        transaction_index: Some(place.index),
        log_index: Some(index as u64),
        removed: false,
    };
    all.enumerate().map(log).collect()
}

fn message(args: &CallArgs) -> Message {
    let to = args.request.to.and_then(|to| to.to().copied());
    (to, args.request.input.input.clone().unwrap_or_default())
}

#[async_trait]
impl EthBackend for FakeEth {
    fn rules(&self) -> EthRules {
        self.rules.clone()
    }

    fn client_version(&self) -> String {
        "Vigil/v0.1.0/<test>".to_owned()
    }

    fn heads(&self) -> EthHeads {
        let blocks = self.blocks.lock().unwrap();
        let head = |number: Height| (number, blocks.get(&number).map(|block| block.hash).unwrap_or_default());
        EthHeads { settled: head(*self.settled.borrow()), finalized: self.finalized.map(head) }
    }

    fn syncing(&self) -> Option<EthSyncing> {
        *self.syncing.lock().unwrap()
    }

    fn peers(&self) -> u64 {
        18
    }

    async fn block(&self, at: EthAt) -> Result<Option<Arc<EthBlock>>, EthError> {
        self.block_reads.fetch_add(1, Ordering::Relaxed);
        Ok(self.find(at))
    }

    async fn summary(&self, height: Height) -> Result<Option<EthBlockSummary>, EthError> {
        let summary = |block: Arc<EthBlock>| EthBlockSummary {
            hash: block.hash,
            gas_used: block.txs.last().map_or(0, |info| info.receipt.cumulative_gas_used),
        };
        Ok(self.find(EthAt::Number(height)).map(summary))
    }

    async fn transaction(&self, hash: Hash) -> Result<Option<EthFound>, EthError> {
        Ok(self.txs.get(&hash).cloned())
    }

    async fn account(&self, address: Address, at: EthAt) -> Result<EthAccount, EthError> {
        let at = self.state(at)?;
        let found = self.accounts.get(&(address, at)).or_else(|| self.accounts.get(&(address, None)));
        Ok(found.copied().unwrap_or_default())
    }

    async fn code(&self, address: Address, at: EthAt) -> Result<Bytes, EthError> {
        self.state(at)?;
        Ok(self.codes.get(&address).cloned().unwrap_or_default())
    }

    async fn storage(&self, address: Address, slot: U256, at: EthAt) -> Result<Hash, EthError> {
        self.state(at)?;
        Ok(self.slots.get(&(address, slot)).copied().unwrap_or_default())
    }

    async fn nonce_pending(&self, address: Address) -> Result<u64, EthError> {
        Ok(self.account(address, EthAt::Settled).await?.nonce + 2)
    }

    async fn call(&self, args: CallArgs) -> Result<CallOutcome, EthError> {
        self.state(args.at)?;
        let outcome = self.outcomes.get(&message(&args)).cloned();
        *self.asked.lock().unwrap() = Some(args);
        outcome.unwrap_or(Ok(CallOutcome::Success { output: Bytes::new(), gas_used: 21_000 }))
    }

    async fn estimate_gas(&self, args: CallArgs) -> Result<Estimate, EthError> {
        let estimate = self.estimates.get(&message(&args)).cloned();
        *self.asked.lock().unwrap() = Some(args);
        Ok(estimate.unwrap_or(Estimate::Gas(21_000)))
    }

    async fn create_access_list(&self, args: CallArgs) -> Result<AccessListResult, EthError> {
        Ok(self.access_lists.get(&message(&args)).cloned().unwrap_or_default())
    }

    async fn trace_call(&self, args: CallArgs, options: GethDebugTracingOptions) -> Result<Box<RawValue>, EthError> {
        *self.asked.lock().unwrap() = Some(args);
        Ok(self.trace(options))
    }

    async fn trace_transaction(
        &self,
        hash: Hash,
        options: GethDebugTracingOptions,
    ) -> Result<Option<Box<RawValue>>, EthError> {
        Ok(self.txs.contains_key(&hash).then(|| self.trace(options)))
    }

    async fn trace_block(&self, at: EthAt, options: GethDebugTracingOptions) -> Result<Box<RawValue>, EthError> {
        self.find(at).ok_or(EthError::UnknownBlock)?;
        Ok(self.trace(options))
    }

    async fn logs(&self, from: Height, to: Height, filter: &Filter) -> Result<Vec<Log>, EthError> {
        self.ranges.lock().unwrap().push((from, to));
        let _room = self.logs_gate.acquire().await.expect("open");
        self.matching(filter, |log| log.block_number.is_some_and(|number| (from..=to).contains(&number)))
    }

    async fn logs_of(&self, block: Hash, filter: &Filter) -> Result<Vec<Log>, EthError> {
        let known =
            self.find(EthAt::Hash(block)).is_some() || self.logs.iter().any(|log| log.block_hash == Some(block));
        if !known {
            return Err(EthError::UnknownBlock);
        }
        self.matching(filter, |log| log.block_hash == Some(block))
    }

    /// Bytes that begin with `ff` are refused.
    async fn send_raw(&self, bytes: Bytes) -> Result<Hash, EthError> {
        match bytes.first() {
            Some(0xff) => Err(EthError::new("nonce too low: next nonce 5, tx nonce 4")),
            Some(0xfe) => Err(EthError::Other { code: -32003, message: "transaction underpriced".to_owned() }),
            _ => Ok(keccak256(&bytes)),
        }
    }

    async fn pool_size(&self) -> Result<(u64, u64), EthError> {
        Ok((self.pool.pending.len() as u64, self.pool.queued.len() as u64))
    }

    async fn pool(&self, of: Option<Address>) -> Result<EthPool, EthError> {
        let theirs = |txs: &[Arc<EthTx>]| txs.iter().filter(|tx| of.is_none_or(|of| tx.from == of)).cloned().collect();
        Ok(EthPool { pending: theirs(&self.pool.pending), queued: theirs(&self.pool.queued) })
    }

    fn settled(&self) -> watch::Receiver<Height> {
        self.settled.subscribe()
    }

    fn admitted(&self) -> broadcast::Receiver<Arc<EthTx>> {
        self.admitted.subscribe()
    }
}
