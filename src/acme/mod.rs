//! Certificates that the server fetches and renews by itself: ACME (RFC 8555), with HTTP-01 and TLS-ALPN-01 (RFC 8737).
//!
//! What is to be fetched stands in the settings. What has been fetched is a file under data-dir, and the settings name it as if an
//! operator had put it there: a new one comes into force by a reload, and one that was not fetched changes nothing.
//!
//! # Layout
//! * [`report`]: how it stands, for operators, and what they ask for.
//! * `task`: what is done when. `schedule`: when that is. `tries`: what was tried before, over restarts.
//! * `order`: from names to a certificate. `account`: who asks for it. `client`: the HTTP below. `failure`: what went wrong.
//! * `shown`: what authorities are shown while they look. `http01` and `tls_alpn01`: where, through a `door`.
//! * `store`: the files.

#[cfg(feature = "acme")]
mod account;
#[cfg(feature = "acme")]
mod client;
#[cfg(feature = "acme")]
mod door;
#[cfg(feature = "acme")]
mod failure;
#[cfg(feature = "acme")]
pub mod http01;
#[cfg(feature = "acme")]
mod order;
pub mod report;
#[cfg(feature = "acme")]
mod schedule;
#[cfg(feature = "acme")]
mod shown;
#[cfg(feature = "acme")]
mod store;
#[cfg(feature = "acme")]
pub mod task;
#[cfg(feature = "acme")]
pub mod tls_alpn01;
#[cfg(feature = "acme")]
mod tries;

pub use report::{Board, Line};
#[cfg(feature = "acme")]
pub use shown::Shown;
#[cfg(feature = "acme")]
pub use task::{Reload, Renewer};
