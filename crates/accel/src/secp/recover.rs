//! Who signed: the key Q = (s/r) R - (z/r) G of a signature (r, s) over z, where R is the point with x = r.
//!
//! s/r is split into two halves of 128 bits, by the endomorphism of the curve; both are written in signed digits of five
//! bits and walked together, with one table of 16 multiples of R. The part of G has a table that needs no doublings. See
//! `PERFORMANCE.md` §4b.
//!
//! Large batches walk in affine points, which costs about half of the multiplications but an inversion a step; small ones
//! in Jacobian points.

use super::curve::{Affine, GX, GY};
use super::digits::signed_digits;
use super::few::FewSums;
use super::generator::{self, Generator, OfG};
use super::glv::{self, BETA};
use super::machine::{Machine, Task};
use super::order::{Order, Parsed, batch_invert};
use super::power::sqrt_candidate;
use super::sums::{Accumulator, Addend, End, Finished, Source, Sums};
use super::table::{Digits, Picks, multiples};
use crate::field::{Field, Packed};
use crate::ops::{Claim, PublicKey, Recovered, SignatureError, Signed, Signer, Verdict};
use crate::oracle;
use std::marker::PhantomData;
use vigil_primitives::Address;

/// Bits of a digit of a half scalar.
const WIDTH: usize = 5;
/// Digits of a half scalar.
const WINDOWS: usize = 26;
/// Multiples of R in its table.
const ENTRIES: usize = 1 << (WIDTH - 1);
/// Signatures worked on together at most: enough to share an inversion, few enough for the caches.
const CHUNK: usize = 2048;

/// Who signed each item.
pub(crate) fn recover<M: Machine>(machine: M, generator: &Generator, items: &[Signed]) -> Vec<Recovered> {
    let mut answers = Vec::with_capacity(items.len());
    for chunk in items.chunks(CHUNK) {
        recover_chunk(machine, generator, chunk, &mut answers);
    }
    answers
}

/// Whether the claimed keys signed, by recovering.
pub(crate) fn verify<M: Machine>(machine: M, generator: &Generator, claims: &[Claim]) -> Vec<Verdict> {
    let items: Vec<Signed> = claims.iter().map(|claim| claim.signed).collect();
    let verdict = |(claim, recovered): (&Claim, Recovered)| match recovered {
        Ok(signer) if signer.key == claim.key => Ok(()),
        Ok(_) | Err(SignatureError::NoKey) => Err(SignatureError::WrongKey),
        Err(reason) => Err(reason),
    };
    claims.iter().zip(recover(machine, generator, &items)).map(verdict).collect()
}

fn recover_chunk<M: Machine>(machine: M, generator: &Generator, items: &[Signed], answers: &mut Vec<Recovered>) {
    let Keys { faults, on_curve, sums } = keys(machine, generator, items);
    let mut digests = vec![[0; 4]; sums.points.len()];
    machine.digests(&sums.points, &mut digests);
    for (i, item) in items.iter().enumerate() {
        let (group, lane) = (i / M::Fe::LANES, i % M::Fe::LANES);
        answers.push(match faults[i] {
            Some(fault) => Err(fault),
            None if on_curve[group] >> lane & 1 == 0 => Err(SignatureError::NoKey),
            None => match sums.end(i, M::Fe::LANES) {
                End::Point => Ok(Signer { key: PublicKey::from_words(sums.points[i].0), address: address(digests[i]) }),
                End::Infinity => Err(SignatureError::NoKey),
                End::Lost => oracle::recover(item),
            },
        });
    }
}

/// The keys of a chunk.
pub(super) struct Keys {
    /// What is wrong with the form of an item.
    faults: Vec<Option<SignatureError>>,
    /// Per group, the lanes whose r is an x of a point.
    on_curve: Vec<u64>,
    pub(super) sums: Finished,
}

pub(super) fn keys<M: Machine>(machine: M, generator: &Generator, items: &[Signed]) -> Keys {
    let batch = machine.call(Prepare { generator, items, lanes: M::Fe::LANES });
    let (points, on_curve) = machine.call(Lift::<M::Fe>(&batch.r, &batch.odd, PhantomData));
    let mut table = vec![Packed([0; 8]); batch.padded * ENTRIES];
    multiples(machine, &points, ENTRIES, &mut table);
    let sums = if items.len() < M::AFFINE_MIN {
        walk::<M, FewSums<M>>(machine, generator, &batch, &table)
    } else {
        walk::<M, Sums<M>>(machine, generator, &batch, &table)
    };
    Keys { faults: batch.faults, on_curve, sums }
}

/// The last 20 bytes of a digest.
fn address(digest: [u64; 4]) -> Address {
    let mut bytes = [0; 32];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(digest) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    Address::from_slice(&bytes[12..])
}

/// The plain-word part of a chunk: what is wrong with each item, and the digits of all scalars.
struct Batch {
    /// Items, filled up to whole groups.
    padded: usize,
    faults: Vec<Option<SignatureError>>,
    r: Vec<[u64; 4]>,
    odd: Vec<bool>,
    halves: [Digits; 2],
    of_g: Digits,
}

struct Prepare<'a> {
    generator: &'a Generator,
    items: &'a [Signed],
    lanes: usize,
}

