//! Messages made fit for a way that carries less (RFC 6152 3, RFC 3030 3, RFC 2045 6): 8-bit to 7-bit, binary to 8-bit or 7-bit.
//!
//! Every part still decodes to the same octets, which is checked before a converted message is handed out. What fits stays
//! as it was, octet for octet, so that nothing of it is copied.

mod check;
mod error;
mod goal;
mod leaf;
mod walk;

pub use error::NotConvertible;
pub use goal::Goal;
pub use walk::convert;
