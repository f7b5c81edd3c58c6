//! Sandboxed sinks: WebAssembly components in any language, core modules, and scripts.
//!
//! A [`Sandbox`] is made once for a server. It loads a module or a script on the [`Terms`] of the manifest and gives a sink
//! like any other: [`load`] says whether it fits and compiles it, `guest` is one instance, `host` serves what it imports,
//! `sink` keeps or drops instances as the manifest asks, `fault` says in its author's words why it failed.
//!
//! What a guest can't do: run longer than its time, grow over its memory, reach what is not granted, or change anything unless
//! its call returns well. An instance that trapped, overran or was abandoned is dropped and never called again.

mod answer;
mod code;
pub mod compile;
mod engine;
mod fault;
mod guest;
mod host;
mod lent;
pub mod load;
mod login;
mod measure;
mod script;
mod sink;
mod state;
mod terms;
mod time;
mod verdict;
mod wasi;

pub use compile::Compiler;
pub use engine::{Sandbox, Sandboxes};
pub use load::Refusal;
pub use measure::Spent;
pub use script::Reader;
pub use sink::Sandboxed;
pub use terms::{Grants, Limits, Terms};
