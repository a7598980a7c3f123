//! The state before the first block (`spec/ledger.md` §7, DESIGN §4).

use crate::error::{StateError, TxError};
use crate::keys;
use crate::rewards::STAKES_MAX;
use crate::rules::validator_deposit_min;
use crate::stake::{StakeHeights, deposit, sorted_pool, validator_set};
use crate::supply::Supply;
use std::collections::BTreeMap;
use vigil_crypto::bls;
use vigil_primitives::{
    Account, Address, BlockHeader, BlsKeyBytes, BlsSignatureBytes, Bytes, ChainParams, Coins, Genesis, GenesisError,
    GenesisGuardian, Guardian, GuardianPool, Hash, Hcc, StakeHolder, U256, ValidatorPool, rlp,
};
use vigil_trie::{BatchHasher, NoNodes, Trie, TrieError};

/// Largest supply of each coin at genesis, in wei, as a number of bits: products of two amounts fit 256 bits.
const SUPPLY_BITS_MAX: usize = 128;

/// What genesis makes.
#[derive(Clone, Debug)]
pub struct GenesisState {
    /// The genesis block's header; its hash is the chain's name. The block has no transactions.
    pub header: BlockHeader,
    /// Nodes of the state, to be stored.
    pub nodes: Vec<(Hash, Bytes)>,
    /// Nothing minted, nothing burned.
    pub supply: Supply,
    /// The first validator set: stake in wei, by address ascending.
    pub validators: Vec<(Address, U256)>,
}

