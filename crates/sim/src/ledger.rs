//! A ledger small enough to be obviously deterministic: a state is what was applied, its root a hash of all before it.

use crate::committee::Committee;
use std::collections::BTreeSet;
use std::sync::Arc;
use vigil_primitives::{Address, Block, Bytes, Hash, keccak256};

/// Most transactions the toy puts into a block.
pub const TXS_MAX: usize = 8;

/// A transaction. Raw bytes: kind, number (4 bytes), and for a change the committee (1 byte).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToyTx {
    /// Does nothing but being settled.
    Payment(u32),
    /// Makes the numbered committee of [`Toy::committees`] the one of the pool.
    Change(u32, u8),
}

impl ToyTx {
    /// Number of the transaction, unique in a run.
    pub fn number(self) -> u32 {
        match self {
            Self::Payment(number) | Self::Change(number, _) => number,
        }
    }

    /// Its bytes.
    pub fn to_raw(self) -> Bytes {
        let mut raw = vec![matches!(self, Self::Change(..)) as u8];
        raw.extend_from_slice(&self.number().to_be_bytes());
        if let Self::Change(_, committee) = self {
            raw.push(committee);
        }
        raw.into()
    }

    /// Its meaning, if it has one.
    pub fn from_raw(raw: &[u8]) -> Option<Self> {
        let number = |bytes: &[u8]| Some(u32::from_be_bytes(bytes.try_into().ok()?));
        match raw {
            [0, rest @ ..] => Some(Self::Payment(number(rest)?)),
            [1, rest @ .., committee] => Some(Self::Change(number(rest)?, *committee)),
            _ => None,
        }
    }
}

/// The state after a block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    /// Root: commits to every block up to here.
    pub root: Hash,
    /// Index of the pool's committee in [`Toy::committees`].
    pub committee: u8,
    applied: Arc<[u64]>,
}

impl State {
    /// True if the transaction is in this state.
    pub fn has(&self, number: u32) -> bool {
        self.applied.get(number as usize / 64).is_some_and(|word| word >> (number % 64) & 1 == 1)
    }
}

/// The rules of the toy.
#[derive(Clone, Debug)]
pub struct Toy {
    /// Committees that a change may install; the first is that of genesis.
    pub committees: Arc<[Committee]>,
}

impl Toy {
    /// The state of genesis.
    pub fn genesis(&self) -> State {
        State { root: keccak256(b"vigil-sim genesis"), committee: 0, applied: Arc::new([]) }
    }

    /// The rules and the state after a reset of `state`: the same, without the offenders. `None`: nobody would be left.
    pub fn without(&self, state: &State, number: u64, offenders: &BTreeSet<Address>) -> Option<(Self, State)> {
        let before = self.committees[usize::from(state.committee)].members().iter();
        let left: Vec<_> = before.filter(|member| !offenders.contains(&member.address)).cloned().collect();
        if left.is_empty() {
            return None;
        }
        let mut preimage = [state.root.as_slice(), &number.to_be_bytes()].concat();
        left.iter().for_each(|member| preimage.extend_from_slice(member.address.as_slice()));
        let committee = u8::try_from(self.committees.len()).ok()?;
        let committees = self.committees.iter().cloned().chain([Committee::new(left)]).collect();
        Some((Self { committees }, State { root: keccak256(preimage), committee, ..state.clone() }))
    }

    /// Executes transactions on `parent`.
    ///
    /// # Errors
    /// Text naming the transaction that has no meaning, was applied before, or names no committee.
    pub fn apply(&self, parent: &State, height: u64, epoch: u64, txs: &[Bytes]) -> Result<State, String> {
        let mut preimage = Vec::with_capacity(64 + 8 * txs.len());
        preimage.extend_from_slice(parent.root.as_slice());
        preimage.extend_from_slice(&height.to_be_bytes());
        preimage.extend_from_slice(&epoch.to_be_bytes());
        let mut state = parent.clone();
        let mut applied = if txs.is_empty() { Vec::new() } else { parent.applied.to_vec() };
        for raw in txs {
            preimage.extend_from_slice(raw);
            let tx = ToyTx::from_raw(raw).ok_or_else(|| format!("transaction {raw} has no meaning"))?;
            let (word, bit) = (tx.number() as usize / 64, 1u64 << (tx.number() % 64));
            if word > 1 << 16 {
                return Err(format!("transaction number {} is too large", tx.number()));
            }
            if applied.len() <= word {
                applied.resize(word + 1, 0);
            }
            if applied[word] & bit != 0 {
                return Err(format!("transaction {} was applied before", tx.number()));
            }
            applied[word] |= bit;
            if let ToyTx::Change(_, committee) = tx {
                if usize::from(committee) >= self.committees.len() {
                    return Err(format!("committee {committee} of {}", self.committees.len()));
                }
                state.committee = committee;
            }
        }
        if !txs.is_empty() {
            state.applied = applied.into();
        }
        state.root = keccak256(preimage);
        Ok(state)
    }

