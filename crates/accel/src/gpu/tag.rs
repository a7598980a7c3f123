//! Tags: what the host reads of a row is what the kernel worked out on what the host wrote.

use rand::Rng;

/// Words of a tag.
pub(crate) const TAG: usize = 2;

/// Drawn anew for every launch, so that answers of an earlier one do not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) [u32; TAG]);

impl Seeds {
    pub(crate) fn random() -> Self {
        Self(rand::rng().random())
    }

    /// The tag of an item's words. Any change of one word changes both halves; more changes pass once in 2^64.
    pub(crate) fn tag<'a>(self, item: u32, words: impl IntoIterator<Item = &'a u32>) -> [u32; TAG] {
        let mut halves = self.0.map(|seed| seed ^ item.wrapping_mul(0x85eb_ca6b));
        for word in words {
            for half in &mut halves {
                *half = (*half ^ word).wrapping_mul(0x9e37_79b1);
                *half ^= *half >> 15;
            }
        }
        halves
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_bit_changes_both_halves() {
        let seeds = Seeds([7, 9]);
        let words: [u32; 5] = [0, 1, u32::MAX, 0x8000_0000, 12345];
        let right = seeds.tag(3, &words);
        assert!(right != seeds.tag(4, &words) && right != Seeds([8, 10]).tag(3, &words));
        for bit in 0..160 {
            let mut other = words;
            other[bit / 32] ^= 1 << (bit % 32);
            let wrong = seeds.tag(3, &other);
            assert!(wrong[0] != right[0] && wrong[1] != right[1], "bit {bit}");
        }
    }
}
