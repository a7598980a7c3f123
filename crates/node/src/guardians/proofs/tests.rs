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

/// One host, behind connection 1.
struct World {
    scheme: Scheme,
    host: PeerId,
    proofs: Proofs,
}

const PEER: Peer = Peer(1);

impl World {
    fn new(scheme: Scheme, guardians: &[u8]) -> Self {
        let engine = vigil_accel::Engine::small();
        let domain = SignDomain { chain_id: "test".into(), genesis_hash: Hash::repeat_byte(1) };
        let mut proofs = Proofs::new(domain, Arc::new(Verifier::new(engine, scheme)), set(guardians));
        let host = PeerId::random();
        proofs.connected(PEER, &host);
        Self { scheme, host, proofs }
    }

    fn signed(&self, members: &[u8], host: &PeerId) -> BlsSignatureBytes {
        let message = hosted_by(&self.proofs.domain, host);
        let signatures: Vec<_> = members.iter().map(|n| secret(*n).sign(self.scheme, message.as_slice())).collect();
        Signature::aggregate(&signatures).map(|sum| sum.to_bytes().into()).unwrap_or_default()
    }

    fn here(&self, members: &[u8], others: &[u8]) -> Here {
        let names = |who_: &[u8]| who_.iter().map(|n| who(*n)).collect();
        Here { members: names(members), others: names(others), signature: self.signed(members, &self.host) }
    }

    fn hears(&mut self, here: Here) -> Result<Option<Hosted>, Wrong> {
        self.proofs.heard(PEER, here)
    }

    fn settles(&mut self, guardians: &[u8]) -> Result<Option<Hosted>, Wrong> {
        let [(PEER, judged)] = &self.proofs.settled(set(guardians))[..] else { panic!("one host") };
        judged.clone()
    }
}

fn hosted(proven: &[u8], others: &[u8]) -> Result<Option<Hosted>, Wrong> {
    let names = |who_: &[u8]| who_.iter().map(|n| who(*n)).collect::<Vec<_>>();
    Ok(Some(Hosted::new(&names(proven), &names(others))))
}

const SCHEMES: [Scheme; 2] = [Scheme::Augmented, Scheme::ProofOfPossession];

#[test]
fn a_host_proves_whom_it_has() {
    for scheme in SCHEMES {
        let mut world = World::new(scheme, &[1, 2, 3, 4]);
        let here = world.here(&[3, 1], &[9]);
        assert_eq!(world.hears(here.clone()), hosted(&[1, 3], &[9]), "{scheme:?}");
        assert_eq!(world.hears(here), Ok(None), "nothing new");
        let fewer = Here { signature: BlsSignatureBytes::ZERO, ..world.here(&[1], &[3]) };
        assert_eq!(world.hears(fewer), hosted(&[1], &[3]), "who is proven is not asked again");
        let nobody = world.here(&[], &[1, 9]);
        assert_eq!(world.hears(nobody), hosted(&[], &[1, 9]), "a listener");
        world.proofs.disconnected(PEER);
        assert_eq!(world.proofs.heard(PEER, world.here(&[1], &[])), Ok(None), "it is gone");
    }
}

#[test]
fn what_others_signed_proves_nothing() {
    for scheme in SCHEMES {
        let liar = |here: &dyn Fn(&World) -> Here| {
            let mut world = World::new(scheme, &[1, 2, 3]);
            let here = here(&world);
            let judged = world.hears(here.clone());
            assert_eq!(world.settles(&[1, 2, 3]), Ok(None), "judged once, not at each checkpoint");
            judged
        };
        let of_another_host =
            |world: &World| Here { signature: world.signed(&[1, 2], &PeerId::random()), ..world.here(&[1, 2], &[]) };
        assert_eq!(liar(&of_another_host), Err(Wrong::Proof), "{scheme:?}: heard on its own connection");
        let one_more = |world: &World| Here { signature: world.signed(&[1], &world.host), ..world.here(&[1, 2], &[]) };
        assert_eq!(liar(&one_more), Err(Wrong::Proof));
        let none = |world: &World| Here { signature: BlsSignatureBytes::ZERO, ..world.here(&[1], &[]) };
        assert_eq!(liar(&none), Err(Wrong::Proof));
        // One that is proven already proves nobody else.
        let mut world = World::new(scheme, &[1, 2, 3]);
        world.hears(world.here(&[1], &[])).expect("holds");
        let more = Here { signature: world.signed(&[1], &world.host), ..world.here(&[1, 3], &[]) };
        assert_eq!(world.hears(more), Err(Wrong::Proof));
    }
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
        assert!(world.hears(world.here(&[1 + n as u8 % 2], &[])).is_ok());
    }
    for n in [3, 1] {
        assert_eq!(world.hears(world.here(&[n], &[])), Err(Wrong::Often));
    }
    assert_eq!(world.settles(&[1, 2, 3]), hosted(&[1], &[]), "what it said last");
    assert_eq!(world.hears(world.here(&[1, 2, 3], &[])), hosted(&[1, 2, 3], &[]));
}
