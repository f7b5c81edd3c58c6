//! Reading an input: from the front, and never beyond its end, where everything is zero or empty.

/// What is left of an input.
pub(super) struct Input<'a>(pub(super) &'a [u8]);

impl<'a> Input<'a> {
    pub(super) fn octet(&mut self) -> u8 {
        self.take(1).first().copied().unwrap_or_default()
    }

    /// A number of two octets, the greater one last.
    pub(super) fn number(&mut self) -> usize {
        usize::from(self.octet()) | usize::from(self.octet()) << 8
    }

    /// So many octets, or all if there are fewer.
    pub(super) fn take(&mut self, len: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(len.min(self.0.len()));
        self.0 = rest;
        taken
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Sizes of packets, of 1 to 40 octets; which, a number says.
pub(super) fn packets(which: u8) -> Vec<usize> {
    let next = |n: &u32| Some(n.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    std::iter::successors(Some(u32::from(which)), next).skip(1).take(8).map(|n| 1 + (n >> 24) as usize % 40).collect()
}
