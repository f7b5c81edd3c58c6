//! From an accepted message to its next hops.
//!
//! * `outcome`: how a try ended, per recipient.
//! * `deliver`: one try at one next hop.

pub mod deliver;
pub mod outcome;

pub use outcome::{Details, Outcome};
