//! What is found where a host ought to be.

use super::ourselves::Ourselves;
use crate::event::host::resolver::Found;
use crate::event::host::{DnsFault, Signed};
use std::net::IpAddr;
use std::sync::Arc;

/// The addresses of a host, as far as mail can go there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Finding {
    /// These, in the order to try them. Never empty.
    Usable {
        addresses: Vec<IpAddr>,
        /// They are proven (DNSSEC).
        secure: bool,
    },
    /// This server and nobody else.
    Ours,
    /// The host has no address.
    Nothing,
    /// It has none that belongs to one machine, or its name can't be asked for. The text says which.
    Unusable(Arc<str>),
    /// Nobody has answered. The text says why.
    Unknown(Arc<str>),
}

/// Sorts the addresses of one host. A host that is this server and others is the others.
pub(super) fn of(answer: Found, ourselves: &Ourselves<'_>) -> Finding {
    let Signed { data: found, secure } = match answer {
        Ok(found) => found,
        Err(DnsFault::NotFound) => return Finding::Nothing,
        Err(DnsFault::Temporary(why)) => return Finding::Unknown(why),
        Err(DnsFault::Invalid(why)) => return Finding::Unusable(why),
    };
    let Some(first) = found.first() else { return Finding::Nothing };
    let unusable = Finding::Unusable(format!("{first} is no machine's address").into());
    let mut addresses = alternate(found);
    addresses.retain(is_a_machine_s);
    if addresses.is_empty() {
        return unusable;
    }
    addresses.retain(|ip| !ourselves.is_at(*ip));
    if addresses.is_empty() { Finding::Ours } else { Finding::Usable { addresses, secure } }
}

/// IPv6 and IPv4 in turn, IPv6 first, each address once; within a family in the resolver's order (RFC 5321 5.1). So that a
/// machine whose IPv6 leads nowhere gets to an IPv4 address soon.
fn alternate(found: Vec<IpAddr>) -> Vec<IpAddr> {
    // An IPv4 address in the clothes of IPv6 is one (RFC 4291 2.5.5.2).
    let (mut v6, mut v4) = (Vec::new(), Vec::new());
    for ip in found.iter().map(IpAddr::to_canonical) {
        let family = if ip.is_ipv6() { &mut v6 } else { &mut v4 };
        if !family.contains(&ip) {
            family.push(ip);
        }
    }
    let (mut v6, mut v4) = (v6.into_iter(), v4.into_iter());
    let mut addresses = Vec::with_capacity(found.len());
    loop {
        let pair = [v6.next(), v4.next()];
        if pair == [None, None] {
            return addresses;
        }
        addresses.extend(pair.into_iter().flatten());
    }
}

/// Not of a group, of everybody or of nobody. `0.0.0.0` and `::` would lead to this machine.
fn is_a_machine_s(ip: &IpAddr) -> bool {
    match ip {
        // All of 0.0.0.0/8 is "this network" (RFC 1122 3.2.1.3).
        IpAddr::V4(ip) => !ip.is_multicast() && !ip.is_broadcast() && !matches!(ip.octets(), [0, ..]),
        IpAddr::V6(ip) => !ip.is_multicast() && !ip.is_unspecified(),
    }
}
