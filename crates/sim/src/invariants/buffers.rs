//! I17: each buffer of a machine has a bound of its own.

use super::{Verdict, broken};
use vigil_consensus::Buffered;

/// Compares what a node holds with the most that it may.
pub(super) fn check(node: usize, held: &Buffered, most: &Buffered) -> Verdict {
    let all = [
        ("blocks", held.blocks, most.blocks),
        ("parked blocks", held.parked, most.parked),
        ("votes", held.votes, most.votes),
        ("epoch changes", held.ecs, most.ecs),
        ("certificates", held.certs, most.certs),
        ("requests", held.fetching, most.fetching),
    ];
    match all.into_iter().find(|(_, held, most)| held > most) {
        Some((what, held, most)) => broken("I17", || format!("node {node} holds {held} {what}, at most {most}")),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A buffer, by the word that a violation names it with.
    type Field = (&'static str, fn(&mut Buffered) -> &mut usize);

    const FIELDS: [Field; 6] = [
        (" blocks", |held| &mut held.blocks),
        (" parked blocks", |held| &mut held.parked),
        (" votes", |held| &mut held.votes),
        (" epoch changes", |held| &mut held.ecs),
        (" certificates", |held| &mut held.certs),
        (" requests", |held| &mut held.fetching),
    ];

    #[test]
    fn each_bound_holds_alone() {
        let most = Buffered::most(7, 8);
        assert_eq!(check(3, &most, &most), Ok(()));
        for (name, field) in FIELDS {
            let mut held = most;
            *field(&mut held) += 1;
            let broken = check(3, &held, &most).unwrap_err();
            assert_eq!(broken.invariant, "I17");
            assert!(broken.detail.contains(name), "{broken}");
        }
    }
}
