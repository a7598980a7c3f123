//! The equations of a batch: points, and what multiplies them.

use crate::field::{Field, Packed};
use crate::ops::{Claim, PublicKey, SignatureError, Verdict};
use crate::secp::curve::Affine;
use crate::secp::glv::{BETA, LAMBDA};
use crate::secp::machine::{Machine, Task};
use crate::secp::order::{Order, Parsed, batch_invert};
use crate::secp::recover::Lift;
use crate::words;
use rand::RngCore;
use std::collections::HashMap;
use std::marker::PhantomData;

/// The modulus p.
const P: [u64; 4] = [0xffff_fffe_ffff_fc2f, u64::MAX, u64::MAX, u64::MAX];

/// One equation, multiplied by its coefficient and divided by s.
pub(super) struct Item {
    /// Of which claim.
    pub(super) claim: u32,
    /// R is `points[place]`.
    pub(super) place: u32,
    /// The key is `points[2 * places + key]`.
    pub(super) key: u32,
    /// The factors of R and of its image.
    pub(super) halves: [i64; 2],
    /// The factor of G: `-a z / s`.
    pub(super) of_g: Order,
    /// The factor of the key: `-a r / s`.
    pub(super) of_key: Order,
}

/// All equations that can hold. Its memory is used again and again.
#[derive(Default)]
pub(super) struct Batch {
    /// Points R, their images `(BETA x, y)`, different keys, their images: `places` each, of which the last may mean
    /// nothing.
    pub(super) points: Vec<Packed>,
    pub(super) places: usize,
    pub(super) items: Vec<Item>,
    candidates: Vec<Candidate>,
    /// Different keys.
    keys: usize,
}

/// A claim of good form.
struct Candidate {
    claim: u32,
    /// As in [`Item`].
    place: u32,
    key: u32,
    parsed: Parsed,
}

/// Places are whole groups of lanes: of any machine's.
const PLACES_OF: usize = 64;

/// Candidates whose points are computed together: what is at work stays in the caches.
const PIECE: usize = 1024;

impl Batch {
    /// Takes up some claims, and returns what is wrong with the form of each, and how many different keys they name.
    pub(super) fn parse(&mut self, claims: &[Claim]) -> (Vec<Verdict>, usize) {
        self.places = claims.len().next_multiple_of(PLACES_OF);
        self.points.resize(self.points.len().max(4 * self.places), Packed([0; 8]));
        let keys = &mut self.points[2 * self.places..];
        let (count, verdicts) = parse(claims, &mut self.candidates, keys);
        self.keys = count;
        (verdicts, count)
    }

    /// The claims of good form.
    pub(super) fn candidates(&self) -> impl Iterator<Item = usize> {
        self.candidates.iter().map(|candidate| candidate.claim as usize)
    }

    /// Makes the equations of the parsed claims; the verdicts become those if all equations hold.
    pub(super) fn equations<M: Machine>(
        &mut self,
        machine: M,
        claims: &[Claim],
        rng: &mut impl RngCore,
        verdicts: &mut [Verdict],
    ) {
        let (points, rest) = self.points.split_at_mut(self.places);
        let (images, rest) = rest.split_at_mut(self.places);
        let (keys, key_images) = rest.split_at_mut(self.places);
        let has_point = put_points(machine, &self.candidates, points, images);
        let is_key = machine.call(PutKeyImages::<M::Fe>(&keys[..self.keys], key_images, PhantomData));
        self.items.clear();
        for Candidate { claim, place, key, .. } in &self.candidates {
            let has_point = has_point[*place as usize / M::Fe::LANES] >> (*place as usize % M::Fe::LANES) & 1 == 1;
            if has_point && is_key[*key as usize] {
                let halves = [rng.next_u64() as i64, rng.next_u64() as i64];
                let (claim, place, key) = (*claim, *place, *key);
                self.items.push(Item { claim, place, key, halves, of_g: Order::ZERO, of_key: Order::ZERO });
            } else {
                verdicts[*claim as usize] = Err(SignatureError::WrongKey);
            }
        }
        machine.call(Equations { claims, candidates: &self.candidates, items: &mut self.items });
    }
}

impl Batch {
    /// Puts the items whose R stands in more than two behind all others, and returns how many others there are. Equal and
    /// opposite points meet in buckets, where the formulas cannot add them.
    pub(super) fn set_repeated_apart(&mut self) -> usize {
        let Self { points, items, .. } = self;
        let x = |item: &Item| points[item.place as usize].0.first_chunk::<4>().copied();
        let mut count_of = HashMap::with_capacity(items.len());
        items.iter().for_each(|item| *count_of.entry(x(item)).or_insert(0) += 1);
        let (others, repeated): (Vec<_>, Vec<_>) = items.drain(..).partition(|item| count_of[&x(item)] <= 2);
        let count = others.len();
        items.extend(others.into_iter().chain(repeated));
        count
    }
}

