//! Signatures of keys that have a comb: R = (z/s) G + (r/s) Q must have the x and the parity of y that the signature says.
//! No doublings and no square root; see `PERFORMANCE.md` §4a.
//!
//! This is exactly when recovering gives Q: Q = (s/r) R' - (z/r) G for the one point R' with that x and parity, and then
//! R = R'. An x that no point has is not R's.

use super::comb::comb_of;
use super::digits::signed_digits;
use super::few::FewSums;
use super::generator::{self, Generator, OfG};
use super::machine::{Machine, Task};
use super::order::{Order, Parsed, batch_invert};
use super::sums::{Accumulator, Addend, End, Finished, Source, Sums};
use super::table::{Digits, Picks};
use crate::comb::Comb;
use crate::field::{Field, Packed, scalar};
use crate::ops::{Claim, PublicKey, SignatureError, Verdict};
use crate::oracle;

/// Signatures worked on together.
const CHUNK: usize = 2048;

/// Whether each claim is right; `combs[i]` is of the key of claim `i`.
pub(crate) fn verify_hot<M: Machine>(
    machine: M,
    generator: &Generator,
    claims: &[Claim],
    combs: &[&Comb],
) -> Vec<Verdict> {
    assert_eq!(claims.len(), combs.len(), "a table for each claim");
    let mut verdicts = Vec::with_capacity(claims.len());
    for (claims, combs) in claims.chunks(CHUNK).zip(combs.chunks(CHUNK)) {
        verify_chunk(machine, generator, claims, combs, &mut verdicts);
    }
    verdicts
}

fn verify_chunk<M: Machine>(
    machine: M,
    generator: &Generator,
    claims: &[Claim],
    combs: &[&Comb],
    verdicts: &mut Vec<Verdict>,
) {
    let (batch, sums) = sums(machine, generator, claims, combs);
    for (i, claim) in claims.iter().enumerate() {
        assert_eq!(combs[i].key(), &claim.key, "the table of the claimed key");
        verdicts.push(match batch.parsed[i] {
            Err(fault) => Err(fault),
            Ok(parsed) => match sums.end(i, M::Fe::LANES) {
                End::Point if is_nonce_point(&sums.points[i], &parsed) => Ok(()),
                End::Point | End::Infinity => Err(SignatureError::WrongKey),
                End::Lost => oracle::verify(claim),
            },
        });
    }
}

/// What is known of the claims beforehand, and the points R of all.
pub(super) fn sums<M: Machine>(
    machine: M,
    generator: &Generator,
    claims: &[Claim],
    combs: &[&Comb],
) -> (Batch, Finished) {
    let batch = machine.call(Prepare { generator, claims, lanes: M::Fe::LANES });
    let sums = if claims.len() < M::AFFINE_MIN / 4 {
        sum::<M, FewSums<M>>(machine, generator, &batch, combs)
    } else {
        sum::<M, Sums<M>>(machine, generator, &batch, combs)
    };
    (batch, sums)
}

/// Whether the signature names this point as R.
fn is_nonce_point(Packed([x0, x1, x2, x3, y0, ..]): &Packed, parsed: &Parsed) -> bool {
    [*x0, *x1, *x2, *x3] == parsed.r.words() && (y0 & 1 == 1) == parsed.odd
}

fn sum<M: Machine, A: Accumulator<M>>(machine: M, generator: &Generator, batch: &Batch, combs: &[&Comb]) -> Finished {
    let mut sums = A::new(machine, &generator.start_point, batch.padded / M::Fe::LANES);
    // The multiples of G come last: they take the start out of the sum, and with it what nobody can choose.
    for window in 0..Comb::WINDOWS {
        sums.add(&OfQ { combs, digits: &batch.of_q, window });
    }
    for window in 0..generator::WINDOWS {
        sums.add(&OfG { generator, digits: &batch.of_g, window });
    }
    sums.finish()
}

/// The plain-word part of a chunk.
pub(super) struct Batch {
    /// Items, filled up to whole groups.
    padded: usize,
    parsed: Vec<Result<Parsed, SignatureError>>,
    of_g: Digits,
    of_q: Digits,
}

struct Prepare<'a> {
    generator: &'a Generator,
    claims: &'a [Claim],
    lanes: usize,
}

impl Task for Prepare<'_> {
    type Output = Batch;

    #[inline(always)]
    fn run(self) -> Batch {
        let Self { generator, claims, lanes } = self;
        let padded = claims.len().next_multiple_of(lanes);
        let mut batch = Batch {
            padded,
            parsed: Vec::with_capacity(claims.len()),
            of_g: Digits::zero(generator::WINDOWS, padded),
            of_q: Digits::zero(Comb::WINDOWS, padded),
        };
        let mut inverses = vec![Order::ONE; claims.len()];
        for (i, claim) in claims.iter().enumerate() {
            let parsed = Parsed::new(&claim.signed.signature);
            if let Ok(parsed) = parsed {
                inverses[i] = parsed.s;
            }
            batch.parsed.push(parsed);
        }
        batch_invert(&mut inverses);
        let minus_start = generator.start.neg();
        for (i, claim) in claims.iter().enumerate() {
            let Ok(parsed) = batch.parsed[i] else { continue };
            let of_g = Order::from_digest(&claim.signed.digest).mul(inverses[i]).add(minus_start);
            Generator::write(&mut batch.of_g, i, of_g);
            let (negative, magnitude) = parsed.r.mul(inverses[i]).halved();
            signed_digits::<{ Comb::WIDTH }, { Comb::WINDOWS }, 4>(magnitude, |window, digit| {
                batch.of_q.set(window, i, digit, negative);
            });
        }
        batch
    }
}

/// The addends of one window of multiples of the keys.
struct OfQ<'a> {
    combs: &'a [&'a Comb],
    digits: &'a Digits,
    window: usize,
}

impl OfQ<'_> {
    #[inline(always)]
    fn picks<F: Field>(&self, group: usize) -> Picks<'_> {
        self.digits.picks(self.window, group * F::LANES, F::LANES)
    }

    #[inline(always)]
    fn entry<F: Field>(&self, group: usize, lane: usize, picks: &Picks<'_>) -> &Packed {
        let comb = self.combs[(group * F::LANES + lane).min(self.combs.len() - 1)];
        comb.point(self.window, picks.index(lane))
    }
}

impl<F: Field> Source<F> for OfQ<'_> {
    #[inline(always)]
    fn addend(&self, group: usize) -> Addend<F> {
        let picks = self.picks::<F>(group);
        let (x, y) = F::load_points(|lane| self.entry::<F>(group, lane, &picks));
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

/// Tables for [`verify_hot`]; `None` for bytes that are no point of the curve.
pub(crate) fn build_combs(machine: impl Machine, keys: &[PublicKey]) -> Vec<Option<Comb>> {
    let points: Vec<Packed> = keys.iter().map(|key| Packed(key.to_words())).filter(scalar::is_on_curve).collect();
    let mut tables = comb_of(machine, &points, Comb::WIDTH, Comb::WINDOWS).into_iter();
    let mut comb = |key: &PublicKey| {
        let table = scalar::is_on_curve(&Packed(key.to_words())).then(|| tables.next().expect("a table a point"));
        table.map(|points| Comb::new(*key, points))
    };
    keys.iter().map(&mut comb).collect()
}
