//! Outputs that grow: each reward is divided as the holder's distribution says, equal addresses are added up.

use super::overflow;
use crate::error::StateError;
use crate::keys;
use crate::rules::BASIS_POINTS;
use crate::view::View;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use vigil_primitives::{Address, Coins, RewardDistribution, StakeHolder, U256};

/// A stake that earns: the node, whose money, how much in wei.
pub(super) struct Earning {
    pub(super) holder: Address,
    pub(super) source: Address,
    pub(super) amount: U256,
}

/// The stakes of a node that are not on their way back.
pub(super) fn active_stakes(node: &StakeHolder) -> impl Iterator<Item = Earning> {
    let active = node.stakes.iter().filter(|stake| !stake.withdrawn);
    active.map(|s| Earning { holder: node.holder, source: s.source, amount: s.amount })
}

/// Who gets what.
#[derive(Default)]
pub(super) struct Payout {
    pub(super) outputs: BTreeMap<Address, Coins>,
    rules: BTreeMap<Address, Option<RewardDistribution>>,
}

impl Payout {
    /// Pays a reward in wei. Nothing is written for nothing.
    pub(super) fn pay(&mut self, view: &View, stake: &Earning, reward: U256) -> Result<(), StateError> {
        for (address, wei) in self.parts(view, stake, reward)? {
            let output: &mut Coins = self.outputs.entry(address).or_default();
            output.tfuel = output.tfuel.checked_add(wei).ok_or_else(overflow)?;
        }
        Ok(())
    }

    /// [`Self::pay`], unless there would be more than `max` outputs.
    pub(super) fn pay_if_room(
        &mut self,
        view: &View,
        stake: &Earning,
        reward: U256,
        max: usize,
    ) -> Result<(), StateError> {
        let parts = self.parts(view, stake, reward)?;
        let new = parts.iter().filter(|(address, _)| !self.outputs.contains_key(address)).count();
        if self.outputs.len().saturating_add(new) > max { Ok(()) } else { self.pay(view, stake, reward) }
    }

    /// What the source keeps and what the beneficiary gets, without zeros.
    fn parts(&mut self, view: &View, stake: &Earning, reward: U256) -> Result<Vec<(Address, U256)>, StateError> {
        let rule = match self.rules.entry(stake.holder) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(view.get(&keys::reward_distribution(&stake.holder))?),
        };
        let rule = rule.as_ref();
        let points = rule.map_or(U256::ZERO, |rule| U256::from(rule.split_basis_point));
        let given = reward.checked_mul(points).ok_or_else(overflow)? / U256::from(BASIS_POINTS);
        let kept = reward.checked_sub(given).ok_or_else(overflow)?;
        let beneficiary = rule.map_or(stake.source, |rule| rule.beneficiary);
        let parts = [(stake.source, kept), (beneficiary, given)];
        Ok(parts.into_iter().filter(|(_, wei)| !wei.is_zero()).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::actors::{Chain, address, distribute, params, stranger};

    #[test]
    fn outputs_at_and_above_the_limit() {
        let mut chain = Chain::new(params(), 1);
        chain.step_all(&[distribute(&chain.params, 1, 1, stranger(99), 1_000)]);
        let view = chain.view();
        let stake = |holder, n| Earning { holder, source: stranger(n), amount: U256::from(1) };
        let mut payout = Payout::default();
        let mut pay = |holder, n| {
            payout.pay_if_room(&view, &stake(holder, n), U256::from(100), 3).expect("reads");
            payout.outputs.values().map(|coins| coins.tfuel.to::<u64>()).sum::<u64>()
        };
        assert_eq!(pay(stranger(0), 1), 100);
        assert_eq!(pay(address(1), 2), 200, "source and beneficiary: three outputs");
        assert_eq!(pay(stranger(0), 3), 200, "a fourth has no room");
        assert_eq!(pay(stranger(0), 1), 300, "who is there already gets more");
        assert_eq!(pay(address(1), 4), 300, "all or nothing of a prize");
        assert_eq!(pay(address(1), 1), 400);
    }
}
