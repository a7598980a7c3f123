//! Hosts that prove whom they have, and some that lie.

use super::*;
use vigil_accel::checkpoint::Scheme;
use vigil_crypto::bls::SecretKey;
use vigil_primitives::{BlsSignatureBytes, GuardianMember};

fn secret(n: u8) -> SecretKey {
    SecretKey::from_bytes(&[n; 32]).expect("a key")
}

fn who(n: u8) -> Address {
    Address::repeat_byte(n)
}

fn set(guardians: &[u8]) -> Arc<GuardianSet> {
    let member =
        |n: &u8| GuardianMember { address: who(*n), key: secret(*n).public_key().to_bytes().into(), weight: 1 };
    Arc::new(GuardianSet::new(guardians.iter().map(member).collect()))
}

/// One host, behind connection 1, and any number of others.
struct World {
    host: PeerId,
    proofs: Proofs,
}

const PEER: Peer = Peer(1);

/// What is judged of a host.
type Judged = Result<Hosted, Wrong>;

impl World {
    fn new(scheme: Scheme, guardians: &[u8]) -> Self {
        let engine = vigil_accel::Engine::small();
        let domain = SignDomain { chain_id: "test".into(), genesis_hash: Hash::repeat_byte(1) };
        let mut proofs = Proofs::new(domain, Arc::new(Verifier::new(engine, scheme)), set(guardians));
        let host = PeerId::random();
        proofs.connected(PEER, &host);
        Self { host, proofs }
    }

    fn signed(&self, members: &[u8], host: &PeerId) -> BlsSignatureBytes {
        let domain = &self.proofs.domain;
        let signatures: Vec<_> = members.iter().map(|n| sign_hosting(&secret(*n), domain, host)).collect();
        Signature::aggregate(&signatures).map(|sum| sum.to_bytes().into()).unwrap_or_default()
    }

    fn here(&self, members: &[u8], others: &[u8]) -> Here {
        let names = |who_: &[u8]| who_.iter().map(|n| who(*n)).collect();
        Here { members: names(members), others: names(others), signature: self.signed(members, &self.host) }
    }

    /// The newest of what is judged of the host.
    fn judged(&mut self) -> Option<Judged> {
        let judged = self.proofs.take_judged(0);
        judged.into_iter().rev().find(|(peer, _)| *peer == PEER).map(|(_, judged)| judged)
    }

    fn hears(&mut self, here: Here) -> Option<Judged> {
        self.proofs.heard(PEER, here);
        self.judged()
    }

    fn settles(&mut self, guardians: &[u8]) -> Option<Judged> {
        self.proofs.settled(set(guardians));
        self.judged()
    }

    /// Another host behind a connection, with the proof of those.
    fn joins(&mut self, peer: u64, members: &[u8]) {
        let host = PeerId::random();
        self.proofs.connected(Peer(peer), &host);
        let here = Here { signature: self.signed(members, &host), ..self.here(members, &[]) };
        self.proofs.heard(Peer(peer), here);
    }
}

fn hosted(proven: &[u8], others: &[u8]) -> Option<Judged> {
    let names = |who_: &[u8]| who_.iter().map(|n| who(*n)).collect::<Vec<_>>();
    Some(Ok(Hosted::new(&names(proven), &names(others))))
}

const SCHEMES: [Scheme; 2] = [Scheme::Augmented, Scheme::ProofOfPossession];

#[test]
fn a_host_proves_whom_it_has() {
    for scheme in SCHEMES {
        let mut world = World::new(scheme, &[1, 2, 3, 4]);
        let here = world.here(&[3, 1], &[9]);
        assert_eq!(world.hears(here.clone()), hosted(&[1, 3], &[9]), "{scheme:?}");
        assert_eq!(world.hears(here), None, "nothing new");
        let fewer = Here { signature: BlsSignatureBytes::ZERO, ..world.here(&[1], &[3]) };
        assert_eq!(world.hears(fewer), hosted(&[1], &[3]), "who is proven is not asked again");
        let nobody = world.here(&[], &[1, 9]);
        assert_eq!(world.hears(nobody), hosted(&[], &[1, 9]), "a listener");
        world.proofs.disconnected(PEER);
        assert_eq!(world.hears(world.here(&[1], &[])), None, "it is gone");
    }
}