/// A genesis that no state can be made of.
#[derive(Debug, thiserror::Error)]
pub enum GenesisStateError {
    /// The file is at fault.
    #[error(transparent)]
    Genesis(#[from] GenesisError),
    /// More coins than amounts can be calculated with.
    #[error("genesis has {got} wei of the {coin} token, the limit is 2^{SUPPLY_BITS_MAX} - 1")]
    Supply {
        /// `stake` or `operational`.
        coin: &'static str,
        /// The sum, saturated at 2^256 - 1.
        got: U256,
    },
    /// A coinbase could not pay everybody who stakes: the chain would stop at a checkpoint.
    #[error("validator_deposit_min allows {got} validator stakes, a coinbase has room for {STAKES_MAX}: raise it")]
    Stakes {
        /// Supply of the stake token over the least deposit.
        got: U256,
    },
    /// A stake is refused.
    #[error("genesis stake: {0}")]
    Stake(String),
    /// A guardian does not prove that it has its key.
    #[error("genesis guardian {holder}: {reason}")]
    GuardianKey {
        /// Who.
        holder: Address,
        /// What is wrong with key or proof of possession.
        reason: String,
    },
    /// Writing the trie failed.
    #[error(transparent)]
    State(#[from] StateError),
}

impl From<TrieError> for GenesisStateError {
    fn from(error: TrieError) -> Self {
        Self::State(error.into())
    }
}

/// Builds the genesis state and header.
///
/// # Errors
/// [`GenesisStateError`] if the file breaks a rule.
pub fn genesis_state(genesis: &Genesis, hasher: &dyn BatchHasher) -> Result<GenesisState, GenesisStateError> {
    genesis.validate()?;
    let supply = supply(genesis)?;
    check_stakes(&genesis.params, &supply)?;
    let Staked { balances, validators: pool, guardians } = stake(genesis)?;
    let mut trie = Trie::empty();
    for (address, balance) in balances {
        let account = Account { balance, ..Account::new(address, 0) };
        trie.insert(&NoNodes, &keys::account(&address), rlp::encode(&account))?;
    }
    trie.insert(&NoNodes, keys::VALIDATORS, rlp::encode(&pool))?;
    if !guardians.sorted_guardians.is_empty() {
        trie.insert(&NoNodes, keys::GUARDIANS, rlp::encode(&guardians))?;
    }
    trie.insert(&NoNodes, keys::STAKE_HEIGHTS, rlp::encode(&StakeHeights { heights: vec![0] }))?;
    trie.insert(&NoNodes, keys::PARAMS, rlp::encode(&genesis.params))?;
    trie.insert(&NoNodes, keys::GENESIS_SUPPLY, rlp::encode(&supply))?;
    let commit = trie.commit(hasher);
    let header = BlockHeader {
        chain_id: genesis.params.chain_id.clone(),
        hcc: Hcc { votes: Vec::new(), block_hash: Hash::ZERO },
        state_root: commit.root,
        timestamp: genesis.timestamp,
        ..BlockHeader::default()
    };
    let validators = validator_set(&pool, genesis.params.validators_max);
    Ok(GenesisState { header, nodes: commit.nodes, supply: Supply::default(), validators })
}

fn supply(genesis: &Genesis) -> Result<Coins, GenesisStateError> {
    let sum = |part: fn(&vigil_primitives::GenesisAccount) -> U256, coin| {
        let got = genesis.accounts.iter().map(part).fold(U256::ZERO, U256::saturating_add);
        if got.bit_len() > SUPPLY_BITS_MAX { Err(GenesisStateError::Supply { coin, got }) } else { Ok(got) }
    };
    Ok(Coins::new(sum(|a| a.theta, "stake")?, sum(|a| a.tfuel, "operational")?))
}

fn check_stakes(params: &ChainParams, supply: &Coins) -> Result<(), GenesisStateError> {
    let least = validator_deposit_min(params, 0).min(validator_deposit_min(params, u64::MAX));
    let got = supply.theta.checked_div(least).unwrap_or(U256::MAX);
    if got > U256::from(STAKES_MAX) { Err(GenesisStateError::Stakes { got }) } else { Ok(()) }
}

/// A guardian's stake for a genesis file, with the proof that `key` is the guardian's. `amount` in wei of the stake token.
pub fn genesis_guardian(source: Address, holder: Address, amount: U256, key: &bls::SecretKey) -> GenesisGuardian {
    let bls_pubkey = BlsKeyBytes::from(key.public_key().to_bytes());
    let bls_pop = BlsSignatureBytes::from(key.prove_possession().to_bytes());
    GenesisGuardian { source, holder, amount, bls_pubkey, bls_pop }
}

/// What genesis deals out.
struct Staked {
    /// Balances after the stakes are taken out.
    balances: BTreeMap<Address, Coins>,
    validators: ValidatorPool,
    guardians: GuardianPool,
}

fn stake(genesis: &Genesis) -> Result<Staked, GenesisStateError> {
    let accounts = genesis.accounts.iter().map(|a| (a.address, Coins::new(a.theta, a.tfuel)));
    let mut balances: BTreeMap<Address, Coins> = accounts.collect();
    let mut pay = |source: Address, amount: U256| {
        let balance = balances.entry(source).or_default();
        let left = balance.checked_sub(&Coins::theta(amount));
        *balance = left.map_err(|e| GenesisStateError::Stake(format!("{source}: {e}")))?;
        Ok::<(), GenesisStateError>(())
    };
    let new = |holder| StakeHolder { holder, stakes: Vec::new() };
    let refused = |e: TxError| GenesisStateError::Stake(e.text);
    let mut candidates: BTreeMap<Address, StakeHolder> = BTreeMap::new();
    for stake in &genesis.stakes {
        pay(stake.source, stake.amount)?;
        let candidate = candidates.entry(stake.holder).or_insert_with(|| new(stake.holder));
        deposit(candidate, stake.source, stake.amount).map_err(refused)?;
    }
    let mut guardians: BTreeMap<Address, Guardian> = BTreeMap::new();
    for stake in &genesis.guardians {
        pay(stake.source, stake.amount)?;
        check_possession(stake)?;
        let bls_pubkey = Bytes::copy_from_slice(stake.bls_pubkey.as_slice());
        let guardian = || Guardian { holder: new(stake.holder), bls_pubkey };
        let guardian = guardians.entry(stake.holder).or_insert_with(guardian);
        deposit(&mut guardian.holder, stake.source, stake.amount).map_err(refused)?;
    }
    let validators = sorted_pool(candidates.into_values().collect());
    Ok(Staked { balances, validators, guardians: GuardianPool { sorted_guardians: guardians.into_values().collect() } })
}

fn check_possession(stake: &GenesisGuardian) -> Result<(), GenesisStateError> {
    let refused = |reason: String| GenesisStateError::GuardianKey { holder: stake.holder, reason };
    let key =
        bls::PublicKey::from_bytes(stake.bls_pubkey.as_slice()).map_err(|e| refused(format!("bls_pubkey: {e}")))?;
    let proof = bls::Signature::from_bytes(stake.bls_pop.as_slice()).map_err(|e| refused(format!("bls_pop: {e}")))?;
    if key.verify_possession(&proof) { Ok(()) } else { Err(refused("bls_pop proves nothing of bls_pubkey".into())) }
}
