//! The control socket: how the command line speaks to the running server.
//!
//! One JSON line per request, JSON lines back; see [`protocol`]. Only the owner of the server's process, root and the
//! members of `admin.group` are heard. Requests change nothing but through the queue, intake and the reload that the
//! server itself uses.
//!
//! # Layout
//!
//! * The server's side: [`socket`] binds, [`access`] says who may speak, [`server`] accepts and reads, `wire` bounds what is
//!   read, [`commands`] carries out, with `search`, `tail` and `send` and `traffic`
//!   for the larger ones.
//! * The other side: [`client`].
//! * What goes over the wire: [`protocol`], [`filter`], [`status`].

pub mod access;
pub mod client;
pub mod commands;
pub mod filter;
pub mod protocol;
mod search;
mod send;
pub mod server;
pub mod socket;
pub mod status;
mod tail;
#[cfg(test)]
mod tests;
mod traffic;
mod wire;

pub use client::{Client, ClientError};
pub use commands::Ops;
pub use filter::Filter;
pub use protocol::{Act, QueueRequest, Request, Response, SiteLine, Stop, SuspensionLine, TrafficRequest};
pub use server::run;
pub use socket::{Bound, Socket};
pub use status::Status;
