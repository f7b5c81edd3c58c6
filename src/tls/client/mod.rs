//! TLS on connections that we open: what they have to prove before anything is said on them.
//!
//! A [`Demand`] says it, for one connection. It never gets weaker on the way: whoever holds one either has a connection that meets
//! it, or a [`Failure`] that says why not.
//!
//! # Layout
//!
//! * [`demand`]: what has to be proven. [`roots`]: whom we believe.
//! * [`verify`]: certificates against a demand; [`dane`]: against TLSA records (RFC 7672).
//! * [`identity`]: a certificate of ours. [`handshake`]: the handshake. [`failure`]: why there is none, as logs and reports (RFC 8460) have it.
//!
//! Not here: which demand holds for a destination, and STARTTLS.

pub mod dane;
pub mod demand;
pub mod failure;
pub mod handshake;
pub mod identity;
pub mod roots;
#[cfg(test)]
mod tests;
pub mod verify;

pub use demand::Demand;
pub use failure::{Failure, Kind};
pub use handshake::{Established, handshake};
pub use identity::Identity;
pub use roots::Roots;
