//! The sending side of SMTP and LMTP as a machine without I/O (RFC 5321, RFC 2033).
//!
//! A [`Client`] is fed octets and says what to do next: send these, read on, ask this, stream the content. One
//! transaction carries one [`Letter`]; a connection carries any number of them, one after the other. Every
//! recipient of every letter gets exactly one [`RcptOutcome`], however the connection ends.
//!
//! At each `out.*` point the machine asks before it acts, and takes no input until it has an answer.
//!
//! Binary content, and content that is large, goes by BDAT where the server offers CHUNKING (RFC 3030), and all other by DATA.
//!
//! Not here: sockets, names, clocks, retries, conversions. A letter that the server can't take fails with a status that
//! says so; whoever hands it in has fitted it before.
//!
//! # Layout
//!
//! * `machine`: [`Client`] and what it says: [`Step`], [`Point`], [`Decision`], [`Reason`].
//! * `letter`, `outcome`: what goes in, what comes out.
//! * `state`: the states and what they share; `opening`, `transaction` with `group` and `content`, `closing`: their work.
//! * `reply`, `extension`: what the server says. `command`, `encode`: what we say.
//! * `stage`: where in the dialogue, and how long the peer may take there.

mod closing;
mod command;
mod content;
pub mod encode;
pub mod extension;
mod group;
pub mod letter;
pub mod machine;
mod opening;
pub mod outcome;
pub mod reply;
pub mod stage;
mod state;
mod transaction;

#[cfg(test)]
mod tests;

pub use encode::Encoder;
pub use extension::Offered;
pub use letter::{Addressee, Hop, Letter};
pub use machine::{Client, Decision, Point, Reason, Step};
pub use outcome::{Cause, RcptOutcome, Trouble};
pub use reply::ReplyError;
pub use stage::Stage;
