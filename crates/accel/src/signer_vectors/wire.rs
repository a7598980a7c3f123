//! Packing and unpacking, by words.

use super::{bitmap, signer_count};
use vigil_crypto::signer_vectors::UnpackError;

/// As [`vigil_crypto::signer_vectors::pack`].
pub(crate) fn pack(vector: &[u8]) -> Vec<u8> {
    let width = bits(vector.iter().fold(0, |largest, entry| largest.max(*entry)).saturating_sub(1));
    let body = (signer_count(vector) * usize::from(width)).div_ceil(8);
    let mut bytes = Vec::with_capacity(1 + vector.len().div_ceil(8) + body);
    bytes.push(width);
    bytes.extend_from_slice(&bitmap(vector));
    // At most 7 bits wait from before and at most 8 come.
    let (mut waiting, mut count) = (0u32, 0);
    for entry in vector.iter().filter(|entry| **entry != 0) {
        waiting |= u32::from(entry - 1) << count;
        count += u32::from(width);
        if count >= 8 {
            bytes.push(waiting as u8);
            waiting >>= 8;
            count -= 8;
        }
    }
    if count > 0 {
        bytes.push(waiting as u8);
    }
    bytes
}

/// As [`vigil_crypto::signer_vectors::unpack`].
pub(crate) fn unpack(n: usize, bytes: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let got = bytes.len();
    let head = 1 + n.div_ceil(8);
    let Some((&[width, ref bitmap @ ..], body)) = bytes.split_at_checked(head) else {
        return Err(UnpackError::Length { expected: head, got });
    };
    if width > 8 {
        return Err(UnpackError::Width(width));
    }
    if !n.is_multiple_of(8) && bitmap[n / 8] >> (n % 8) != 0 {
        return Err(UnpackError::Bitmap { entries: n });
    }
    let signers: usize = bitmap.iter().map(|byte| byte.count_ones() as usize).sum();
    let expected = head + (signers * usize::from(width)).div_ceil(8);
    if got != expected {
        return Err(UnpackError::Length { expected, got });
    }
    read_entries(n, width, bitmap, body)
}

fn read_entries(n: usize, width: u8, bitmap: &[u8], body: &[u8]) -> Result<Vec<u8>, UnpackError> {
    let mut vector = vec![0; n];
    let mut largest = 0;
    let (mut waiting, mut count) = (0u32, 0);
    let mut body = body.iter();
    for (byte, bits) in bitmap.iter().enumerate() {
        let mut bits = *bits;
        while bits != 0 {
            let index = 8 * byte + bits.trailing_zeros() as usize;
            bits &= bits - 1;
            if count < u32::from(width) {
                waiting |= u32::from(*body.next().expect("the length was checked")) << count;
                count += 8;
            }
            let less_one = (waiting & ((1 << width) - 1)) as u8;
            waiting >>= width;
            count -= u32::from(width);
            vector[index] = less_one.checked_add(1).ok_or(UnpackError::Entry { index })?;
            largest = largest.max(less_one);
        }
    }
    if waiting != 0 {
        return Err(UnpackError::Padding);
    }
    match bits(largest) {
        least if least == width => Ok(vector),
        least => Err(UnpackError::Wide { width, least }),
    }
}

/// Bits that a number takes.
fn bits(number: u8) -> u8 {
    (u8::BITS - number.leading_zeros()) as u8
}
