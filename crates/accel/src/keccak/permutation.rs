//! Keccak-f[1600] on several states at a time, written once over [`Word`].

/// One 64-bit word of the state in each lane. All functions are `#[inline(always)]`: they get the instructions of the
/// `#[target_feature]` function that they end up in.
pub(super) trait Word: Copy {
    /// The same word in every lane.
    fn splat(word: u64) -> Self;
    /// `self ^ b`
    fn xor(self, b: Self) -> Self;
    /// `self` rotated left by N bits, 0 < N < 64.
    fn rotl<const N: i32>(self) -> Self;
    /// `self ^ (!b & c)`
    fn chi(self, b: Self, c: Self) -> Self;
    /// Rounds with these constants.
    #[inline(always)]
    fn rounds(state: &mut State<Self>, constants: &[u64]) {
        let mut a = *state; // a copy of its own stays in registers
        for &constant in constants {
            round(&mut a, constant);
        }
        *state = a;
    }
}

/// The state of each lane: word (x, y) stands at x + 5 y.
pub(super) type State<W> = [W; 25];

/// Round constants of iota (FIPS 202, 3.2.5).
const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// All 24 rounds.
#[inline(always)]
pub(super) fn permute<W: Word>(state: &mut State<W>) {
    W::rounds(state, &ROUND_CONSTANTS);
}

/// All 24 rounds, of which only the first four words of the result are made: a digest. The others are lost.
#[inline(always)]
pub(super) fn permute_to_digest<W: Word>(state: &mut State<W>) {
    let [rounds @ .., last] = &ROUND_CONSTANTS;
    W::rounds(state, rounds);
    let mut a = *state;
    theta(&mut a);
    [state[0], state[1], state[2], state[3], _] = plane0(&a, *last);
}

#[inline(always)]
fn round<W: Word>(a: &mut State<W>, constant: u64) {
    theta(a);
    // Rho and pi name the words of each output plane, chi mixes them.
    let [b0, b1, b2, b3, b4] = plane0(a, constant);
    let [b5, b6, b7, b8, b9] =
        chi(a[3].rotl::<28>(), a[9].rotl::<20>(), a[10].rotl::<3>(), a[16].rotl::<45>(), a[22].rotl::<61>());
    let [b10, b11, b12, b13, b14] =
        chi(a[1].rotl::<1>(), a[7].rotl::<6>(), a[13].rotl::<25>(), a[19].rotl::<8>(), a[20].rotl::<18>());
    let [b15, b16, b17, b18, b19] =
        chi(a[4].rotl::<27>(), a[5].rotl::<36>(), a[11].rotl::<10>(), a[17].rotl::<15>(), a[23].rotl::<56>());
    let [b20, b21, b22, b23, b24] =
        chi(a[2].rotl::<62>(), a[8].rotl::<55>(), a[14].rotl::<39>(), a[15].rotl::<41>(), a[21].rotl::<2>());
    *a = [
        b0, b1, b2, b3, b4, b5, b6, b7, b8, b9, b10, b11, b12, b13, b14, b15, b16, b17, b18, b19, b20, b21, b22, b23,
        b24,
    ];
}

/// Output plane y = 0 of a round, from the state after theta.
#[inline(always)]
fn plane0<W: Word>(a: &State<W>, constant: u64) -> [W; 5] {
    let [b0, rest @ ..] = chi(a[0], a[6].rotl::<44>(), a[12].rotl::<43>(), a[18].rotl::<21>(), a[24].rotl::<14>());
    [b0.xor(W::splat(constant)), rest[0], rest[1], rest[2], rest[3]]
}

#[inline(always)]
fn chi<W: Word>(b0: W, b1: W, b2: W, b3: W, b4: W) -> [W; 5] {
    [b0.chi(b1, b2), b1.chi(b2, b3), b2.chi(b3, b4), b3.chi(b4, b0), b4.chi(b0, b1)]
}

/// Adds to each word the parities of the columns beside it.
#[inline(always)]
fn theta<W: Word>(a: &mut State<W>) {
    let parity = |x: usize| a[x].xor(a[x + 5]).xor(a[x + 10]).xor(a[x + 15]).xor(a[x + 20]);
    let c = [parity(0), parity(1), parity(2), parity(3), parity(4)];
    let d = [
        c[4].xor(c[1].rotl::<1>()),
        c[0].xor(c[2].rotl::<1>()),
        c[1].xor(c[3].rotl::<1>()),
        c[2].xor(c[4].rotl::<1>()),
        c[3].xor(c[0].rotl::<1>()),
    ];
    column(a, 0, d[0]);
    column(a, 1, d[1]);
    column(a, 2, d[2]);
    column(a, 3, d[3]);
    column(a, 4, d[4]);
}

#[inline(always)]
fn column<W: Word>(a: &mut State<W>, x: usize, d: W) {
    a[x] = a[x].xor(d);
    a[x + 5] = a[x + 5].xor(d);
    a[x + 10] = a[x + 10].xor(d);
    a[x + 15] = a[x + 15].xor(d);
    a[x + 20] = a[x + 20].xor(d);
}
