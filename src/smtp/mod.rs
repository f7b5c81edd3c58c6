//! SMTP and LMTP without I/O: octets in, decisions asked, replies and octets out (RFC 5321, RFC 2033).
//!
//! # Layout
//!
//! * Lines and words: `line`, `verb`, `command`, `bdat`, `path`, `param`, `wishes`, `xtext`, `fault`.
//! * The message's octets: `defect`, `data`, `chunk`, `header_end`, `body`.
//! * What the server is: `profile`, `extension`, `offer`, `limits`, `replies`.
//! * `exchange`: the lines of AUTH.
//! * The server's machine: `session`. The client's: `client`.
//!
//! Nothing here knows events, sockets or the clock.

pub mod bdat;
mod body;
mod chunk;
pub mod client;
pub mod command;
mod data;
mod defect;
mod exchange;
pub mod extension;
pub mod fault;
mod header_end;
pub mod limits;
pub mod line;
pub mod offer;
pub mod param;
pub mod path;
pub mod profile;
pub mod replies;
pub mod session;
pub mod verb;
mod wishes;
pub mod xclient;
pub mod xtext;

pub use command::{Hello, MailCommand, OtherCommand, RcptCommand};
pub use exchange::{AuthCommand, Response};
pub use extension::{BadClaim, Extensions};
pub use limits::Limits;
pub use offer::{AuthMechanism, AuthOffer, TlsOffer};
pub use profile::Profile;
pub use session::{Answer, Misuse, Question, Session, Step, Want};
pub use verb::Verb;
