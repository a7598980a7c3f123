//! Single steps of the arithmetic, for `benches/pieces.rs`. Not an interface: it changes with what is below it.

pub mod cards;
pub mod checkpoint;

#[cfg(target_arch = "aarch64")]
use crate::backends::neon::Neon;
#[cfg(target_arch = "x86_64")]
use crate::backends::{avx2::Avx2, avx512ifma::Avx512Ifma};
use crate::backends::{cpu::Token, portable::Portable};
use crate::field::Field;
use crate::secp::curve::{Affine, GX, GY, Jacobian};
use crate::secp::machine::{Machine, Task};
use crate::secp::order::{Order, batch_invert};
use crate::secp::power::{invert_all, sqrt_candidate};
use std::marker::PhantomData;

/// Something done many times over.
pub struct Piece {
    /// Backend and step, as `avx512ifma/mul`.
    pub name: String,
    /// How often one run does it, counted by numbers or points, not by vectors.
    pub items: usize,
    /// Does it.
    pub run: Box<dyn FnMut()>,
}

impl std::fmt::Debug for Piece {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Piece({}, {} items)", self.name, self.items)
    }
}

/// Independent values that a run works on, so that throughput is measured and not the wait for one result.
const VALUES: usize = 32;
/// How often a run goes over them.
const PASSES: usize = 16;

/// The steps on every backend of this machine that computes on the curve.
pub fn pieces() -> Vec<Piece> {
    let mut all = vec![order_inversion()];
    all.extend(of_token(Some(Portable)));
    #[cfg(target_arch = "x86_64")]
    {
        all.extend(of_token(Avx2::detect()));
        all.extend(of_token(Avx512Ifma::detect()));
    }
    #[cfg(target_arch = "aarch64")]
    all.extend(of_token(Neon::detect()));
    all
}

fn of_token<M: Token + 'static>(token: Option<M>) -> Vec<Piece> {
    let (Some(machine), backend) = (token, M::NAME.as_str()) else { return Vec::new() };
    let (g @ Affine { x, y }, w, twice_g) = machine.call(Starts(PhantomData::<M::Fe>));
    vec![
        steps(backend, "mul", machine, x, Mul),
        steps(backend, "sqr", machine, x, Sqr),
        steps(backend, "sqrt", machine, x, Sqrt),
        steps(backend, "double", machine, twice_g, Double),
        steps(backend, "mixed_add", machine, twice_g, MixedAdd { x, w }),
        steps(backend, "affine_add", machine, g, AffineAdd { dx: x, dy: y, dx_inverse: y }),
        inversion(backend, machine, x),
    ]
}

/// Where the steps begin: G, 2 y of it, and minus twice G.
struct Starts<F>(PhantomData<F>);

impl<F: Field> Task for Starts<F> {
    type Output = (Affine<F>, F, Jacobian<F>);

    #[inline(always)]
    fn run(self) -> Self::Output {
        let g = Affine { x: F::splat(GX), y: F::splat(GY) };
        (g, g.y.twice(), Jacobian::from_affine(g).minus_double())
    }
}

/// One step from a value to the next. Always `#[inline(always)]`.
trait Step<S>: Copy + 'static {
    fn step(self, state: S) -> S;
}

#[derive(Clone, Copy)]
struct Mul;

impl<F: Field> Step<F> for Mul {
    #[inline(always)]
    fn step(self, state: F) -> F {
        state.mul(state)
    }
}

#[derive(Clone, Copy)]
struct Sqr;

impl<F: Field> Step<F> for Sqr {
    #[inline(always)]
    fn step(self, state: F) -> F {
        state.sqr()
    }
}

#[derive(Clone, Copy)]
struct Sqrt;

impl<F: Field> Step<F> for Sqrt {
    #[inline(always)]
    fn step(self, state: F) -> F {
        sqrt_candidate(state)
    }
}

#[derive(Clone, Copy)]
struct Double;

impl<F: Field> Step<Jacobian<F>> for Double {
    #[inline(always)]
    fn step(self, state: Jacobian<F>) -> Jacobian<F> {
        state.minus_double()
    }
}

/// The point (x, w / 2).
#[derive(Clone, Copy)]
struct MixedAdd<F> {
    x: F,
    w: F,
}

impl<F: Field + 'static> Step<Jacobian<F>> for MixedAdd<F> {
    #[inline(always)]
    fn step(self, state: Jacobian<F>) -> Jacobian<F> {
        state.add(self.x, self.w)
    }
}

/// Without the inversion, which many additions share.
#[derive(Clone, Copy)]
struct AffineAdd<F> {
    dx: F,
    dy: F,
    dx_inverse: F,
}

impl<F: Field + 'static> Step<Affine<F>> for AffineAdd<F> {
    #[inline(always)]
    fn step(self, state: Affine<F>) -> Affine<F> {
        state.add(self.dx, self.dy, self.dx_inverse)
    }
}

/// Steps of all values, several times.
struct Steps<'a, S, T>(&'a mut [S], T);

impl<S: Copy, T: Step<S>> Task for Steps<'_, S, T> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        for _ in 0..PASSES {
            for state in self.0.iter_mut() {
                *state = self.1.step(*state);
            }
        }
    }
}

fn steps<M, S, T>(backend: &str, step: &str, machine: M, start: S, each: T) -> Piece
where
    M: Machine + 'static,
    S: Copy + 'static,
    T: Step<S>,
{
    let mut values = vec![start; VALUES];
    let run = move || machine.call(Steps(&mut values, each));
    Piece { name: format!("{backend}/{step}"), items: VALUES * PASSES * M::Fe::LANES, run: Box::new(run) }
}

/// All values by one inversion.
struct InvertAll<'a, F>(&'a mut [F], &'a mut [F]);

impl<F: Field> Task for InvertAll<'_, F> {
    type Output = ();

    #[inline(always)]
    fn run(self) {
        invert_all(self.0, self.1);
    }
}

fn inversion<M: Machine + 'static>(backend: &str, machine: M, start: M::Fe) -> Piece {
    let (mut values, mut scratch) = (vec![start; VALUES], vec![start; VALUES]);
    let run = move || machine.call(InvertAll(&mut values, &mut scratch));
    Piece { name: format!("{backend}/batch_invert"), items: VALUES * M::Fe::LANES, run: Box::new(run) }
}

/// Modulo the group order, in plain words.
fn order_inversion() -> Piece {
    const COUNT: usize = 512;
    let mut values = vec![Order::reduce(GX); COUNT];
    Piece { name: "order/batch_invert".into(), items: COUNT, run: Box::new(move || batch_invert(&mut values)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_piece_runs() {
        for mut piece in pieces() {
            (piece.run)();
            assert!(piece.items >= VALUES, "{piece:?}");
        }
    }
}
