//! What the converted message may hold.

use super::super::encode::is_clean;

/// What a way carries, and from what a message is to be converted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// From 8-bit to 7-bit.
    SevenBit,
    /// From binary to 8-bit: lines of at most 998 octets that end in CRLF, and no NUL.
    EightBitLines,
    /// From binary to 7-bit.
    SevenBitLines,
}

impl Goal {
    /// Whether octets beyond ASCII may stay.
    pub(super) fn eight_bit(self) -> bool {
        self == Self::EightBitLines
    }

    /// Whether octets can stay as they are.
    pub(super) fn fits(self, octets: &[u8]) -> bool {
        match self {
            Self::SevenBit => octets.is_ascii(),
            Self::EightBitLines | Self::SevenBitLines => is_clean(octets, self.eight_bit()),
        }
    }

    /// The transfer encoding that is named for octets which fit.
    pub(super) fn label(self, octets: &[u8]) -> &'static str {
        if self.eight_bit() && !octets.is_ascii() { "8bit" } else { "7bit" }
    }

    /// Whether a label promises more than the way carries.
    pub(super) fn exceeds(self, label: &str) -> bool {
        let label = label.split([' ', ';', '(']).next().unwrap_or_default();
        label.eq_ignore_ascii_case("binary") || (!self.eight_bit() && label.eq_ignore_ascii_case("8bit"))
    }
}
