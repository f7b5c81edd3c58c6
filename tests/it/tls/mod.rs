//! TLS of the server.

pub(crate) mod authority;
mod challenge;
mod files;
mod handshake;
mod server;
