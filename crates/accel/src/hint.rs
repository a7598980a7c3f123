//! Hints to the processor.

/// Bytes of a cache line.
const LINE: usize = 64;

/// Asks the processor to fetch so many bytes from an address on, which are wanted soon, into its nearest cache. The address
/// may be any: nothing is read. On other processors than x86-64 and AArch64 nothing happens.
#[inline(always)]
pub fn prefetch(start: *const u8, bytes: usize) {
    let first = start.map_addr(|address| address & !(LINE - 1));
    let lines = bytes.saturating_add(start.addr() - first.addr()).div_ceil(LINE);
    for line in 0..lines {
        fetch(first.wrapping_add(line * LINE));
    }
}

#[inline(always)]
fn fetch(line: *const u8) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: a hint, which no address makes fail; SSE is part of x86-64.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(line.cast());
    }
    #[cfg(target_arch = "aarch64")]
    // SAFETY: a hint, which no address makes fail, and which changes nothing that the compiler knows of.
    unsafe {
        std::arch::asm!("prfm pldl1keep, [{}]", in(reg) line, options(nostack, preserves_flags, readonly));
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    let _no_instruction_for_it = line;
}

#[cfg(test)]
mod tests {
    use super::prefetch;

    #[test]
    fn any_address_may_be_named() {
        let bytes = [7u8; 1000];
        let wild = |address| std::ptr::without_provenance::<u8>(address);
        for start in [bytes.as_ptr(), &raw const bytes[999], std::ptr::null(), wild(1), wild(usize::MAX)] {
            for len in [0, 1, 64, 1000] {
                prefetch(start, len);
            }
        }
        assert_eq!(bytes, [7; 1000]);
    }
}
