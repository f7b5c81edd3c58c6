//! The sending side of SMTP and LMTP as a machine without I/O (RFC 5321, RFC 2033).
//!
//! A [`Client`] is fed octets and says what to do next: send these, read on, ask this, stream the content. One
//! transaction carries one [`Letter`]; a connection carries any number of them, one after the other. Every
//! recipient of every letter gets exactly one [`RcptOutcome`], however the connection ends.
//!
//! At each [`Point`] the machine asks before it acts, and takes no input until it has a [`Decision`].
//!
//! Binary content, and content that is large, goes by BDAT where the server offers CHUNKING (RFC 3030), and all other by DATA.
//!
//! Not here: sockets, names, clocks, retries, conversions. A letter that the server can't take fails with a status that
//! says so; whoever hands it in has fitted it before.
//!
//! # Layout
//!
//! * `machine`: [`Client`] and what it says: [`Step`], [`Reason`]. `question`: what it asks, and the table of what may be decided.
//! * `terms`: on what terms a connection is opened. `line`: what others may put into the dialogue; `insert`: whole commands.
//! * `letter`, `outcome`: what goes in, what comes out.
//! * `state`: the states and what they share; `opening`, `transaction` with `group` and `content`, `closing`: their work.
//! * `secure`, `auth`: STARTTLS and AUTH, which may come between the hello and the first letter.
//! * `reply`, `extension`: what the server says. `command`, `encode`: what we say.
//! * `stage`: where in the dialogue, and how long the peer may take there.

pub mod auth;
mod closing;
mod command;
mod content;
pub mod encode;
pub mod extension;
mod group;
mod insert;
pub mod letter;
pub mod line;
pub mod machine;
mod opening;
pub mod outcome;
pub mod question;
pub mod reply;
pub mod secure;
pub mod stage;
mod state;
pub mod terms;
mod transaction;
mod wishes;

#[cfg(test)]
mod tests;

pub use auth::{Authenticator, Opening};
pub use encode::Encoder;
pub use extension::Offered;
pub use letter::{Addressee, Hop, Letter};
pub use line::{CommandLine, Parameter, WrongLine};
pub use machine::{Client, Reason, Step};
pub use outcome::{Cause, RcptOutcome, Trouble};
pub use question::{Change, Choices, Decision, Next, Point, Said};
pub use reply::ReplyError;
pub use secure::StartTls;
pub use stage::Stage;
pub use terms::{Credentials, Terms, TlsPolicy};
pub use wishes::Wishes;
