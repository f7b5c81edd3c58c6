//! Sinks for the Mailsluice mail server in Rust, for its WebAssembly sandbox.
//!
//! A sink is a type that implements [`On`] for each event it wants to hear, and names them in [`hears!`]. Names and types are
//! those of native sinks: what is illegal at an event does not compile.
//!
//! ```
//! use mailsluice_sink::{Fault, Heard, On, Ruling, hears, on, tables};
//!
//! #[derive(Default)]
//! struct Vips;
//!
//! impl On<on::InRcpt> for Vips {
//!     fn on(&self, heard: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
//!         if tables::lookup("former", &heard.recipient().path())?.is_some() {
//!             return Ok(Ruling::reject(5, 1, 1, "Left the company"));
//!         }
//!         Ok(Ruling::next())
//!     }
//! }
//! hears!(Vips { InRcpt });
//!
//! // In a test: no server, no WebAssembly.
//! let world = mailsluice_sink::test::World::new().table("former", [("bob@example.com", "")]).recipient("bob@example.com");
//! let heard = world.raise::<on::InRcpt>(&Vips).unwrap();
//! assert_eq!(heard.reply(), "550 5.1.1 Left the company");
//! ```
//!
//! Build it as a `cdylib` for `wasm32-unknown-unknown` (or `wasm32-wasip2`); the server loads the file as it is.
//!
//! A header can't be edited before there is one:
//!
//! ```compile_fail
//! use mailsluice_sink::{Heard, on};
//! fn edit(heard: &mut Heard<'_, on::InMail>) {
//!     let _ = heard.set_header("Subject", "x");
//! }
//! ```
//!
//! A reply that is about to be written can't be refused:
//!
//! ```compile_fail
//! use mailsluice_sink::{Ruling, on};
//! let _ = Ruling::<on::InReply>::reject(5, 7, 1, "no");
//! ```
//!
//! There is one recipient at hand at `in.rcpt` and `transport.categorize` only:
//!
//! ```compile_fail
//! use mailsluice_sink::{Heard, on};
//! fn look(heard: &Heard<'_, on::TransportSubmit>) {
//!     heard.recipient();
//! }
//! ```
//!
//! # Layout
//!
//! | room | what is in it |
//! | --- | --- |
//! | `catalogue` | the events as types, and what is legal at each |
//! | `ruling`, `answer`, `heard` | what a sink says; what it reads and changes |
//! | `claim` | what a sink adds to the protocol |
//! | `leg` | one leg of a message's way, and what became of its recipients |
//! | `host` | what the manifest may grant: [`kv`], [`http`], … |
//! | `export` | [`On`], [`hears!`] |
//! | `seam` | the traits below all that, with two implementations: the server's (in WebAssembly), [`test`] (natively) |

mod answer;
mod catalogue;
mod claim;
mod export;
mod fault;
mod glob;
mod heard;
mod host;
mod leg;
mod ruling;
mod seam;
#[cfg(not(target_family = "wasm"))]
pub mod test;
#[doc(hidden)]
pub mod wit;

pub use answer::{CommandAnswer, Identity, Login, Want};
pub use catalogue::{EventType, can, may, on};
pub use claim::{Claims, Conditions, VerbClaim};
pub use export::On;
#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub use export::guest::Exported;
#[doc(hidden)]
pub use export::{Claiming, Hosted, SelfTesting};
pub use fault::Fault;
pub use glob::Glob;
pub use heard::{Bearer, Fate, Heard, Octets, Recipient};
pub use host::{clock, config, dns, http, kv, log, metrics, queue, random, submit, tables};
pub use leg::{Leg, Outcome};
pub use ruling::{EnhancedCode, Reply, Ruling};
pub use wit::types::{
    Attachment, AuthStep, Certificate, Command, Credentials, Door, Excess, Expansion, Field, Further, NextState,
    Origin, Part, Proof, Question, Resolution, Standing, Tls, TlsPolicy,
};
