//! Who signed: the key Q = (s/r) R - (z/r) G of a signature (r, s) over z, where R is the point with x = r.
//!
//! s/r is split into two halves of 128 bits, by the endomorphism of the curve; both are written in signed digits of five
//! bits and walked together, with one table of 16 multiples of R. The part of G has a table that needs no doublings. See
//! `PERFORMANCE.md` §4b.

use super::curve::{Affine, BETA, GX, GY, Jacobian};
use super::digits::signed_digits;
use super::generator::{self, Generator};
use super::glv;
use super::order::{Order, Parsed, batch_invert};
use super::power::{invert_all, sqrt_candidate};
use super::sums::{Addend, Source, Sums};
use super::table::{Picks, multiples};
use crate::field::{Field, Packed};
use crate::ops::{PublicKey, Recovered, SignatureError, Signed, Signer};
use crate::oracle;

/// Bits of a digit of a half scalar.
const WIDTH: usize = 5;
/// Digits of a half scalar.
const WINDOWS: usize = 26;
/// Multiples of R in its table.
const ENTRIES: usize = 1 << (WIDTH - 1);
/// Signatures worked on together: their tables fit into the second-level cache.
const CHUNK: usize = 2048;

/// Who signed each item.
#[inline(always)]
pub(crate) fn recover<F: Field>(generator: &Generator, items: &[Signed]) -> Vec<Recovered> {
    let mut answers = Vec::with_capacity(items.len());
    for chunk in items.chunks(CHUNK) {
        recover_chunk::<F>(generator, chunk, &mut answers);
    }
    answers
}

#[inline(always)]
fn recover_chunk<F: Field>(generator: &Generator, items: &[Signed], answers: &mut Vec<Recovered>) {
    let batch = Batch::new(generator, items, F::LANES);
    let (points, valid) = lift_all::<F>(&batch);
    let mut table = vec![Packed([0; 8]); batch.padded * ENTRIES];
    multiples(&points, ENTRIES, &mut table);
    if std::env::var("AFF").is_ok() {
        let sums = walk_affine::<F>(generator, &batch, &table);
        finish2(&batch, items, &valid, &sums, answers);
        return;
    }
    let mut sums = Vec::with_capacity(points.len());
    for group in 0..points.len() {
        let sum = add_multiples_of_r::<F>(generator, &batch, &table, group);
        sums.push(add_multiples_of_g(generator, &batch, sum, group));
    }
    finish(&batch, items, &valid, &sums, answers);
}

struct OfR<'a> {
    batch: &'a Batch,
    table: &'a [Packed],
    half: usize,
    window: usize,
}

impl<F: Field> Source<F> for OfR<'_> {
    #[inline(always)]
    fn addend(&self, group: usize) -> Addend<F> {
        let picks = Picks::new(self.batch.row(&self.batch.halves[self.half], self.window, group, F::LANES));
        let (x, y) = F::load_points(|lane| &self.table[(group * F::LANES + lane) * ENTRIES + picks.index(lane)]);
        let x = if self.half == 1 { x.mul(F::splat(BETA)) } else { x };
        Addend { x, y: y.neg_where(picks.negative), skip: picks.zero }
    }
}

struct OfG<'a> {
    batch: &'a Batch,
    generator: &'a Generator,
    window: usize,
}

impl<F: Field> Source<F> for OfG<'_> {
    #[inline(always)]
    fn addend(&self, group: usize) -> Addend<F> {
        let picks = Picks::new(self.batch.row(&self.batch.of_g, self.window, group, F::LANES));
        let (x, y) = F::load_points(|lane| self.generator.point(self.window, picks.index(lane)));
        Addend { x, y: y.neg_where(picks.negative), skip: picks.zero }
    }
}