    /// Executes a block and compares its roots.
    ///
    /// # Errors
    /// As [`Toy::apply`], or text with both roots.
    pub fn execute(&self, parent: &State, block: &Block) -> Result<State, String> {
        let header = &block.header;
        if header.tx_root != tx_root(&block.txs) {
            return Err(format!("tx root is {}, header says {}", tx_root(&block.txs), header.tx_root));
        }
        let state = self.apply(parent, header.height, header.epoch, &block.txs)?;
        if state.root != header.state_root {
            return Err(format!("state root is {}, header says {}", state.root, header.state_root));
        }
        Ok(state)
    }

    /// What a proposer takes from `mempool`: what is not applied yet, at most one change, and none if not allowed.
    pub fn choose(&self, parent: &State, mempool: &[ToyTx], allow_change: bool) -> Vec<Bytes> {
        let mut change_taken = !allow_change;
        let mut chosen = Vec::new();
        for tx in mempool.iter().filter(|tx| !parent.has(tx.number())) {
            if chosen.len() == TXS_MAX {
                break;
            }
            if matches!(tx, ToyTx::Change(..)) && std::mem::replace(&mut change_taken, true) {
                continue;
            }
            chosen.push(tx.to_raw());
        }
        chosen
    }
}

/// Root over the transactions of a block (a plain hash: the toy has no trie).
pub fn tx_root(txs: &[Bytes]) -> Hash {
    if txs.is_empty() {
        return vigil_primitives::EMPTY_TRIE_ROOT;
    }
    let mut preimage = Vec::new();
    for raw in txs {
        preimage.extend_from_slice(&(raw.len() as u32).to_be_bytes());
        preimage.extend_from_slice(raw);
    }
    keccak256(preimage)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transactions_apply_once_and_roots_tell_histories_apart() {
        let toy = Toy { committees: [Committee::new(vec![]), Committee::new(vec![])].into() };
        let genesis = toy.genesis();
        let txs = [ToyTx::Payment(3).to_raw(), ToyTx::Change(70, 1).to_raw()];
        let state = toy.apply(&genesis, 1, 1, &txs).unwrap();
        assert!(state.has(3) && state.has(70) && !state.has(4) && state.committee == 1);
        assert!(toy.apply(&state, 2, 2, &txs).is_err(), "applied before");
        assert!(toy.apply(&state, 2, 2, &[ToyTx::Change(1, 2).to_raw()]).is_err(), "no such committee");
        assert_ne!(state.root, toy.apply(&genesis, 1, 2, &txs).unwrap().root);
        let mempool = [ToyTx::Payment(3), ToyTx::Change(71, 0), ToyTx::Change(72, 1), ToyTx::Payment(4)];
        assert_eq!(toy.choose(&state, &mempool, false), [ToyTx::Payment(4).to_raw()]);
        assert_eq!(toy.choose(&state, &mempool, true), [mempool[1].to_raw(), mempool[3].to_raw()]);
    }

    #[test]
    fn raw_form_goes_both_ways() {
        for tx in [ToyTx::Payment(7), ToyTx::Change(1 << 30, 2)] {
            assert_eq!(ToyTx::from_raw(&tx.to_raw()), Some(tx));
        }
        assert_eq!(ToyTx::from_raw(&[]), None);
        assert_eq!(ToyTx::from_raw(&[0, 1]), None);
    }
}
