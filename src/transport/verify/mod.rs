//! Whether a recipient that is handed on exists at the next hop: asked there at RCPT, and remembered.
//!
//! * [`Prober`] is what sessions ask. [`VerifyCache`] remembers.
//! * `question` asks the hops of a route, and `answer` says what a reply means. `room` bounds the probes that run at once.

mod answer;
mod cache;
mod prober;
mod question;
mod room;

pub use cache::{Lifetimes, Unanswered, Verdict, VerifyCache};
pub use prober::Prober;