#[inline(always)]
fn walk_affine<F: Field>(generator: &Generator, batch: &Batch, table: &[Packed]) -> Sums<F> {
    let mut sums = Sums::new(batch.padded / F::LANES, generator.start_point);
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
        sums.add(&OfG { batch, generator, window });
    }
    sums
}
#[inline(always)]
fn finish2<F: Field>(
    batch: &Batch,
    items: &[Signed],
    valid: &[u64],
    sums: &Sums<F>,
    answers: &mut Vec<Recovered>,
) {
    let mut keys = vec![Packed([0; 8]); batch.padded];
    for (group, point) in sums.points.iter().enumerate() {
        F::store_points(point.x, point.y, |lane, packed| keys[group * F::LANES + lane] = packed);
    }
    for (i, item) in items.iter().enumerate() {
        let (group, lane) = (i / F::LANES, i % F::LANES);
        answers.push(match batch.faults[i] {
            Some(fault) => Err(fault),
            None if valid[group] >> lane & 1 == 0 => Err(SignatureError::NoKey),
            None if sums.lost[group] >> lane & 1 == 1 => oracle::recover(item),
            None => {
                let key = PublicKey::from_words(keys[i].0);
                Ok(Signer { key, address: key.address() })
            }
        });
    }
}

/// The plain-word part of a chunk: what is wrong with each item, and the digits of all scalars, a row a window.
struct Batch {
    /// Items, filled up to whole groups.
    padded: usize,
    faults: Vec<Option<SignatureError>>,
    r: Vec<[u64; 4]>,
    odd: Vec<bool>,
    halves: [Vec<i16>; 2],
    of_g: Vec<i16>,
}

impl Batch {
    #[inline(always)]
    fn new(generator: &Generator, items: &[Signed], lanes: usize) -> Self {
        let padded = items.len().next_multiple_of(lanes);
        let mut batch = Self {
            padded,
            faults: Vec::with_capacity(items.len()),
            r: vec![GX; padded],
            odd: vec![false; padded],
            halves: [vec![0; WINDOWS * padded], vec![0; WINDOWS * padded]],
            of_g: vec![0; generator::WINDOWS * padded],
        };
        // A place that holds no signature of good form: r = x(G), s = 1, z = 0.
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
        let start = batch.start(generator);
        for (i, item) in items.iter().enumerate() {
            let of_g = Order::from_digest(&item.digest).mul(inverses[i]).add(start).neg();
            batch.write(i, s[i].mul(inverses[i]), of_g);
        }
        batch
    }

    /// What the ladder makes of the start: it is doubled with everything else.
    #[inline(always)]
    fn start(&self, generator: &Generator) -> Order {
        const DOUBLINGS: usize = WIDTH * (WINDOWS - 1);
        let mut factor = [0; 4];
        factor[DOUBLINGS / 64] = 1 << (DOUBLINGS % 64);
        generator.start.mul(Order::reduce(factor))
    }

    #[inline(always)]
    fn write(&mut self, i: usize, of_r: Order, of_g: Order) {
        for (half, row) in glv::split(of_r).into_iter().zip(&mut self.halves) {
            let sign = if half.negative { -1 } else { 1 };
            signed_digits::<WIDTH, WINDOWS, 2>(half.magnitude, |window, digit| {
                row[window * self.padded + i] = (sign * digit) as i16;
            });
        }
        let (negative, magnitude) = of_g.halved();
        let sign = if negative { -1 } else { 1 };
        signed_digits::<{ generator::WIDTH }, { generator::WINDOWS }, 4>(magnitude, |window, digit| {
            self.of_g[window * self.padded + i] = (sign * digit) as i16;
        });
    }

    /// The digits of a window and a group.
    #[inline(always)]
    fn row<'a>(&self, digits: &'a [i16], window: usize, group: usize, lanes: usize) -> &'a [i16] {
        &digits[window * self.padded + group * lanes..][..lanes]
    }
}

/// The points R, G where there is none; and the lanes where there is one.
#[inline(always)]
fn lift_all<F: Field>(batch: &Batch) -> (Vec<Affine<F>>, Vec<u64>) {
    let groups = batch.padded / F::LANES;
    let (mut points, mut valid) = (Vec::with_capacity(groups), Vec::with_capacity(groups));
    for group in 0..groups {
        let first = group * F::LANES;
        let x = F::load(|lane| batch.r[first + lane]);
        let right = x.sqr().mul_add(x, F::splat([7, 0, 0, 0]));
        let y = sqrt_candidate(right);
        let on_curve = y.sqr().sub(right).is_zero();
        let mut odd = 0;
        for lane in 0..F::LANES {
            odd |= u64::from(batch.odd[first + lane]) << lane;
        }
        let y = y.neg_where(y.is_odd() ^ odd);
        points.push(Affine { x: F::splat(GX).select(x, on_curve), y: F::splat(GY).select(y, on_curve) });
        valid.push(on_curve);
    }
    (points, valid)
}

