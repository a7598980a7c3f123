//! Guardians of this process that do not vote.

use crate::health::{Fault, Health};
use std::collections::BTreeMap;
use std::sync::Arc;
use vigil_primitives::Address;

/// Who does not vote, and why. All of them are one fault of the node's health, which is over when all vote again.
#[derive(Debug)]
pub struct Silence {
    health: Arc<Health>,
    why: BTreeMap<Address, String>,
}

impl Silence {
    /// Everybody votes.
    pub fn new(health: Arc<Health>) -> Self {
        Self { health, why: BTreeMap::new() }
    }

    /// A guardian does not vote from now on.
    pub(super) fn begin(&mut self, guardian: Address, why: String) {
        if self.why.get(&guardian) != Some(&why) {
            self.why.insert(guardian, why);
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
        let Some((guardian, why)) = self.why.first_key_value() else { return self.health.clear(Fault::GuardianSilent) };
        let more = match self.why.len() - 1 {
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
}
