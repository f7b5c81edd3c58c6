//! What the hosts of a domain have to prove before they get its mail.
//!
//! The operator's policy comes first ([`crate::config::outbound`]). `opportunistic` alone is raised by what the destination
//! publishes: TLSA records that are securely signed (DANE, RFC 7672), else a policy of MTA-STS (RFC 8461). What can't be found
//! out, because the DNS fails or what it says is bogus, puts mail off; it never makes less do.
//!
//! * [`advisor`]: the way to a [`Demand`](crate::tls::client::Demand). [`sts`]: policies of MTA-STS, fetched and kept.
//! * [`reports`]: what came of it, told to destinations that want to know (RFC 8460).
//!
//! Not here: the handshake and certificates (`tls`), smart hosts, which the configuration says all about.

pub mod advisor;
pub mod reports;
pub mod sts;

pub use advisor::Advisor;
