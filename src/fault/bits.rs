//! One bit a page, in memory that the signal handler can get for itself.
#![allow(unsafe_code, reason = "a slice over pages of our own")]

use super::system::sys;

/// All bits are clear at first. Memory is taken with the first bit that is set; where none is,
/// there is none.
pub struct Bits {
    /// Address of the words; 0: none yet.
    at: usize,
    words: usize,
}

impl Bits {
    pub const fn new() -> Self {
        Self { at: 0, words: 0 }
    }

    fn words(&mut self) -> &mut [u64] {
        if self.at == 0 {
            return &mut [];
        }
        // SAFETY: `reserve` got `words` zeroed words at `at`, page-aligned, for this value alone,
        // until `drop_all` gives them back.
        unsafe { std::slice::from_raw_parts_mut(self.at as *mut u64, self.words) }
    }

    fn read(&self) -> &[u64] {
        if self.at == 0 {
            return &[];
        }
        // SAFETY: as in `words`.
        unsafe { std::slice::from_raw_parts(self.at as *const u64, self.words) }
    }

    /// Room for `bits` bits. False: no memory; nothing has changed.
    pub fn reserve(&mut self, bits: usize) -> bool {
        let words = bits.div_ceil(64).max(1);
        if words <= self.words {
            return true;
        }
        let Some(at) = sys::allocate(words * 8) else {
            return false;
        };
        let mut larger = Self { at, words };
        larger.words()[..self.words].copy_from_slice(self.read());
        std::mem::swap(self, &mut larger);
        larger.drop_all();
        true
    }

    pub fn get(&self, bit: usize) -> bool {
        self.read()
            .get(bit / 64)
            .is_some_and(|word| word >> (bit % 64) & 1 == 1)
    }

    /// Sets or clears `from..to`, as far as there is room.
    pub fn put(&mut self, from: usize, to: usize, value: bool) {
        let to = to.min(self.words * 64);
        let mut bit = from;
        while bit < to {
            let end = (bit / 64 * 64 + 64).min(to);
            let mask = (u64::MAX >> (64 - (end - bit))) << (bit % 64);
            let word = &mut self.words()[bit / 64];
            // Not written where nothing changes: clearing must not make the pages of the books
            // real.
            if value {
                *word |= mask;
            } else if *word & mask != 0 {
                *word &= !mask;
            }
            bit = end;
        }
    }

    /// The first bit at or after `from`, and before `limit`, that is `value`; else `limit`.
    pub fn next(&self, from: usize, limit: usize, value: bool) -> usize {
        let mut bit = from;
        while bit < limit {
            let Some(word) = self.read().get(bit / 64) else {
                return if value { limit } else { bit };
            };
            let rest = (if value { *word } else { !*word }) >> (bit % 64);
            if rest != 0 {
                return (bit + rest.trailing_zeros() as usize).min(limit);
            }
            bit = bit / 64 * 64 + 64;
        }
        limit
    }

    /// Clears all and gives the memory back.
    pub fn drop_all(&mut self) {
        if self.at != 0 {
            sys::free(self.at, self.words * 8);
        }
        *self = Self::new();
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn bits_agree_with_a_vector_of_booleans() {
        let mut bits = Bits::new();
        let mut model = vec![false; 1000];
        let mut seed = 1_u32;
        let mut random = |below: usize| {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (seed >> 8) as usize % below
        };
        assert!(!bits.get(5) && bits.next(0, 10, true) == 10 && bits.next(3, 10, false) == 3);
        assert!(bits.reserve(300));
        for round in 0..2000 {
            if round == 1000 {
                assert!(bits.reserve(1000));
            }
            let limit = if round < 1000 { 300 } else { 1000 };
            let (a, b) = (random(limit), random(limit));
            let (from, to, value) = (a.min(b), a.max(b) + 1, random(2) == 1);
            let to = if random(2) == 1 { from + 1 } else { to };
            bits.put(from, to, value);
            model[from..to].fill(value);
            let at = random(1000);
            assert_eq!(bits.get(at), model[at]);
            let want = (at..1000).find(|&i| model[i] == value).unwrap_or(1000);
            assert_eq!(bits.next(at, 1000, value), want);
        }
        bits.drop_all();
    }
}
