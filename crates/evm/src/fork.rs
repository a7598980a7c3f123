//! Names of Ethereum's rule sets.

use revm::primitives::hardfork::SpecId;
use vigil_primitives::EVM_FORKS;

/// The rules of one of Ethereum's forks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fork(pub(crate) SpecId);

/// revm's name of each of [`EVM_FORKS`]. `constantinople` (EIP-1283) was withdrawn before anybody used it: revm does not
/// know it.
const SPECS: [SpecId; EVM_FORKS.len()] = [
    SpecId::FRONTIER,
    SpecId::HOMESTEAD,
    SpecId::TANGERINE,
    SpecId::SPURIOUS_DRAGON,
    SpecId::BYZANTIUM,
    SpecId::PETERSBURG,
    SpecId::ISTANBUL,
    SpecId::BERLIN,
    SpecId::LONDON,
    SpecId::MERGE,
    SpecId::SHANGHAI,
    SpecId::CANCUN,
    SpecId::PRAGUE,
    SpecId::OSAKA,
];

impl Fork {
    /// The newest fork: that of new chains.
    pub const NEWEST: Self = Self(SPECS[SPECS.len() - 1]);

    /// The fork of that name in [`EVM_FORKS`], if there is one.
    ///
    /// ```
    /// use vigil_evm::Fork;
    /// assert!(Fork::from_name("petersburg") < Fork::from_name("berlin"));
    /// assert_eq!(Fork::from_name("Berlin"), None);
    /// ```
    pub fn from_name(name: &str) -> Option<Self> {
        EVM_FORKS.iter().position(|known| *known == name).map(|at| Self(SPECS[at]))
    }

    /// True if the rules of the fork of that name are part of these.
    pub fn includes(self, other: &str) -> bool {
        Self::from_name(other).is_some_and(|other| self >= other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forks_are_in_order_and_have_revms_names() {
        assert!(SPECS.is_sorted());
        for (name, spec) in EVM_FORKS.iter().zip(SPECS) {
            let of_revm = format!("{spec:?}").to_lowercase();
            assert_eq!(*name, if of_revm == "merge" { "paris" } else { &of_revm });
        }
        assert!(Fork::NEWEST.includes("petersburg") && Fork::NEWEST.includes("osaka"));
        assert!(!Fork::from_name("petersburg").expect("known").includes("istanbul"));
        assert!(!Fork::NEWEST.includes("nothing"));
    }
}
