//! Votes of guardians on cards that turn bits over: no invalid one is accepted, and no valid one is refused in the end.

use super::*;
use crate::checkpoint::{Aggregate, GuardianKeys, Merged, PreparedCheckpoint, Scheme};
use crate::gpu::Fault;
use crate::gpu::fp381::programs::MILLER_OF_HASH;
use crate::testing::guardians;
use vigil_crypto::{bls, checkpoint as judge};
use vigil_testkit::vectors;

const MESSAGE: &[u8] = b"a checkpoint";
const RATES: [f64; 5] = [1e-6, 1e-5, 1e-4, 1e-3, 1e-2];

/// Guardians, and votes of theirs with what is right about them.
struct World {
    scheme: Scheme,
    guardians: Arc<GuardianKeys>,
    /// All are good, some do not hold, some are none.
    batches: [(&'static str, Vec<Aggregate>, Merged); 3],
}

impl World {
    fn new(scheme: Scheme, n: u64) -> Self {
        let (guardians, secrets) = guardians(n);
        let all: Vec<bls::Signature> = secrets.iter().map(|secret| secret.sign(scheme, MESSAGE)).collect();
        let vote = |entry: &dyn Fn(usize) -> u8| {
            let signers: Vec<u8> = (0..all.len()).map(entry).collect();
            let signed = all.iter().zip(&signers).flat_map(|(one, times)| vec![*one; usize::from(*times)]);
            let signature = bls::Signature::aggregate(&signed.collect::<Vec<_>>()).expect("not infinity").to_bytes();
            Aggregate { signature, signers }
        };
        // Of all guardians: the keys of enough for a card to add up.
        let good = vec![vote(&|at| u8::from(at == 0)), vote(&|_| 1), vote(&|at| 1 + (at % 3) as u8)];
        let mut wrong = good.clone();
        wrong[1].signers[3] += 1;
        wrong.push(Aggregate { signature: secrets[0].sign(scheme, b"another").to_bytes(), ..good[0].clone() });
        let mut none = good.clone();
        none[0].signature.fill(0xff);
        none[2].signers.push(1);
        // x of no point, or of one outside the subgroup.
        none.extend((1..7).map(|bit| {
            let mut other = good[1].clone();
            other.signature[95] ^= 1 << bit;
            other
        }));
        let judged = |name, votes: Vec<Aggregate>| {
            let right = judge::merge(scheme, guardians.keys(), MESSAGE, &votes);
            (name, votes, right)
        };
        let batches = [judged("good", good), judged("wrong", wrong), judged("malformed", none)];
        let accepted = batches.each_ref().map(|(_, _, right)| right.verdicts.iter().filter(|v| v.is_ok()).count());
        assert_eq!(accepted, [3, 2, 1]);
        Self { scheme, guardians, batches }
    }

    fn prepare(&self, gpu: &Gpu) -> PreparedCheckpoint {
        gpu.prepare_checkpoint(self.scheme, &self.guardians, MESSAGE)
    }
}

/// A bad card that is good again for each question, if it was caught over the last one.
struct Suspect {
    card: Arc<BadCard>,
    gpu: Gpu,
    caught: usize,
}

impl Suspect {
    fn new(seed: u64) -> Self {
        let (card, gpu) = bad_card(seed);
        Self { card, gpu, caught: 0 }
    }

    /// What it answers while it is so.
    fn while_it<R>(&mut self, is: Option<&Mischief>, ask: impl FnOnce(&Gpu) -> R) -> R {
        assert_eq!(self.gpu.why_not(), None);
        self.card.becomes(is.cloned());
        let answer = ask(&self.gpu);
        self.card.becomes(None);
        let fault = self.gpu.why_not();
        if fault.is_some() {
            assert!(matches!(fault, Some(Fault::Lies(_))), "{fault:?}");
            self.caught += 1;
            assert!(test_now(&self.gpu), "it is good again");
        }
        answer
    }

    /// All batches are judged rightly.
    fn judges(&mut self, world: &World, prepared: &PreparedCheckpoint, is: Option<&Mischief>, what: &str) {
        for (name, votes, right) in &world.batches {
            let merged = self.while_it(is, |gpu| gpu.merge_votes(prepared, votes));
            assert!(merged == *right, "{:?}, {name} votes, {is:?}, {what}: {:?}", world.scheme, merged.verdicts);
        }
    }
}

/// One with sums of keys, one with a table.
fn worlds() -> [World; 2] {
    [World::new(Scheme::ProofOfPossession, 300), World::new(Scheme::Augmented, if vectors::long() { 16 } else { 8 })]
}

#[test]
fn flipped_bits_decide_about_no_vote() {
    eprintln!("seed {SEED:#x}");
    let worlds = worlds();
    let (seeds, mut caught, mut asked) = (if vectors::long() { 5 } else { 1 }, 0, 0);
    for rate in RATES {
        for (seed, mischief) in
            (0..seeds).flat_map(|seed| [(seed, Mischief::Answers(rate)), (seed, Mischief::Memory(rate))])
        {
            let mut suspect = Suspect::new(SEED ^ seed);
            for world in &worlds {
                let good = suspect.while_it(None, |gpu| world.prepare(gpu));
                suspect.judges(world, &good, Some(&mischief), "a good table");
                let bad = suspect.while_it(Some(&mischief), |gpu| world.prepare(gpu));
                suspect.judges(world, &bad, Some(&mischief), "its own table");
            }
            (caught, asked) = (caught + suspect.caught, asked + 2 * 2 * 3);
        }
    }
    eprintln!("caught {caught} times of {asked}");
    assert!(caught * 6 > asked, "caught {caught} times of {asked}");
}

/// One bit of one word turns over before each run of a kernel.
#[test]
fn single_flips_decide_about_no_vote() {
    let worlds = worlds();
    let mut suspect = Suspect::new(SEED);
    let prepared = worlds.each_ref().map(|world| world.prepare(&suspect.gpu));
    let words = [0, 7, 33, 80, 200].into_iter().step_by(if vectors::long() { 1 } else { 2 });
    let places = [
        (Kernel::Fp381, 0),
        (Kernel::Fp381, 3),
        (Kernel::G1Gather, 0),
        (Kernel::G1Gather, 1),
        (Kernel::G1Products, 0),
        (Kernel::InvertFp381, 0),
        (Kernel::G1Sums, 0),
        (Kernel::G1Sums, 2),
    ];
    for (kernel, place) in places {
        let before = suspect.caught;
        for word in words.clone() {
            let mischief = Mischief::Word(kernel, place, word);
            for (world, prepared) in worlds.iter().zip(&prepared) {
                suspect.judges(world, prepared, Some(&mischief), "a good table");
            }
        }
        assert!(suspect.caught > before, "{}, place {place}: nothing came of it", kernel.name());
    }
}

/// A good card finds the same votes wrong as the CPU, and is trusted on.
#[test]
fn wrong_votes_are_no_fault_of_a_card() {
    let mut suspect = Suspect::new(SEED);
    for world in worlds() {
        let prepared = world.prepare(&suspect.gpu);
        suspect.judges(&world, &prepared, None, "a good table");
    }
    assert_eq!((suspect.caught, suspect.gpu.faults()), (0, 0));
}

/// A bit of a number of this guardian's key or hash is another before its value is worked out.
fn other_input(guardian: usize) -> Mischief {
    Mischief::Word(Kernel::Fp381, 3, guardian * MILLER_OF_HASH.input_row() + 13 * (1 + guardian % 5))
}

/// Nothing shows that a table is wrong before votes are refused with it: then the card is asked no more, and they are not.
#[test]
fn a_wrong_table_refuses_no_vote() {
    let world = World::new(Scheme::Augmented, 8);
    for (name, votes, right) in &world.batches {
        let (card, gpu) = bad_card(SEED);
        card.becomes(Some(other_input(0)));
        let prepared = world.prepare(&gpu);
        card.becomes(None);
        assert_eq!(gpu.why_not(), None, "nothing shows it");
        assert!(!prepared.is_trusted());
        assert!(gpu.merge_votes(&prepared, votes) == *right, "{name} votes");
        assert!(matches!(gpu.why_not(), Some(Fault::Lies(_))), "{name} votes: {:?}", gpu.why_not());
        assert!(prepared.is_trusted(), "it is another table now");
        assert!(gpu.cpu.merge_votes(&prepared, votes) == *right, "{name} votes, the other table");
    }
}

/// A card of an engine that gives it nearly the whole of a table. A busy machine's twin takes seconds for one, which it has.
fn with_an_engine() -> (Arc<BadCard>, &'static Gpu, Engine) {
    let (card, gpu) = bad_card(SEED);
    gpu.post.forget_paces();
    let gpu: &'static Gpu = Box::leak(Box::new(gpu));
    (card, gpu, engine(gpu))
}

/// The same through an engine, which gives the card no votes.
#[test]
fn a_card_with_a_part_in_the_table_of_an_engine_refuses_no_vote() {
    let world = World::new(Scheme::Augmented, 300);
    for guardian in [0, 1, 200] {
        let (card, gpu, engine) = with_an_engine();
        let prepare = || engine.prepare_checkpoint(world.scheme, &world.guardians, MESSAGE, &|| true).expect("goes on");
        let before = card.launches(Kernel::Fp381);
        card.becomes(Some(other_input(guardian)));
        let prepared = prepare();
        card.becomes(None);
        assert!(card.launches(Kernel::Fp381) > before && gpu.why_not().is_none(), "it was asked, and nothing shows it");
        assert!(!prepared.is_trusted());
        for (name, votes, right) in &world.batches {
            let merged = engine.merge_votes(&prepared, votes);
            assert!(merged == *right, "{name} votes, {guardian}: {:?}", merged.verdicts);
        }
        assert!(prepared.is_trusted(), "votes were refused");
        assert_eq!(gpu.why_not(), Some(Fault::Lies("a table of Miller values was wrong".to_owned())), "{guardian}");
    }
}

/// A right table is made again as well before votes are refused, and the card is trusted on.
#[test]
fn a_good_card_has_a_part_in_the_table_of_an_engine() {
    let (card, gpu, engine) = with_an_engine();
    let world = World::new(Scheme::Augmented, 300);
    let before = card.launches(Kernel::Fp381);
    let prepared = engine.prepare_checkpoint(world.scheme, &world.guardians, MESSAGE, &|| true).expect("it goes on");
    assert!(card.launches(Kernel::Fp381) > before);
    for (at, (name, votes, right)) in world.batches.iter().enumerate() {
        assert!(engine.merge_votes(&prepared, votes) == *right, "{name} votes");
        assert_eq!(prepared.is_trusted(), at > 0, "{name} votes");
    }
    assert_eq!((gpu.why_not(), gpu.faults()), (None, 0));
}