/// Lists claims of good form and all different keys among them; returns how many keys they are, and for each claim what
/// is wrong with its form.
fn parse(claims: &[Claim], candidates: &mut Vec<Candidate>, keys: &mut [Packed]) -> (usize, Vec<Verdict>) {
    let mut number_of: HashMap<&PublicKey, u32> = HashMap::with_capacity(claims.len());
    let mut verdicts = Vec::with_capacity(claims.len());
    candidates.clear();
    for (claim, Claim { signed, key }) in claims.iter().enumerate() {
        let parsed = Parsed::new(&signed.signature);
        verdicts.push(parsed.as_ref().map(|_| ()).map_err(|reason| *reason));
        if let Ok(parsed) = parsed {
            let count = number_of.len();
            let key = *number_of.entry(key).or_insert_with(|| {
                keys[count] = Packed(key.to_words());
                count as u32
            });
            candidates.push(Candidate { claim: claim as u32, place: candidates.len() as u32, key, parsed });
        }
    }
    (number_of.len(), verdicts)
}

/// Writes the points R of all candidates, and their images; returns the lanes of each group that have one.
fn put_points<M: Machine>(
    machine: M,
    candidates: &[Candidate],
    points: &mut [Packed],
    images: &mut [Packed],
) -> Vec<u64> {
    let mut has_point = Vec::with_capacity(points.len() / M::Fe::LANES);
    let (points, images) = (points.chunks_mut(PIECE), images.chunks_mut(PIECE));
    for ((piece, points), images) in candidates.chunks(PIECE).zip(points).zip(images) {
        let places = piece.len().next_multiple_of(M::Fe::LANES);
        let mut r = vec![[1, 0, 0, 0]; places];
        let mut odd = vec![false; places];
        for (place, Candidate { parsed, .. }) in piece.iter().enumerate() {
            (r[place], odd[place]) = (parsed.r.words(), parsed.odd);
        }
        let (lifted, has) = machine.call(Lift::<M::Fe>(&r, &odd, PhantomData));
        has_point.extend(has);
        machine.call(PutImages { lifted: &lifted, points, images });
    }
    has_point
}

/// The scalar part: seven multiplications an item.
struct Equations<'a> {
    claims: &'a [Claim],
    /// Those of the items among them.
    candidates: &'a [Candidate],
    items: &'a mut [Item],
}

impl Task for Equations<'_> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { claims, candidates, items } = self;
        let mut inverses = Vec::with_capacity(items.len());
        for item in items.iter() {
            inverses.push(candidates[item.place as usize].parsed.s);
        }
        batch_invert(&mut inverses);
        let lambda = Order::reduce(LAMBDA);
        for (item, inverse) in items.iter_mut().zip(&inverses) {
            let [alpha, beta] = item.halves;
            let coefficient = signed(alpha).add(signed(beta).mul(lambda));
            let factor = coefficient.mul(*inverse).neg();
            item.of_g = factor.mul(Order::from_digest(&claims[item.claim as usize].signed.digest));
            item.of_key = factor.mul(candidates[item.place as usize].parsed.r);
        }
    }
}

#[inline(always)]
fn signed(number: i64) -> Order {
    let magnitude = Order::reduce([number.unsigned_abs(), 0, 0, 0]);
    if number < 0 { magnitude.neg() } else { magnitude }
}

/// Writes points and their images.
struct PutImages<'a, F> {
    lifted: &'a [Affine<F>],
    points: &'a mut [Packed],
    images: &'a mut [Packed],
}

impl<F: Field> Task for PutImages<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        let Self { lifted, points, images } = self;
        for (group, point) in lifted.iter().enumerate() {
            let first = group * F::LANES;
            F::store_points(point.x, point.y, |lane, point| points[first + lane] = point);
            let x = point.x.mul(F::splat(BETA));
            F::store_points(x, point.y, |lane, point| images[first + lane] = point);
        }
    }
}

/// Writes the images of keys, and says which keys are points of the curve with coordinates below p.
struct PutKeyImages<'a, F>(&'a [Packed], &'a mut [Packed], PhantomData<F>);

impl<F: Field> Task for PutKeyImages<'_, F> {
    type Output = Vec<bool>;

    #[inline(always)]
    fn run(self) -> Vec<bool> {
        let Self(keys, images, _) = self;
        let mut valid = Vec::with_capacity(keys.len());
        for first in (0..keys.len()).step_by(F::LANES) {
            let (x, y) = F::load_points(|lane| &keys[(first + lane).min(keys.len() - 1)]);
            let right = x.sqr().mul_add(x, F::splat([7, 0, 0, 0]));
            let on_curve = y.sqr().sub(right).is_zero();
            F::store_points(x.mul(F::splat(BETA)), y, |lane, point| images[first + lane] = point);
            for (lane, Packed([x0, x1, x2, x3, y0, y1, y2, y3])) in keys[first..].iter().take(F::LANES).enumerate() {
                let (_, x_below) = words::sub([*x0, *x1, *x2, *x3], P);
                let (_, y_below) = words::sub([*y0, *y1, *y2, *y3], P);
                valid.push(x_below && y_below && on_curve >> lane & 1 == 1);
            }
        }
        valid
    }
}
