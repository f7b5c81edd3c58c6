//! Policies of MTA-STS (RFC 8461): read, fetched, kept.

mod fetch;
mod keep;
pub mod policy;
#[cfg(test)]
mod tests;

pub use keep::Sts;
pub use policy::{Mode, Policy};
