//! The four variants of `spec/consensus.md` §1.16 that stall: the simulator sees them stall, and the rules as written
//! do not in the same networks.

use vigil_consensus::Rules;
use vigil_sim::liars::{EpochLie, Lies, ProposerLie, VoterLie};
use vigil_sim::network::Delays;
use vigil_sim::runner::run_seed;
use vigil_sim::scenario::Scenario;
use vigil_sim::variants;

const SEEDS: std::ops::Range<u64> = 0..24;

/// Seeds in which settlement stops for longer than the scenario allows; anything else that breaks is a failure.
fn stalls(scenario: &Scenario) -> Vec<u64> {
    let stalled = |seed: &u64| match run_seed(scenario, *seed, false).violation {
        None => false,
        Some(broken) if ["I16", "I18"].contains(&broken.invariant) => true,
        Some(broken) => panic!("seed {seed}: {broken}"),
    };
    SEEDS.filter(stalled).collect()
}

/// The variant stalls in at least `least` of the seeds, the rules as written in none.
fn compare(name: &str, scenario: Scenario, least: usize) {
    let bad = stalls(&Scenario { rules: variants::find(name).unwrap(), ..scenario.clone() });
    assert!(bad.len() >= least, "{name}: stalls only in {bad:?}");
    assert_eq!(
        stalls(&Scenario { rules: Rules::default(), ..scenario }),
        Vec::<u64>::new(),
        "the rules as written stall"
    );
}

/// Votes as epoch changes: the liars' `EpochChange` at once, the proposer slow to reach f of the honest.
#[test]
fn votes_counted_as_epoch_changes_livelock() {
    let lies = Lies { proposer: ProposerLie::Silent, voter: VoterLie::Withhold, epoch: EpochLie::AtOnce };
    let scenario = Scenario {
        execution: 0,
        storm: false,
        lies: Some(lies),
        delays: Some(Delays::SlowProposer),
        ..Scenario::equal(7, 2)
    };
    compare("votes-as-epoch-changes", scenario, 6);
}

/// Forced links: a traitor shows the block after a set change to one, and votes for nothing.
#[test]
fn forced_links_stop_the_chain_for_good() {
    let lies = Lies { proposer: ProposerLie::ToOne, voter: VoterLie::Withhold, epoch: EpochLie::Early };
    let scenario = Scenario { lies: Some(lies), ..Scenario::equal(4, 1).with_set_changes(0) };
    compare("forced-links", scenario, 3);
}

/// No timer where the `EpochChange` was already sent: what the storm swallowed is never sent again. The liars'
/// `EpochChange`s make one honest timeout enough for all others to amplify, so that only one timer runs.
#[test]
fn without_the_resend_timer_the_storm_never_ends() {
    let lies = Lies { proposer: ProposerLie::Silent, voter: VoterLie::Withhold, epoch: EpochLie::AtOnce };
    compare("no-resend-timer", Scenario { lies: Some(lies), ..Scenario::equal(7, 2) }, 2);
}

/// Back-off reset on any certificate: real delays of 8Δ are never learned.
#[test]
fn backoff_reset_on_a_certificate_forgets_how_slow_the_world_is() {
    let scenario = Scenario {
        storm: false,
        slowness: 8,
        execution: 0,
        delays: Some(Delays::Full),
        stall_deltas: 250,
        tail: 250_000,
        ..Scenario::equal(4, 0)
    };
    compare("backoff-reset-on-certificate", scenario, 6);
}
