// Points of y^2 = x^3 + 7; the formulas hold on every curve y^2 = x^3 + b.

const SEVEN = U256(7u, 0u, 0u, 0u, 0u, 0u, 0u, 0u);

struct Affine {
  x: U256,
  y: U256,
}

// (x / z^2, y / z^3). z = 0 is infinity, or what an addition left that the formula cannot do: it stays 0.
struct Jacobian {
  x: U256,
  y: U256,
  z: U256,
}

// A sum, and by what its z is greater than that of the first summand.
struct Sum {
  p: Jacobian,
  ratio: U256,
}

fn is_on_curve(x: U256, y: U256) -> bool {
  return fe_equal(fe_sqr(y), fe_add(fe_mul(fe_sqr(x), x), SEVEN));
}

// 3M + 4S.
fn double(p: Jacobian) -> Jacobian {
  let xx = fe_sqr(p.x);
  let slope = fe_half(fe_add(fe_twice(xx), xx));
  let yy = fe_sqr(p.y);
  let t = fe_mul(p.x, yy);
  let x = fe_sub(fe_sqr(slope), fe_twice(t));
  let y = fe_sub(fe_mul(slope, fe_sub(t, x)), fe_sqr(yy));
  return Jacobian(x, y, fe_mul(p.y, p.z));
}

// 8M + 3S. Equal and opposite points have a ratio of 0.
fn add_affine(p: Jacobian, q: Affine) -> Sum {
  let zz = fe_sqr(p.z);
  let h = fe_sub(fe_mul(q.x, zz), p.x);
  let r = fe_sub(fe_mul(q.y, fe_mul(zz, p.z)), p.y);
  let hh = fe_sqr(h);
  let hhh = fe_mul(hh, h);
  let v = fe_mul(p.x, hh);
  let x = fe_sub(fe_sub(fe_sqr(r), hhh), fe_twice(v));
  let y = fe_sub(fe_mul(r, fe_sub(v, x)), fe_mul(p.y, hhh));
  return Sum(Jacobian(x, y, fe_mul(p.z, h)), h);
}
