//! TLS of the server.

pub(crate) mod authority;
mod files;
mod handshake;
mod server;
