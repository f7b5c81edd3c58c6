//! From a domain to the hosts that take its mail (RFC 5321 5.1).
//!
//! # Layout
//!
//! * [`exchanges`] is the way through: it asks for the MX records and the addresses of their hosts.
//! * `candidate`: which records name a host, and in which order. `finding`: which addresses of a host can be used. `choice`:
//!   which hosts, or why none.
//! * [`Ourselves`] keeps mail from coming back to this server. [`Shuffle`] spreads it over equal hosts.
//! * [`NoExchange`]: why there is no host. `notes`: what was odd, for operators.
//! * [`site`] names a set of hosts, whichever domain led to it.

mod candidate;
mod choice;
mod finding;
mod look_up;
mod no_exchange;
mod notes;
mod ourselves;
mod shuffle;
mod site;
#[cfg(test)]
mod tests;
mod together;

pub use look_up::{Exchange, HOSTS_MAX, exchanges};
pub use no_exchange::NoExchange;
pub use ourselves::Ourselves;
pub use shuffle::Shuffle;
pub use site::site;
