//! Mailsluice: a mail transport server in which everything that happens is an event, and everything that may be
//! decided is decided by sinks.

pub mod accounts;
pub mod acme;
pub mod admin;
pub mod builtin;
pub mod cli;
pub mod config;
pub mod directory;
pub mod disk;
#[cfg(feature = "dns")]
pub mod dns;
pub mod event;
#[cfg(feature = "http")]
pub mod http;
pub mod intake;
pub mod kv;
pub mod mail;
pub mod manifest;
pub mod pickup;
pub mod sasl;
pub mod server;
pub mod smtp;
pub mod snapshot;
pub mod spool;
pub mod tls;
pub mod transport;
#[cfg(feature = "wasm")]
pub mod wasm;