/// **Minus** (2^125 times the start plus (s/r) R).
#[inline(always)]
fn add_multiples_of_r<F: Field>(generator: &Generator, batch: &Batch, table: &[Packed], group: usize) -> Jacobian<F> {
    let [x, y] = generator.start_point;
    let mut sum = Jacobian::from_affine(Affine { x: F::splat(x), y: F::splat(y) });
    let beta = F::splat(BETA);
    for window in (0..WINDOWS).rev() {
        if window < WINDOWS - 1 {
            for _ in 0..WIDTH {
                sum = sum.minus_double();
            }
        }
        // Every doubling turns the sign of the sum.
        let turned = (WINDOWS - 1 - window) * WIDTH % 2 == 1;
        for half in 0..2 {
            let picks = Picks::new(batch.row(&batch.halves[half], window, group, F::LANES));
            let (x, y) = F::load_points(|lane| &table[(group * F::LANES + lane) * ENTRIES + picks.index(lane)]);
            let x = if half == 1 { x.mul(beta) } else { x };
            sum = add_pick(sum, x, y, &picks, turned);
        }
    }
    sum
}

/// Adds the multiples of G to minus a sum.
#[inline(always)]
fn add_multiples_of_g<F: Field>(
    generator: &Generator,
    batch: &Batch,
    mut sum: Jacobian<F>,
    group: usize,
) -> Jacobian<F> {
    for window in 0..generator::WINDOWS {
        let picks = Picks::new(batch.row(&batch.of_g, window, group, F::LANES));
        let (x, y) = F::load_points(|lane| generator.point(window, picks.index(lane)));
        sum = add_pick(sum, x, y, &picks, true);
    }
    sum
}

/// Adds (x, y) where the digit is positive, (x, -y) where it is negative, the other way round if the sum is `turned`.
#[inline(always)]
fn add_pick<F: Field>(sum: Jacobian<F>, x: F, y: F, picks: &Picks, turned: bool) -> Jacobian<F> {
    let negative = if turned { picks.negative ^ F::all() } else { picks.negative };
    sum.add(x, y.twice_neg_where(negative)).select(sum, picks.zero)
}

/// Affine keys, their bytes and their addresses.
#[inline(always)]
fn finish<F: Field>(
    batch: &Batch,
    items: &[Signed],
    valid: &[u64],
    sums: &[Jacobian<F>],
    answers: &mut Vec<Recovered>,
) {
    let mut redo = Vec::with_capacity(sums.len());
    let mut inverses = Vec::with_capacity(sums.len());
    for sum in sums {
        let lost = sum.z.is_zero();
        redo.push(lost);
        inverses.push(sum.z.select(F::splat([1, 0, 0, 0]), lost));
    }
    let mut prefix = inverses.clone();
    invert_all(&mut inverses, &mut prefix);
    let mut keys = vec![Packed([0; 8]); batch.padded];
    for group in 0..sums.len() {
        let Affine { x, y } = sums[group].to_affine(inverses[group]);
        F::store_points(x, y.neg(), |lane, packed| keys[group * F::LANES + lane] = packed);
    }
    for (i, item) in items.iter().enumerate() {
        let (group, lane) = (i / F::LANES, i % F::LANES);
        answers.push(match batch.faults[i] {
            Some(fault) => Err(fault),
            None if valid[group] >> lane & 1 == 0 => Err(SignatureError::NoKey),
            None if redo[group] >> lane & 1 == 1 => oracle::recover(item),
            None => {
                let key = PublicKey::from_words(keys[i].0);
                Ok(Signer { key, address: key.address() })
            }
        });
    }
}
