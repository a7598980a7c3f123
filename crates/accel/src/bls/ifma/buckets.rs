//! Sums of elements, each times a small number, by the bucket method: signed digits of the numbers say to which bucket an
//! element goes in each window; buckets are summed as trees, all of them level by level, so that there are always many
//! sums to do at once.

/// An element, or its negative: a place among the elements that a [`Group`] holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ref(u32);

impl Ref {
    pub(super) fn new(at: usize, negative: bool) -> Self {
        Self((at as u32) << 1 | u32::from(negative))
    }

    pub(super) fn at(self) -> usize {
        (self.0 >> 1) as usize
    }

    pub(super) fn is_negative(self) -> bool {
        self.0 & 1 == 1
    }
}

/// Elements that can be added, many at once.
pub(super) trait Group {
    /// How many elements there are.
    fn len(&self) -> usize;

    /// Appends the sum of each pair. The pairs whose sum is the neutral element are returned, ascending; what is appended
    /// for them means nothing.
    fn add_pairs(&mut self, pairs: &[(Ref, Ref)]) -> Vec<usize>;
}

/// Windows of the numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Windows {
    /// Bits of a window: digits from -2^(width-1) to 2^(width-1).
    width: u32,
    count: u32,
}

impl Windows {
    /// The cheapest for `n` numbers up to `most`, by the count of additions.
    pub(super) fn choose(n: usize, most: u16) -> Self {
        let all = (1..=12).map(|width| Self {
            width,
            count: (1..).find(|count| largest(width, *count) >= most.into()).expect("17 at most"),
        });
        all.min_by_key(|windows| windows.additions(n)).expect("12 widths")
    }

    /// About how many additions there are for `n` numbers. A doubling of the result, done alone, costs as much as some.
    fn additions(&self, n: usize) -> usize {
        let half = 1 << (self.width - 1);
        self.count as usize * (n + half / 2 * self.width as usize + 8 * self.width as usize)
    }

    /// Digits of a number, the lowest first.
    fn digits(self, number: u16) -> impl Iterator<Item = i32> {
        let mut rest = i32::from(number);
        (0..self.count).map(move |_| {
            let digit = rest & ((1 << self.width) - 1);
            let digit = if digit > 1 << (self.width - 1) { digit - (1 << self.width) } else { digit };
            rest = (rest - digit) >> self.width;
            digit
        })
    }
}

/// The largest number of `count` digits of `width` bits.
fn largest(width: u32, count: u32) -> u64 {
    (0..count).map(|window| 1u64 << (width - 1) << (width * window)).sum()
}

/// What is left to do alone: the sum of 2^i times element i. `None`: nothing for that i.
pub(super) type Bits = Vec<Option<Ref>>;

/// The sum of the first elements, each times its number, as a sum of powers of two.
pub(super) fn weighted_sum(group: &mut impl Group, numbers: &[u16]) -> Bits {
    let most = numbers.iter().copied().max().unwrap_or(0);
    let windows = Windows::choose(numbers.iter().filter(|number| **number > 0).count(), most);
    let half = 1 << (windows.width - 1);
    let buckets = sums(group, fill(windows, numbers));
    // Bit j of window i: the buckets whose digit has this bit.
    let bit = |i: u32, j: u32| {
        let first = i as usize * half;
        let of_window = buckets[first..first + half].iter().zip(1usize..);
        of_window.filter(move |(_, digit)| digit >> j & 1 == 1).filter_map(|(sum, _)| *sum).collect::<Vec<Ref>>()
    };
    let lists = (0..windows.count).flat_map(|i| (0..windows.width).map(move |j| (i, j)));
    sums(group, Lists::from_iter(lists.map(|(i, j)| bit(i, j))))
}

/// Lists of elements, one after the other.
#[derive(Debug, Default)]
struct Lists {
    all: Vec<Ref>,
    ends: Vec<usize>,
}

impl FromIterator<Vec<Ref>> for Lists {
    fn from_iter<I: IntoIterator<Item = Vec<Ref>>>(lists: I) -> Self {
        let mut all = Self::default();
        for list in lists {
            all.all.extend(list);
            all.end();
        }
        all
    }
}

impl Lists {
    fn end(&mut self) {
        self.ends.push(self.all.len());
    }

    fn iter(&self) -> impl Iterator<Item = &[Ref]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.all[start..*end])
    }
}

/// A list for each bucket of each window.
fn fill(windows: Windows, numbers: &[u16]) -> Lists {
    let half = 1 << (windows.width - 1);
    let mut digits: Vec<(usize, Ref)> = Vec::with_capacity(numbers.len() * windows.count as usize);
    for (at, number) in numbers.iter().enumerate().filter(|(_, number)| **number > 0) {
        for (window, digit) in windows.digits(*number).enumerate().filter(|(_, digit)| *digit != 0) {
            digits.push((window * half + digit.unsigned_abs() as usize - 1, Ref::new(at, digit < 0)));
        }
    }
    // Sorted by bucket, by counting.
    let mut ends = vec![0; windows.count as usize * half + 1];
    digits.iter().for_each(|(bucket, _)| ends[bucket + 1] += 1);
    for bucket in 1..ends.len() {
        ends[bucket] += ends[bucket - 1];
    }
    let mut all = vec![Ref(0); digits.len()];
    for (bucket, element) in digits {
        all[ends[bucket]] = element;
        ends[bucket] += 1;
    }
    ends.pop();
    Lists { all, ends }
}

/// The sum of each list; `None` for the neutral element.
fn sums(group: &mut impl Group, mut lists: Lists) -> Vec<Option<Ref>> {
    let mut pairs = Vec::new();
    loop {
        pairs.clear();
        let first_new = group.len();
        let mut next = Lists::default();
        for list in lists.iter() {
            let (twos, one) = list.as_chunks::<2>();
            for [a, b] in twos {
                next.all.push(Ref::new(first_new + pairs.len(), false));
                pairs.push((*a, *b));
            }
            next.all.extend(one);
            next.end();
        }
        if pairs.is_empty() {
            return lists.iter().map(|list| list.first().copied()).collect();
        }
        let neutral = group.add_pairs(&pairs);
        lists = if neutral.is_empty() { next } else { without(&next, first_new, &neutral) };
    }
}

/// Without the new elements that are neutral.
fn without(lists: &Lists, first_new: usize, neutral: &[usize]) -> Lists {
    let stays = |element: &&Ref| {
        let new = element.at().checked_sub(first_new);
        new.is_none_or(|new| neutral.binary_search(&new).is_err())
    };
    lists.iter().map(|list| list.iter().filter(stays).copied().collect()).collect()
}

#[cfg(test)]
mod tests;
