//! What a local network is born with (DESIGN §5, `vigil localnet`): who holds what. Public keys to play with: never for value.

use crate::genesis::{self, GenesisInputError, Preset};
use vigil_crypto::{SecretKey, bls};
use vigil_primitives::{Address, Genesis, GenesisAccount, GenesisGuardian, GenesisStake, U256, WEI, keccak256};

/// Private key of the walk-through's sender, `2E833968E5bB786Ae419c4d13189fB081Cc43bab`.
pub const DEV_KEY: &str = "93a90ea508331dfdf27fb79757d4250b4e84954927ba0073cd67454ac432c737";
/// The walk-through's recipient: holds what is left; nobody has its key.
pub const RECIPIENT: &str = "9F1233798E905E173560071255140b4A8aBd3Ec6";
/// Password of every keystore of a local network.
pub const PASSWORD: &str = "qwertyuiop";
/// Accounts of the load generator.
pub const LOAD_ACCOUNTS: usize = 2_000;
/// Most validators that the stake tokens are dealt to.
pub const VALIDATORS_MAX: usize = vigil_primitives::VALIDATORS_MAX;
/// Most guardians.
pub const GUARDIANS_MAX: usize = 1_000;

const STAKE_TOTAL: u64 = 1_000_000_000;
const OPERATIONAL_TOTAL: u64 = 5_000_000_000;
const DEV_STAKE: u64 = 12_500_000;
const DEV_OPERATIONAL: u64 = 50_000_000;
const VALIDATOR_STAKE: u64 = 10_000_000;
const GUARDIAN_STAKE: u64 = 100_000;
const LOAD_OPERATIONAL: u64 = 500_000;
/// Who reports a fault needs an account, so each validator and guardian has one.
const REPORTER_OPERATIONAL: u64 = 10;

const DEV_ACCOUNTS: u64 = 11;
const _: () = assert!(
    DEV_ACCOUNTS * DEV_STAKE + VALIDATORS_MAX as u64 * VALIDATOR_STAKE + GUARDIANS_MAX as u64 * GUARDIAN_STAKE
        <= STAKE_TOTAL
);
const _: () = assert!(
    DEV_ACCOUNTS * DEV_OPERATIONAL
        + LOAD_ACCOUNTS as u64 * LOAD_OPERATIONAL
        + (VALIDATORS_MAX + GUARDIANS_MAX) as u64 * REPORTER_OPERATIONAL
        <= OPERATIONAL_TOTAL
);

/// The dev key and the ten test keys `11..11` to `99..99`, `10..00` (`spec/cli.md` §1).
pub fn dev_keys() -> Vec<SecretKey> {
    let mut keys = Vec::with_capacity(DEV_ACCOUNTS as usize);
    let mut dev = [0u8; 32];
    alloy_primitives::hex::decode_to_slice(DEV_KEY, &mut dev).expect("64 hex digits");
    keys.push(dev);
    keys.extend((1..=9u8).map(|digit| [digit * 0x11; 32]));
    let mut last = [0u8; 32];
    last[0] = 0x10;
    keys.push(last);
    keys.iter().map(|bytes| SecretKey::from_bytes(bytes).expect("below the group order")).collect()
}

/// Key number `index` of the load generator: the same on every local network.
pub fn load_key(index: usize) -> SecretKey {
    let seed = keccak256(format!("vigil localnet load account {index}"));
    SecretKey::from_bytes(&seed.0).expect("a hash is below the group order but for odds of 2^-128")
}

