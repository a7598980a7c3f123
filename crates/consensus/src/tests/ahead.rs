//! Signatures of votes checked in batches: once each, and no other than would be checked anyway.

use super::net::*;
use crate::*;
use std::sync::{Arc, Mutex};
use vigil_primitives::*;

/// Remembers how many signatures were checked in each call.
struct CountingKeys(Arc<Mutex<Vec<usize>>>);

impl Keys for CountingKeys {
    fn sign(&self, digest: &Hash) -> Signature {
        sign_as(&address(3), digest)
    }

    fn verify(&self, signer: &Address, digest: &Hash, signature: &Signature) -> bool {
        self.verify_all(&[(*signer, *digest, signature.clone())])[0]
    }

    fn verify_all(&self, signed: &[(Address, Hash, Signature)]) -> Vec<bool> {
        self.0.lock().expect("no panic").push(signed.len());
        signed.iter().map(|(signer, digest, signature)| *signature == sign_as(signer, digest)).collect()
    }
}

/// Member 3 of 4, and what it checks.
fn machine() -> (Machine, Arc<Mutex<Vec<usize>>>) {
    let checked = Arc::default();
    let recovered = Disk::default().recovered(&equal_set(0..4));
    let machine =
        Machine::new(config(Some(3), Rules::default()), Box::new(CountingKeys(Arc::clone(&checked))), recovered);
    (machine, checked)
}

/// A vote of `voter` for a block of height 1, signed by `signer`.
fn vote(voter: usize, signer: usize) -> Vote {
    let genesis_hash = domain().genesis_hash;
    let vote = Vote {
        height: 1,
        block_hash: Hash::repeat_byte(1),
        block_epoch: 1,
        source_set: 0,
        source_height: 0,
        source_hash: genesis_hash,
        voter: address(voter),
        signature: Signature::none(),
    };
    let signature = sign_as(&address(signer), &vote.digest(&domain()));
    Vote { signature, ..vote }
}

fn penalties(machine: &mut Machine, inputs: Vec<Input>) -> usize {
    let mut effects = Vec::new();
    let now = Now { mono: 1, unix: UNIX_START };
    machine.step(now, Input::Start, &mut effects);
    inputs.into_iter().for_each(|input| machine.step(now, input, &mut effects));
    effects.iter().filter(|effect| matches!(effect, Effect::Penalize { .. })).count()
}

fn received(vote: Vote) -> Input {
    Input::Received { from: Peer(vote.voter[19].into()), message: Message::Vote(vote) }
}

#[test]
fn votes_are_checked_in_one_batch_and_strangers_not_at_all() {
    let (mut machine, checked) = machine();
    let inputs = vec![received(vote(0, 0)), received(vote(9, 9)), received(vote(1, 1)), received(vote(2, 2))];
    machine.check_ahead(&inputs);
    assert_eq!(*checked.lock().expect("no panic"), [3], "members alone");
    assert_eq!(penalties(&mut machine, inputs), 1, "the stranger");
    assert_eq!(*checked.lock().expect("no panic"), [3], "nothing is checked again");
}

#[test]
fn a_forged_vote_is_blamed_as_if_nothing_had_been_checked_ahead() {
    for ahead in [false, true] {
        let (mut machine, _) = machine();
        let inputs = vec![received(vote(0, 0)), received(vote(1, 2)), received(vote(2, 2))];
        if ahead {
            machine.check_ahead(&inputs);
        }
        assert_eq!(penalties(&mut machine, inputs), 1, "ahead: {ahead}");
    }
}

#[test]
fn votes_of_a_certificate_are_one_batch() {
    let (mut machine, checked) = machine();
    let votes = [0, 1, 2].map(|member| vote(member, member)).to_vec();
    let cert = Arc::new(Hcc { block_hash: votes[0].block_hash, votes });
    let input = Input::Received { from: Peer(0), message: Message::Certificate(cert) };
    assert_eq!(penalties(&mut machine, vec![input]), 0);
    assert_eq!(*checked.lock().expect("no panic"), [3]);
}
