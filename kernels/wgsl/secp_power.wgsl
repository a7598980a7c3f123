// Powers modulo p: p - 2 and (p + 1) / 4 are runs of 223, 22 and a few ones. A step squares `count` times, multiplies by an
// earlier result, and is a result itself: number 0 is the number, a result after k ones in a row is called ones(k).

struct Step {
  count: u32,
  times: u32,
}

const COMMON_STEPS = 11u;
const POWER_STEPS = array<Step, 17>(
  Step(1u, 0u), // 1: ones(2)
  Step(1u, 0u), // 2: ones(3)
  Step(3u, 2u), // 3: ones(6)
  Step(3u, 2u), // 4: ones(9)
  Step(2u, 1u), // 5: ones(11)
  Step(11u, 5u), // 6: ones(22)
  Step(22u, 6u), // 7: ones(44)
  Step(44u, 7u), // 8: ones(88)
  Step(88u, 8u), // 9: ones(176)
  Step(44u, 7u), // 10: ones(220)
  Step(3u, 2u), // 11: ones(223)
  // To p - 2: a zero, ones(22), four zeros, a one, a zero, ones(2), a zero, a one.
  Step(23u, 6u),
  Step(5u, 0u),
  Step(3u, 1u),
  Step(2u, 0u),
  // To (p + 1) / 4: a zero, ones(22), four zeros, ones(2); two zeros follow.
  Step(23u, 6u),
  Step(6u, 1u),
);

var<private> powers: array<U256, 12>;

// The common steps, then those from `first` to `end`.
fn fe_power(a: U256, first: u32, end: u32) -> U256 {
  powers[0] = a;
  var r = a;
  for (var i = 0u; i < end; i++) {
    if i == COMMON_STEPS {
      i = first;
    }
    let step = POWER_STEPS[i];
    for (var k = 0u; k < step.count; k++) {
      r = fe_sqr(r);
    }
    r = fe_mul(r, powers[step.times]);
    powers[min(i + 1u, COMMON_STEPS)] = r;
  }
  return r;
}

// The inverse; 0 of 0.
fn fe_invert(a: U256) -> U256 {
  return fe_power(a, 11u, 15u);
}

// A square root, if there is one.
fn fe_sqrt(a: U256) -> U256 {
  return fe_sqr(fe_sqr(fe_power(a, 15u, 17u)));
}
