//! Whom a process hosts, as far as another one knows.

use vigil_primitives::Address;

/// Guardians of one process, each list ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Hosted {
    proven: Vec<Address>,
    others: Vec<Address>,
}

impl Hosted {
    /// Those who are proven to be there, and others who are said to be; whoever is among both is proven.
    pub(super) fn new(proven: &[Address], others: &[Address]) -> Self {
        let proven = sorted(proven.to_vec());
        let unproven = others.iter().filter(|who| proven.binary_search(who).is_err());
        Self { others: sorted(unproven.copied().collect()), proven }
    }

    /// True if somebody is proven to be there, false if it is said to be there, `None` if it is not.
    pub(super) fn is_proven(&self, who: &Address) -> Option<bool> {
        let is_among = |list: &[Address]| list.binary_search(who).is_ok();
        if is_among(&self.proven) { Some(true) } else { is_among(&self.others).then_some(false) }
    }

    /// Those who are proven, or those who are not.
    pub(super) fn list(&self, proven: bool) -> &[Address] {
        if proven { &self.proven } else { &self.others }
    }
}

fn sorted(mut who: Vec<Address>) -> Vec<Address> {
    who.sort_unstable();
    who.dedup();
    who
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_proven_is_not_among_the_others() {
        let [a, b, c] = [1, 2, 3].map(Address::repeat_byte);
        let hosted = Hosted::new(&[b, a, b], &[c, b, c]);
        assert_eq!((hosted.list(true), hosted.list(false)), (&[a, b][..], &[c][..]));
        assert_eq!([a, c, Address::ZERO].map(|who| hosted.is_proven(&who)), [Some(true), Some(false), None]);
    }
}
