//! Random octets. Without `allow.random` they follow from the id of the transaction or session.

use crate::seam::{Here, World};

/// So many octets, 64 KiB at most.
pub fn octets(count: u32) -> Vec<u8> {
    Here::random(count)
}

/// A number.
pub fn number() -> u64 {
    octets(8).iter().fold(0, |number, octet| number << 8 | u64::from(*octet))
}
