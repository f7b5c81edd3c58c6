//! Chance that spreads mail over hosts of equal preference.
//!
//! It can be foretold by whoever knows the seed. Nothing secret may rest on it.

/// A stream of numbers (xorshift64*, Marsaglia and Vigna). The same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Shuffle(u64);

impl Shuffle {
    /// A stream of its own for each seed.
    pub fn new(seed: u64) -> Self {
        // Small seeds are far apart after this; zero would stay zero, and is the image of one seed only.
        let state = (seed ^ 0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        Self(if state == 0 { 1 } else { state })
    }

    /// The next number, from 0 to `bound` - 1, each as probable as the others for bounds that occur. With a bound of 0 it is 0.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D);
        // The upper bits are the better ones. The product of two numbers of 64 bits has 128.
        ((u128::from(number) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_below_the_bound_has_its_share() {
        for seed in [0, 1, 2, 0x9E37_79B9_7F4A_7C15, u64::MAX] {
            let (mut shuffle, mut counts) = (Shuffle::new(seed), [0; 5]);
            (0..5000).for_each(|_| counts[shuffle.below(5)] += 1);
            assert!(counts.iter().all(|n| (850..1150).contains(n)), "{seed}: {counts:?}");
        }
        assert_eq!((Shuffle::new(7).below(0), Shuffle::new(7).below(1)), (0, 0));
    }

    #[test]
    fn a_seed_says_it_all() {
        let some = |seed| {
            let mut shuffle = Shuffle::new(seed);
            std::array::from_fn::<_, 8, _>(|_| shuffle.below(1_000_000))
        };
        assert_eq!(some(1), some(1));
        assert_ne!(some(1), some(2));
    }
}
