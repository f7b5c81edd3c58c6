//! What a sink has beside the things that an event is about: one module for each interface of the WIT package.
//!
//! Reading `config`, `tables`, `clock` and `random` and writing the `log` is always allowed. The others need a grant in the
//! manifest (`[sink.allow]`): without it the server does not load a sink that calls them.

pub mod clock;
mod config;
pub mod dns;
pub mod http;
pub mod kv;
pub mod log;
pub mod metrics;
pub mod queue;
pub mod random;
pub mod submit;
pub mod tables;

pub use config::config;
