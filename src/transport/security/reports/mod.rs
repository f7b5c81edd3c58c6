//! Reports to destinations on the TLS of what we sent them (RFC 8460).
//!
//! * [`collect`]: what came of each connection, by domain and day. [`kept`]: over a restart. [`compose`]: a day as a report, and as a mail.
//! * [`destination`]: who wants it. [`sender`]: once a day, to all who do.

pub mod collect;
pub mod compose;
pub mod destination;
pub mod kept;
pub mod sender;
#[cfg(test)]
mod tests;

pub use collect::{Basis, Collector, Tried};
pub use kept::Kept;
pub use sender::Reporter;
