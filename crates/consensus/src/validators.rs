//! A committee: who votes, with what weight (`spec/consensus.md` §1.1).

use alloy_rlp::{Decodable, Encodable, RlpDecodable, RlpEncodable};
use vigil_primitives::{Address, Hash, U256, VALIDATORS_MAX, committee_hash};

/// One member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, RlpEncodable, RlpDecodable)]
pub struct Validator {
    /// Who.
    pub address: Address,
    /// Its stake: above zero.
    pub stake: u128,
}

/// Members by ascending address; total stake below 2^120, so that `3 * weight` and priorities cannot overflow.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ValidatorSet {
    members: Vec<Validator>,
    total: u128,
}

/// Why a list of members is no set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ValidatorSetError {
    /// Nobody.
    #[error("a validator set has no member")]
    Empty,
    /// More than [`VALIDATORS_MAX`].
    #[error("a validator set has {got} members, the limit is {VALIDATORS_MAX}")]
    TooMany {
        /// Members given.
        got: usize,
    },
    /// Twice the same address.
    #[error("validator {0} appears twice")]
    Duplicate(Address),
    /// A member without stake.
    #[error("validator {0} has no stake")]
    NoStake(Address),
    /// 2^120 or more.
    #[error("the stakes add up to 2^120 or more")]
    StakeOverflow,
}

impl ValidatorSet {
    const TOTAL_LIMIT: u128 = 1 << 120;

    /// Sorts the members by address and checks them.
    ///
    /// # Errors
    /// [`ValidatorSetError`]: nobody, too many, a duplicate, a zero stake, a total of 2^120 or more.
    pub fn new(members: impl IntoIterator<Item = (Address, u128)>) -> Result<Self, ValidatorSetError> {
        let mut members: Vec<Validator> =
            members.into_iter().map(|(address, stake)| Validator { address, stake }).collect();
        members.sort_by_key(|v| v.address);
        if members.is_empty() {
            return Err(ValidatorSetError::Empty);
        }
        if members.len() > VALIDATORS_MAX {
            return Err(ValidatorSetError::TooMany { got: members.len() });
        }
        if let Some(pair) = members.windows(2).find(|pair| pair[0].address == pair[1].address) {
            return Err(ValidatorSetError::Duplicate(pair[0].address));
        }
        let mut total = 0u128;
        for member in &members {
            if member.stake == 0 {
                return Err(ValidatorSetError::NoStake(member.address));
            }
            total = total.checked_add(member.stake).ok_or(ValidatorSetError::StakeOverflow)?;
        }
        if total >= Self::TOTAL_LIMIT {
            return Err(ValidatorSetError::StakeOverflow);
        }
        Ok(Self { members, total })
    }

    /// Like [`ValidatorSet::new`] with stakes as the ledger holds them.
    ///
    /// # Errors
    /// As [`ValidatorSet::new`].
    pub fn from_stakes(members: impl IntoIterator<Item = (Address, U256)>) -> Result<Self, ValidatorSetError> {
        let narrow = |(address, stake): (Address, U256)| {
            u128::try_from(stake).map(|stake| (address, stake)).map_err(|_| ValidatorSetError::StakeOverflow)
        };
        Self::new(members.into_iter().map(narrow).collect::<Result<Vec<_>, _>>()?)
    }

    /// Members by ascending address.
    pub fn members(&self) -> &[Validator] {
        &self.members
    }

    /// What a reset names it by.
    pub fn hash(&self) -> Hash {
        let members: Vec<_> = self.members.iter().map(|v| (v.address, U256::from(v.stake))).collect();
        committee_hash(&members)
    }

    /// Sum of all stakes.
    pub fn total(&self) -> u128 {
        self.total
    }

    /// Position of a member.
    pub fn position(&self, address: &Address) -> Option<usize> {
        self.members.binary_search_by(|v| v.address.cmp(address)).ok()
    }

    /// True for a member.
    pub fn contains(&self, address: &Address) -> bool {
        self.position(address).is_some()
    }

    /// Weight of one address; 0 for a stranger.
    pub fn weight(&self, address: &Address) -> u128 {
        self.position(address).map_or(0, |i| self.members[i].stake)
    }

    /// Weight of **distinct** addresses; strangers count 0.
    pub fn weight_of<'a>(&self, addresses: impl IntoIterator<Item = &'a Address>) -> u128 {
        addresses.into_iter().map(|a| self.weight(a)).sum()
    }

    /// Strictly more than 2/3 of the stake.
    pub fn is_quorum(&self, weight: u128) -> bool {
        3 * weight > 2 * self.total
    }

    /// Strictly more than 1/3 of the stake: at least one honest member.
    pub fn is_amp(&self, weight: u128) -> bool {
        3 * weight > self.total
    }
}

impl Encodable for ValidatorSet {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        self.members.encode(out);
    }

    fn length(&self) -> usize {
        self.members.length()
    }
}

impl Decodable for ValidatorSet {
    fn decode(buf: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let members = Vec::<Validator>::decode(buf)?;
        Self::new(members.into_iter().map(|v| (v.address, v.stake)))
            .map_err(|_| alloy_rlp::Error::Custom("not a validator set"))
    }
}
