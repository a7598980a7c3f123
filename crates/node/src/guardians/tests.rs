//! Seats on a chain that has settled nothing yet, and journals that are lost.

use super::*;
use crate::chain::{Chain, GenesisBlock};
use crate::genesis::{Preset, assemble};
use crate::health::Health;
use crate::layout::Layout;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use vigil_consensus::finality::Journal;
use vigil_crypto::{SecretKey, bls};
use vigil_primitives::{Address, GenesisAccount, GenesisStake, U256, WEI};
use vigil_store::MemoryStore;

fn key() -> SecretKey {
    SecretKey::from_bytes(&[1; 32]).expect("a key")
}

fn chain() -> Chain {
    let [theta, tfuel, amount] = [2_000_000, 1_000, 500_000].map(|n: u64| U256::from(n) * U256::from(WEI));
    let (address, source, holder) = (key().address(), key().address(), key().address());
    let (account, stake) = (GenesisAccount { address, theta, tfuel }, GenesisStake { source, holder, amount });
    let genesis = assemble(Preset::Theta.params(), 1, vec![account], vec![stake], Vec::new()).expect("valid");
    let block = GenesisBlock::of(&genesis).expect("valid");
    Chain::open(Arc::new(MemoryStore::default()), &genesis, &block, 1).expect("opens").0
}

fn health() -> Arc<Health> {
    Arc::new(Health::new(false, Duration::from_secs(3_600)))
}

fn id(n: u8) -> Address {
    Address::repeat_byte(n)
}

/// Guardians 1 and 2.
fn seats(dir: &Path, chain: &Chain, silence: &mut Silence, fresh: bool) -> Vec<Seat> {
    let guardian = |n| (id(n), bls::SecretKey::from_bytes(&[n; 32]).expect("a key"));
    open_seats(&Layout::new(dir), chain, silence, id(9), [1, 2].map(guardian).into(), fresh).expect("opens")
}

/// Nothing could be voted on, so nothing was: with a vote for a block that nobody has, it would be silent for ever.
#[test]
fn a_journal_lost_before_the_first_checkpoint_begins_empty() {
    let dir = tempfile::tempdir().expect("temporary folder");
    let (chain, health) = (chain(), health());
    let mut silence = Silence::new(Arc::clone(&health));
    drop(seats(dir.path(), &chain, &mut silence, false));
    std::fs::remove_file(Layout::new(dir.path()).guardian_journal(&id(1))).expect("removed");
    let found = seats(dir.path(), &chain, &mut silence, true);
    let votes: Vec<Journal> = found.iter().filter_map(|seat| Some(seat.journal.as_ref()?.votes())).collect();
    assert_eq!(votes, [Journal::default(); 2]);
    assert_eq!(health.reason(0), None);
}
