//! xtext: how ENVID and ORCPT carry any text (RFC 3461 4, RFC 6533 3). `decode` is for what comes in, `encode` for what goes out.

mod decode;
mod encode;

pub use decode::{decode, decode_utf8};
pub use encode::{encode, mend, mend_utf8};
