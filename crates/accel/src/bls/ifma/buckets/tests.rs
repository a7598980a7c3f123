use super::{Group, Ref, Windows, largest, weighted_sum};

/// Integers.
struct Integers(Vec<i64>);

impl Integers {
    fn get(&self, element: Ref) -> i64 {
        let value = self.0[element.at()];
        if element.is_negative() { -value } else { value }
    }
}

impl Group for Integers {
    fn len(&self) -> usize {
        self.0.len()
    }

    fn add_pairs(&mut self, pairs: &[(Ref, Ref)]) -> Vec<usize> {
        let sums: Vec<i64> = pairs.iter().map(|(a, b)| self.get(*a) + self.get(*b)).collect();
        // What is neutral must not be used.
        self.0.extend(sums.iter().map(|sum| if *sum == 0 { i64::MIN / 1_000_000 } else { *sum }));
        (0..sums.len()).filter(|at| sums[*at] == 0).collect()
    }
}

fn check(elements: &[i64], numbers: &[u16]) {
    let mut group = Integers(elements.to_vec());
    let bits = weighted_sum(&mut group, numbers);
    let got: i64 = bits.iter().enumerate().map(|(i, bit)| bit.map_or(0, |bit| group.get(bit)) << i).sum();
    let right: i64 = elements.iter().zip(numbers).map(|(element, number)| element * i64::from(*number)).sum();
    assert_eq!(got, right, "{elements:?} {numbers:?}");
}

#[test]
fn sums_are_right_for_all_sizes_of_numbers() {
    for n in [0usize, 1, 2, 3, 9, 100, 1_000] {
        for most in [0u16, 1, 2, 3, 39, 255, 256, 5_100, 32_767, 32_768, 65_280, u16::MAX] {
            let elements: Vec<i64> = (0..n as i64).map(|i| i * i % 1_000 - 300).collect();
            let numbers: Vec<u16> = (0..n).map(|i| (i * 7_919 % (usize::from(most) + 1)) as u16).collect();
            check(&elements, &numbers);
            check(&elements, &vec![most; n]);
            // They cancel out, level by level.
            let opposite: Vec<i64> = (0..n as i64).map(|i| if i % 2 == 0 { 5 } else { -5 }).collect();
            check(&opposite, &vec![most; n]);
            check(&opposite, &numbers);
        }
    }
}

#[test]
fn every_number_has_digits() {
    for width in 1..=12 {
        let count = (1..).find(|count| largest(width, *count) >= u64::from(u16::MAX)).expect("17 at most");
        let windows = Windows { width, count };
        for number in 0..=u16::MAX {
            let digits: Vec<i32> = windows.digits(number).collect();
            let value: i64 =
                digits.iter().enumerate().map(|(i, digit)| i64::from(*digit) << (width as usize * i)).sum();
            assert_eq!(value, i64::from(number));
            assert!(digits.iter().all(|digit| digit.abs() <= 1 << (width - 1)));
        }
    }
}