#[test]
fn what_others_signed_proves_nothing() {
    for scheme in SCHEMES {
        let liar = |here: &dyn Fn(&World) -> Here| {
            let mut world = World::new(scheme, &[1, 2, 3]);
            let here = here(&world);
            let judged = world.hears(here.clone());
            assert_eq!(world.settles(&[1, 2, 3]), hosted(&[], &[]), "judged once, not at each checkpoint");
            judged
        };
        let of_another_host =
            |world: &World| Here { signature: world.signed(&[1, 2], &PeerId::random()), ..world.here(&[1, 2], &[]) };
        assert_eq!(liar(&of_another_host), Some(Err(Wrong::Proof)), "{scheme:?}: heard on its own connection");
        let one_more = |world: &World| Here { signature: world.signed(&[1], &world.host), ..world.here(&[1, 2], &[]) };
        assert_eq!(liar(&one_more), Some(Err(Wrong::Proof)));
        let none = |world: &World| Here { signature: BlsSignatureBytes::ZERO, ..world.here(&[1], &[]) };
        assert_eq!(liar(&none), Some(Err(Wrong::Proof)));
        // One that is proven already proves nobody else.
        let mut world = World::new(scheme, &[1, 2, 3]);
        assert_eq!(world.hears(world.here(&[1], &[])), hosted(&[1], &[]));
        let more = Here { signature: world.signed(&[1], &world.host), ..world.here(&[1, 3], &[]) };
        assert_eq!(world.hears(more), Some(Err(Wrong::Proof)));
        assert_eq!(world.settles(&[2, 3]), hosted(&[], &[]), "1 is a guardian no more, whatever lie came after");
    }
}

/// A guardian may sign for any number of network identities: it is no more neighbours for that.
#[test]
fn a_guardian_is_at_one_place() {
    let mut world = World::new(Scheme::Augmented, &[1, 2, 3]);
    assert_eq!(world.hears(world.here(&[1, 2], &[])), hosted(&[1, 2], &[]));
    let found = |world: &mut World| {
        let judged = world.proofs.take_judged(0);
        judged.into_iter().map(|(peer, judged)| (peer, Some(judged))).collect::<Vec<_>>()
    };
    world.joins(2, &[1, 3]);
    assert_eq!(found(&mut world).last(), Some(&(Peer(2), hosted(&[3], &[1]))), "1 is elsewhere");
    world.joins(3, &[1, 2, 3]);
    assert_eq!(found(&mut world).last(), Some(&(Peer(3), hosted(&[], &[1, 2, 3]))));
    // It moves.
    world.proofs.heard(PEER, world.here(&[2], &[]));
    assert_eq!(found(&mut world), [(PEER, hosted(&[2], &[])), (Peer(2), hosted(&[1, 3], &[]))]);
    world.proofs.disconnected(PEER);
    assert_eq!(found(&mut world), [(Peer(3), hosted(&[2], &[1, 3]))]);
    world.proofs.disconnected(Peer(2));
    assert_eq!(found(&mut world), [(Peer(3), hosted(&[1, 2, 3], &[]))]);
    world.proofs.disconnected(Peer(3));
    assert!(world.proofs.places.is_empty());
}

/// Many hosts have its signature: none of them has it as a guardian for a moment.
#[test]
fn who_is_no_guardian_any_more_is_at_no_place() {
    let mut world = World::new(Scheme::Augmented, &[1, 2, 3]);
    assert_eq!(world.hears(world.here(&[1, 2], &[])), hosted(&[1, 2], &[]));
    (2..12).for_each(|peer| world.joins(peer, &[1]));
    assert_eq!(world.proofs.take_judged(1_000).len(), 2 * 10);
    world.proofs.settled(set(&[2, 3]));
    let proven = |(_, judged): &(Peer, Judged)| judged.as_ref().expect("no lie").list(true).to_vec();
    let found: Vec<Vec<Address>> = world.proofs.take_judged(2_000).iter().map(proven).collect();
    assert_eq!((&found[0][..], found.concat().len()), (&[who(2)][..], 1));
    assert_eq!(world.proofs.places, HashMap::from([(who(2), PEER)]));
}

