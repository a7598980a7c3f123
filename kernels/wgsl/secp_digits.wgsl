// Signed digits: the plain windows of the number and the most negative digit in every place together, less that digit.

struct Digit {
  // Place in a table that begins with the multiple 1; of no meaning for 0.
  index: u32,
  negative: bool,
  zero: bool,
}

fn digit(window: u32, most_negative: u32, negated: bool) -> Digit {
  let less = window < most_negative;
  let magnitude = select(window - most_negative, most_negative - window, less);
  return Digit(magnitude - 1u, less != negated, magnitude == 0u);
}

fn signed_point(x: U256, y: U256, negative: bool) -> Affine {
  var p = Affine(x, y);
  if negative {
    p.y = fe_negative(y);
  }
  return p;
}
