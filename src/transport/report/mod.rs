//! Delivery status notifications (RFC 3461, RFC 3464, RFC 6522, RFC 6533): what a sender is told of what became of a message.
//!
//! Composes them, and says who is owed one. Submits nothing, and reads nothing but the message that it is about.
//!
//! # Layout
//!
//! * [`about`]: what is reported. [`owed`]: to whom.
//! * [`compose`](mod@compose) puts the parts together: `text` with its `advice` for people, `status` for programs, and of the
//!   message what `returned` lets go back.
//! * `field` keeps what comes from outside within its field; `address` and `host` write names as reports have them.

pub mod about;
mod address;
mod advice;
pub mod compose;
mod field;
mod host;
pub mod owed;
mod returned;
mod status;
mod text;

#[cfg(test)]
mod tests;

pub use about::{About, Action, Composed, Report};
pub use compose::compose;
pub use owed::is_owed;