/// It left and came back between two checkpoints.
#[test]
fn whose_key_is_another_proves_itself_again() {
    let mut world = World::new(Scheme::Augmented, &[1, 2]);
    assert_eq!(world.hears(world.here(&[1, 2], &[])), hosted(&[1, 2], &[]));
    let mut members = set(&[1, 2]).members().to_vec();
    members[0].key = secret(9).public_key().to_bytes().into();
    world.proofs.settled(Arc::new(GuardianSet::new(members)));
    assert_eq!(world.judged(), Some(Err(Wrong::Proof)), "by its old key");
    let host = PeerId::random();
    world.proofs.connected(Peer(2), &host);
    let signature = sign_hosting(&secret(9), &world.proofs.domain, &host).to_bytes().into();
    world.proofs.heard(Peer(2), Here { signature, ..world.here(&[1], &[]) });
    assert_eq!(world.proofs.take_judged(0).pop(), Some((Peer(2), hosted(&[1], &[]).expect("judged"))));
}

/// A stranger that comes again and again with other identities keeps nobody busy, nor anybody out for long.
#[test]
fn strangers_are_judged_in_turn() {
    let mut world = World::new(Scheme::Augmented, &[1, 2, 3]);
    assert_eq!(world.hears(world.here(&[1], &[])), hosted(&[1], &[]));
    world.proofs.take_judged(1_000);
    let garbage = |world: &World, n| Here { signature: world.signed(&[1], &PeerId::random()), ..world.here(&[n], &[]) };
    let crowd = STRANGERS_A_SECOND as u64 + 5;
    for peer in 100..100 + crowd {
        world.proofs.connected(Peer(peer), &PeerId::random());
        world.proofs.heard(Peer(peer), garbage(&world, 3));
    }
    world.joins(2, &[2]);
    world.proofs.heard(PEER, world.here(&[1, 3], &[]));
    let wrong = |judged: &[(Peer, Judged)]| judged.iter().filter(|(_, judged)| judged.is_err()).count();
    let first = world.proofs.take_judged(2_000);
    assert_eq!(wrong(&first), STRANGERS_A_SECOND);
    assert_eq!(first.last(), Some(&(PEER, hosted(&[1, 3], &[]).expect("judged"))), "who is known does not wait");
    world.proofs.disconnected(Peer(100 + crowd - 1));
    assert_eq!(wrong(&world.proofs.take_judged(2_999)), 0);
    let second = world.proofs.take_judged(3_000);
    assert_eq!((wrong(&second), second.last()), (4, Some(&(Peer(2), hosted(&[2], &[]).expect("judged")))));
}

/// The two ends settle a change of the set at different times.
#[test]
fn sets_that_differ_for_a_while_heal() {
    let mut world = World::new(Scheme::Augmented, &[1, 2]);
    assert_eq!(world.hears(world.here(&[1], &[3])), hosted(&[1], &[3]));
    // It settled the stake of 3 before us.
    assert_eq!(world.hears(world.here(&[1, 3], &[])), hosted(&[1], &[3]), "1 stays proven");
    assert_eq!(world.settles(&[1, 2]), hosted(&[1], &[3]), "not yet");
    assert_eq!(world.settles(&[1, 2, 3]), hosted(&[1, 3], &[]), "by what it said before");
    assert_eq!(world.settles(&[2, 3]), hosted(&[3], &[1]), "1 is a guardian no more");
    assert_eq!(world.settles(&[1, 2, 3]), hosted(&[1, 3], &[]));
    // A host that was unknown until now, and is behind us.
    let mut world = World::new(Scheme::Augmented, &[2]);
    assert_eq!(world.hears(world.here(&[1, 2], &[])), hosted(&[], &[1, 2]));
    assert_eq!(world.hears(world.here(&[2], &[1])), hosted(&[2], &[1]));
}

#[test]
fn whoever_says_too_much_waits_for_a_checkpoint() {
    let mut world = World::new(Scheme::ProofOfPossession, &[1, 2, 3]);
    for n in 0..HEARD_MAX {
        assert!(world.hears(world.here(&[1 + n as u8 % 2], &[])).is_some_and(|judged| judged.is_ok()));
    }
    for n in [3, 1] {
        assert_eq!(world.hears(world.here(&[n], &[])), Some(Err(Wrong::Often)));
    }
    assert_eq!(world.settles(&[1, 2, 3]), hosted(&[1], &[]), "what it said last");
    assert_eq!(world.hears(world.here(&[1, 2, 3], &[])), hosted(&[1, 2, 3], &[]));
}