/// The genesis of a local network of these validators, each with the stake source that deposits for it, and of these
/// guardians ([`guardian`]). Chain id `privatenet`, Δ 250 ms, block interval 500 ms, then `rules` (`KEY=VALUE`).
///
/// Balances sum to exactly 10^9 stake tokens and 5·10^9 operational tokens.
///
/// # Errors
/// [`GenesisInputError`]: a rule that does not exist or is out of range.
pub fn genesis(
    validators: &[Validator],
    guardians: Vec<GenesisGuardian>,
    timestamp: u64,
    rules: &[String],
) -> Result<Genesis, GenesisInputError> {
    let mut params = Preset::Theta.params();
    params.delta_ms = 250;
    params.block_interval_ms = 500;
    for rule in rules {
        genesis::set_param(&mut params, rule)?;
    }
    let account = |address, theta, tfuel| GenesisAccount { address, theta: tokens(theta), tfuel: tokens(tfuel) };
    let mut accounts: Vec<_> = dev_keys().iter().map(|k| account(k.address(), DEV_STAKE, DEV_OPERATIONAL)).collect();
    accounts.extend((0..LOAD_ACCOUNTS).map(|i| account(load_key(i).address(), 0, LOAD_OPERATIONAL)));
    accounts.extend(validators.iter().map(|v| account(v.stake_source, VALIDATOR_STAKE, 0)));
    accounts.extend(guardians.iter().map(|g| account(g.source, GUARDIAN_STAKE, 0)));
    let nodes = validators.iter().map(|v| v.address).chain(guardians.iter().map(|g| g.holder));
    accounts.extend(nodes.map(|address| account(address, 0, REPORTER_OPERATIONAL)));
    let (dealt_stake, dealt_operational) = sums(&accounts);
    let recipient: Address = RECIPIENT.parse().expect("40 hex digits");
    accounts.push(GenesisAccount {
        address: recipient,
        theta: tokens(STAKE_TOTAL) - dealt_stake,
        tfuel: tokens(OPERATIONAL_TOTAL) - dealt_operational,
    });
    let stake =
        |v: &Validator| GenesisStake { source: v.stake_source, holder: v.address, amount: tokens(VALIDATOR_STAKE) };
    genesis::assemble(params, timestamp, accounts, validators.iter().map(stake).collect(), guardians)
}

/// A validator of a local network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Validator {
    /// The node.
    pub address: Address,
    /// Whose money its stake is.
    pub stake_source: Address,
}

/// The stake of a guardian that votes with `key`; its source has nothing else, and nobody has the source's key.
pub fn guardian(address: Address, key: &bls::SecretKey) -> GenesisGuardian {
    vigil_ledger::genesis_guardian(SecretKey::generate().address(), address, tokens(GUARDIAN_STAKE), key)
}

fn tokens(whole: u64) -> U256 {
    U256::from(whole) * U256::from(WEI)
}

fn sums(accounts: &[GenesisAccount]) -> (U256, U256) {
    accounts.iter().fold((U256::ZERO, U256::ZERO), |sum, a| (sum.0 + a.theta, sum.1 + a.tfuel))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn validators(count: u8) -> Vec<Validator> {
        let address = |kind: u8, i: u8| Address::repeat_byte(kind + i);
        (0..count).map(|i| Validator { address: address(0x40, i), stake_source: address(0x80, i) }).collect()
    }

    #[test]
    fn balances_sum_to_the_fixed_supply_for_any_size() {
        for count in [1, 4, VALIDATORS_MAX as u8] {
            let guardian = |i: u8| guardian(Address::repeat_byte(0xc0 + i), &bls::SecretKey::generate());
            let genesis = genesis(&validators(count), (0..5).map(guardian).collect(), 7, &[]).expect("valid");
            assert_eq!(genesis::totals(&genesis), (tokens(STAKE_TOTAL), tokens(OPERATIONAL_TOTAL)), "{count}");
            assert_eq!((genesis.stakes.len(), genesis.guardians.len()), (usize::from(count), 5));
            assert!(genesis.guardians.iter().all(|g| g.amount == tokens(GUARDIAN_STAKE)));
            assert_eq!((genesis.params.chain_id.as_str(), genesis.params.delta_ms), ("privatenet", 250));
        }
    }

    #[test]
    fn the_dev_accounts_are_those_of_the_walk_through() {
        let addresses: Vec<_> = dev_keys().iter().map(SecretKey::address).collect();
        assert_eq!(addresses[0], vigil_testkit::keys::DEV_ADDRESS.parse::<Address>().expect("address"));
        assert_eq!(addresses.len() as u64, DEV_ACCOUNTS);
        let genesis = genesis(&validators(4), Vec::new(), 7, &["block_interval_ms=1000".into()]).expect("valid");
        for address in addresses {
            let account = genesis.accounts.iter().find(|a| a.address == address).expect("funded");
            assert_eq!((account.theta, account.tfuel), (tokens(DEV_STAKE), tokens(DEV_OPERATIONAL)));
        }
        assert_eq!(genesis.params.block_interval_ms, 1_000);
    }
}
