//! Tags: what the host reads of a row is what the kernel worked out on what the host wrote.

use rand::Rng;

/// Words of a tag.
pub(crate) const TAG: usize = 2;

/// Rows whose tags are worked out side by side, as each step of a tag waits for the one before.
const TOGETHER: usize = 8;

/// Drawn anew for every launch, so that answers of an earlier one do not pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seeds(pub(crate) [u32; TAG]);

/// Rows of words, one an item.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rows<'a> {
    pub(crate) words: &'a [u32],
    /// Words of a row.
    pub(crate) row: usize,
}

impl<'a> Rows<'a> {
    /// Words `from` to `to` of a row.
    fn part(self, item: usize, from: usize, to: usize) -> &'a [u32] {
        &self.words[item * self.row..][from..to]
    }
}

impl Seeds {
    pub(crate) fn random() -> Self {
        Self(rand::rng().random())
    }

    /// The tag of words of an item.
    pub(crate) fn tag<'a>(self, item: u32, words: impl IntoIterator<Item = &'a u32>) -> [u32; TAG] {
        let mut halves = self.0.map(|seed| seed ^ item.wrapping_mul(0x85eb_ca6b));
        for word in words {
            halves = halves.map(|half| mixed(half, *word));
        }
        halves
    }

    /// Whether each row of `answers` ends with the tag of its item: of the words of its row in `asked` (if there is one) from
    /// `unknown` on, and of those before the tag. Any change of one word changes both halves; more changes pass once in 2^64.
    pub(crate) fn fit(self, asked: Option<Rows<'_>>, unknown: usize, answers: Rows<'_>) -> bool {
        let (count, words) = (answers.words.len() / answers.row, answers.row - TAG);
        (0..count).step_by(TOGETHER).all(|first| {
            let items: [usize; TOGETHER] = std::array::from_fn(|lane| (first + lane).min(count - 1));
            let mut tags = items.map(|item| self.0.map(|seed| seed ^ (item as u32).wrapping_mul(0x85eb_ca6b)));
            if let Some(asked) = asked {
                mix(&mut tags, items.map(|item| asked.part(item, unknown, asked.row)), asked.row - unknown);
            }
            mix(&mut tags, items.map(|item| answers.part(item, 0, words)), words);
            items.iter().zip(tags).all(|(item, tag)| answers.part(*item, words, answers.row) == tag)
        })
    }
}

/// Takes a word in.
fn mixed(half: u32, word: u32) -> u32 {
    let half = (half ^ word).wrapping_mul(0x9e37_79b1);
    half ^ half >> 15
}

/// Takes `count` words of each row in.
fn mix(tags: &mut [[u32; TAG]; TOGETHER], rows: [&[u32]; TOGETHER], count: usize) {
    let rows = rows.map(|row| &row[..count]);
    for at in 0..count {
        for (tag, row) in tags.iter_mut().zip(&rows) {
            for half in tag {
                *half = mixed(*half, row[at]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As kernels/README.md says it.
    fn tag(seeds: Seeds, item: u32, words: &[u32]) -> [u32; TAG] {
        seeds.0.map(|seed| {
            words.iter().fold(seed ^ item.wrapping_mul(0x85eb_ca6b), |h, word| {
                let h = (h ^ word).wrapping_mul(0x9e37_79b1);
                h ^ (h >> 15)
            })
        })
    }

    #[test]
    fn any_bit_changes_both_halves() {
        let seeds = Seeds([7, 9]);
        let words: [u32; 5] = [0, 1, u32::MAX, 0x8000_0000, 12345];
        let right = tag(seeds, 3, &words);
        assert_eq!(seeds.tag(3, &words), right);
        assert!(right != tag(seeds, 4, &words) && right != tag(Seeds([8, 10]), 3, &words));
        for bit in 0..160 {
            let mut other = words;
            other[bit / 32] ^= 1 << (bit % 32);
            let wrong = tag(seeds, 3, &other);
            assert!(wrong[0] != right[0] && wrong[1] != right[1], "bit {bit}");
        }
    }

    #[test]
    fn every_row_and_word_counts() {
        const ASKED: usize = 5;
        const ANSWER: usize = 3 + TAG;
        let seeds = Seeds([0x1234_5678, u32::MAX]);
        for (count, unknown, has_asked) in [(0, 0, true), (1, 0, true), (7, 2, true), (8, 5, true), (19, 0, false)] {
            let asked: Vec<u32> = (0..count * ASKED).map(|at| (at as u32).wrapping_mul(0x0101_4567)).collect();
            let mut answers = Vec::new();
            for item in 0..count {
                let words: Vec<u32> = (0..3).map(|at| !((item * 7 + at) as u32)).collect();
                let there = if has_asked { &asked[item * ASKED..][unknown..ASKED] } else { &[] };
                let tag = tag(seeds, item as u32, &[there, &words].concat());
                answers.extend(words.into_iter().chain(tag));
            }
            let fit = |asked: &[u32], answers: &[u32]| {
                let asked = has_asked.then_some(Rows { words: asked, row: ASKED });
                seeds.fit(asked, unknown, Rows { words: answers, row: ANSWER })
            };
            assert!(fit(&asked, &answers), "{count}");
            for at in 0..answers.len() {
                let mut wrong = answers.clone();
                wrong[at] ^= 1;
                assert!(!fit(&asked, &wrong), "word {at} of the answers of {count}");
            }
            for at in 0..asked.len() {
                let mut wrong = asked.clone();
                wrong[at] ^= 1 << 31;
                assert_eq!(fit(&wrong, &answers), !has_asked || at % ASKED < unknown, "word {at} of {count}");
            }
        }
    }
}
