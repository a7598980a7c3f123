//! Guardians of this process that do not vote.

use crate::health::{Fault, Health};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::{Address, GuardianSet};

/// Who does not vote, and why. All of them who should are one fault of the node's health, which is over when all vote again.
#[derive(Debug)]
pub struct Silence {
    health: Arc<Health>,
    why: BTreeMap<Address, String>,
    /// The newest settled guardians: nobody else is expected to vote. `None`: not known yet, so everybody is.
    expected: Option<Arc<GuardianSet>>,
}

impl Silence {
    /// Everybody votes.
    pub fn new(health: Arc<Health>) -> Self {
        Self { health, why: BTreeMap::new(), expected: None }
    }

    /// A guardian does not vote from now on.
    pub(super) fn begin(&mut self, guardian: Address, why: String) {
        if self.why.get(&guardian) != Some(&why) {
            self.why.insert(guardian, why);
            self.tell();
        }
    }

    /// From now on these are expected to vote. Whoever left is no fault, but is one again if it comes back silent.
    pub(super) fn expect(&mut self, set: &Arc<GuardianSet>) {
        if self.expected.as_ref().is_none_or(|known| known.hash() != set.hash()) {
            self.expected = Some(Arc::clone(set));
            self.tell();
        }
    }

    /// It votes.
    pub(super) fn end(&mut self, guardian: &Address) {
        if self.why.remove(guardian).is_some() {
            self.tell();
        }
    }

    fn tell(&self) {
        let is_expected = |who: &Address| self.expected.as_ref().is_none_or(|set| set.position(who).is_some());
        let mut silent = self.why.iter().filter(|(guardian, _)| is_expected(guardian));
        let Some((guardian, why)) = silent.next() else { return self.health.clear(Fault::GuardianSilent) };
        let more = match silent.count() {
            0 => String::new(),
            more => format!(" (and {more} more guardians do not vote)"),
        };
        self.health.raise(Fault::GuardianSilent, format!("guardian {guardian}: {why}{more}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use vigil_primitives::{BlsKeyBytes, GuardianMember};

    #[test]
    fn the_fault_is_over_when_all_vote_again() {
        let health = Arc::new(Health::new(false, Duration::from_secs(3_600)));
        let mut silence = Silence::new(Arc::clone(&health));
        let [a, b] = [1, 2].map(Address::repeat_byte);
        silence.begin(b, "its key is another".into());
        silence.begin(a, "no vote at 10".into());
        silence.begin(a, "no vote at 20".into());
        let told = health.reason(0).expect("a reason");
        assert_eq!(told, format!("guardian {a}: no vote at 20 (and 1 more guardians do not vote)"));
        silence.end(&a);
        assert_eq!(health.reason(0), Some(format!("guardian {b}: its key is another")));
        health.raise(Fault::NotSigning, "the validator's journal");
        silence.end(&b);
        assert_eq!(health.reason(0).as_deref(), Some("the validator's journal"), "another fault is not ours to clear");
        silence.end(&b);
    }

    #[test]
    fn who_is_no_guardian_any_more_is_no_fault() {
        let health = Arc::new(Health::new(false, Duration::from_secs(3_600)));
        let mut silence = Silence::new(Arc::clone(&health));
        let set = |members: &[u8]| {
            let member =
                |n: &u8| GuardianMember { address: Address::repeat_byte(*n), key: BlsKeyBytes::ZERO, weight: 1 };
            Arc::new(GuardianSet::new(members.iter().map(member).collect()))
        };
        let [a, b] = [1, 2].map(Address::repeat_byte);
        silence.begin(a, "no journal".into());
        silence.begin(b, "no journal".into());
        silence.expect(&set(&[2, 3]));
        assert_eq!(health.reason(0), Some(format!("guardian {b}: no journal")));
        silence.expect(&set(&[3]));
        assert_eq!(health.reason(0), None);
        silence.expect(&set(&[1, 3]));
        assert_eq!(health.reason(0), Some(format!("guardian {a}: no journal")), "it is back");
    }
}
