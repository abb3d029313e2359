//! Random numbers that spread the clients of a process. They never come from a generator that the application may seed: all its processes would
//! then draw the same.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// A generator that threads share: SplitMix64, whose state is a counter.
pub(crate) struct Random(AtomicU64);

impl Random {
    /// Returns the generator of the process. The system seeds it.
    pub(crate) fn of_process() -> &'static Self {
        static PROCESS: LazyLock<Random> =
            LazyLock::new(|| Random::seeded(RandomState::new().hash_one(0)));
        &PROCESS
    }

    /// Returns a generator whose numbers are those of this seed.
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// Returns a number from 0.5 to 1.5, by which a time is multiplied.
    pub(crate) fn factor(&self) -> f64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let mut number = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        number ^= number >> 31;
        // The upper 53 bits are as many as a float has.
        0.5 + (number >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_factors_of_a_seed_fill_the_range_evenly() {
        let random = Random::seeded(7);
        let mut tenths = [0; 10];
        for _ in 0..10_000 {
            tenths[((random.factor() - 0.5) * 10.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (900..1100).contains(count)), "{tenths:?}");
        let [one, same] = [7, 7].map(|seed| Random::seeded(seed).factor());
        assert_eq!(one.to_bits(), same.to_bits());
    }
}