impl Task for Prepare<'_> {
    type Output = Batch;

    #[inline(always)]
    fn run(self) -> Batch {
        let Self { generator, items, lanes } = self;
        let padded = items.len().next_multiple_of(lanes);
        let mut batch = Batch {
            padded,
            faults: Vec::with_capacity(items.len()),
            r: vec![GX; padded],
            odd: vec![false; padded],
            halves: [Digits::zero(WINDOWS, padded), Digits::zero(WINDOWS, padded)],
            of_g: Digits::zero(generator::WINDOWS, padded),
        };
        // A place that holds no signature of good form: r = x(G), s = 1.
        let mut s = vec![Order::ONE; items.len()];
        let mut inverses = vec![Order::ONE; items.len()];
        for (i, item) in items.iter().enumerate() {
            match Parsed::new(&item.signature) {
                Ok(parsed) => {
                    batch.faults.push(None);
                    (batch.r[i], batch.odd[i]) = (parsed.r.words(), parsed.odd);
                    (s[i], inverses[i]) = (parsed.s, parsed.r);
                }
                Err(fault) => batch.faults.push(Some(fault)),
            }
        }
        batch_invert(&mut inverses);
        let start = start_doubled(generator);
        for (i, item) in items.iter().enumerate() {
            let of_g = Order::from_digest(&item.digest).mul(inverses[i]).add(start).neg();
            Generator::write(&mut batch.of_g, i, of_g);
            for (half, digits) in glv::split(s[i].mul(inverses[i])).into_iter().zip(&mut batch.halves) {
                signed_digits::<WIDTH, WINDOWS, 2>(half.magnitude, |window, digit| {
                    digits.set(window, i, digit, half.negative);
                });
            }
        }
        batch
    }
}

/// What the walk makes of the start: it is doubled with everything else.
#[inline(always)]
fn start_doubled(generator: &Generator) -> Order {
    const DOUBLINGS: usize = WIDTH * (WINDOWS - 1);
    let mut factor = [0; 4];
    factor[DOUBLINGS / 64] = 1 << (DOUBLINGS % 64);
    generator.start.mul(Order::reduce(factor))
}

/// The points with these x and, where true, an odd y (both for whole groups of lanes), G where there is none; and the lanes
/// where there is one.
pub(crate) struct Lift<'a, F>(pub(crate) &'a [[u64; 4]], pub(crate) &'a [bool], pub(crate) PhantomData<F>);

impl<F: Field> Task for Lift<'_, F> {
    type Output = (Vec<Affine<F>>, Vec<u64>);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let Self(r, wanted, _) = self;
        let groups = r.len() / F::LANES;
        let (mut points, mut valid) = (Vec::with_capacity(groups), Vec::with_capacity(groups));
        for group in 0..groups {
            let first = group * F::LANES;
            let x = F::load(|lane| r[first + lane]);
            let right = x.sqr().mul_add(x, F::splat([7, 0, 0, 0]));
            let y = sqrt_candidate(right);
            let on_curve = y.sqr().sub(right).is_zero();
            let mut odd = 0;
            for lane in 0..F::LANES {
                odd |= u64::from(wanted[first + lane]) << lane;
            }
            let y = y.neg_where(y.is_odd() ^ odd);
            points.push(Affine { x: F::splat(GX).select(x, on_curve), y: F::splat(GY).select(y, on_curve) });
            valid.push(on_curve);
        }
        (points, valid)
    }
}

/// The addends of one window of one half of the multiples of R.
struct OfR<'a> {
    batch: &'a Batch,
    table: &'a [Packed],
    half: usize,
    window: usize,
}

impl OfR<'_> {
    #[inline(always)]
    fn picks<F: Field>(&self, group: usize) -> Picks<'_> {
        self.batch.halves[self.half].picks(self.window, group * F::LANES, F::LANES)
    }

    #[inline(always)]
    fn entry<F: Field>(&self, group: usize, lane: usize, picks: &Picks<'_>) -> &Packed {
        &self.table[(group * F::LANES + lane) * ENTRIES + picks.index(lane)]
    }
}

impl<F: Field> Source<F> for OfR<'_> {
    #[inline(always)]
    fn addend(&self, group: usize) -> Addend<F> {
        let picks = self.picks::<F>(group);
        let (x, y) = F::load_points(|lane| self.entry::<F>(group, lane, &picks));
        let x = if self.half == 1 { x.mul(F::splat(BETA)) } else { x };
        Addend { x, y, negative: picks.negative, skip: picks.zero }
    }

    #[inline(always)]
    fn prefetch(&self, group: usize) {
        let picks = self.picks::<F>(group);
        for lane in 0..F::LANES {
            self.entry::<F>(group, lane, &picks).prefetch();
        }
    }
}

/// The keys.
fn walk<M: Machine, A: Accumulator<M>>(machine: M, generator: &Generator, batch: &Batch, table: &[Packed]) -> Finished {
    let mut sums = A::new(machine, &generator.start_point, batch.padded / M::Fe::LANES);
    for window in (0..WINDOWS).rev() {
        if window < WINDOWS - 1 {
            for _ in 0..WIDTH {
                sums.double();
            }
        }
        for half in 0..2 {
            sums.add(&OfR { batch, table, half, window });
        }
    }
    for window in 0..generator::WINDOWS {
        sums.add(&OfG { generator, digits: &batch.of_g, window });
    }
    sums.finish()
}
