//! What a program is made of, before registers are dealt out.

/// A value, by its place among the nodes.
pub(super) type Id = usize;

/// One value, or one effect.
#[derive(Clone, Debug)]
pub(super) enum Node {
    Constant(u32),
    Slot(u32),
    Neighbour(u32),
    Input(u32),
    Sum(Vec<(bool, Id, Id)>),
    Add(Id, Id),
    Sub(Id, Id),
    Squares(Id, u32),
    Select(Id, Id, Id),
    Zero(Id),
    Odd(Id),
    Large(Id),
    Logic(u32, Id, Id),
    Bit(u32),
    Output(u32, Id),
    OutputFlag(u32, Id),
    Keep(u32, Id),
}

impl Node {
    /// Numbers that it needs, and flags.
    pub(super) fn needs(&self) -> (Vec<Id>, Vec<Id>) {
        match self {
            Self::Constant(_) | Self::Slot(_) | Self::Neighbour(_) | Self::Input(_) | Self::Bit(_) => {
                Default::default()
            }
            Self::Sum(terms) => (terms.iter().flat_map(|(_, a, b)| [*a, *b]).collect(), vec![]),
            Self::Add(a, b) | Self::Sub(a, b) => (vec![*a, *b], vec![]),
            Self::Squares(a, _) | Self::Zero(a) | Self::Odd(a) | Self::Large(a) => (vec![*a], vec![]),
            Self::Output(_, a) | Self::Keep(_, a) => (vec![*a], vec![]),
            Self::Select(flag, a, b) => (vec![*a, *b], vec![*flag]),
            Self::Logic(_, a, b) => (vec![], vec![*a, *b]),
            Self::OutputFlag(_, a) => (vec![], vec![*a]),
        }
    }

    /// Whether it takes a register, and whether a flag.
    pub(super) fn gives(&self) -> (bool, bool) {
        match self {
            Self::Neighbour(_) | Self::Input(_) | Self::Sum(_) | Self::Add(..) | Self::Sub(..) => (true, false),
            Self::Squares(..) | Self::Select(..) => (true, false),
            Self::Zero(_) | Self::Odd(_) | Self::Large(_) | Self::Logic(..) | Self::Bit(_) => (false, true),
            _ => (false, false),
        }
    }
}
