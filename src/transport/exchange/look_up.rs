//! The way from a domain to its hosts.
//!
//! Trouble of the DNS passes, what the domain says does not: mail fails for good only if no answer is missing that could have
//! saved it. What the DNS says may be hostile; it costs one look-up of the domain and [`HOSTS_MAX`] of hosts, which run at once.
//!
//! It connects to nobody and keeps nothing: that is the resolver's, as are proofs (DNSSEC).

use super::candidate::{self, Candidate};
use super::choice::choose;
use super::finding::{self, Finding};
use super::no_exchange::NoExchange;
use super::notes::Notes;
use super::ourselves::Ourselves;
use super::together::together;
use crate::event::host::{DnsFault, Resolver, Signed};
use crate::mail::{Domain, Host};
use std::net::IpAddr;

/// The most hosts of one domain that are looked up. Those of least preference are left out.
pub const HOSTS_MAX: usize = 20;

/// One host to try, with its addresses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// Its name, in lower case and without a dot at its end; or the domain, if that is an address literal.
    pub host: String,
    /// The lower, the earlier it is tried (RFC 5321 5.1).
    pub preference: u16,
    /// In the order to try them, and never empty: IPv6 and IPv4 in turn, IPv6 first. None is this server's. Loopback addresses
    /// are as good as others: tests need them, and where this server listens is in [`Ourselves`].
    pub addresses: Vec<IpAddr>,
    /// That it takes the domain's mail is proven, and so are its addresses (DNSSEC): TLSA records of it count (RFC 7672 2.2).
    pub secure: bool,
}

/// The hosts that take the mail of a domain, in the order to try them; never empty. `domain` is in the form to compare by
/// ([`crate::mail::domain::key`]).
///
/// `shuffle` gives a number below its argument, see [`Shuffle`](super::Shuffle): hosts of equal preference come in a new order
/// each time.
pub async fn exchanges(
    resolver: &dyn Resolver,
    domain: &str,
    ourselves: &Ourselves<'_>,
    shuffle: &mut (dyn FnMut(usize) -> usize + Send),
) -> Result<Vec<Exchange>, NoExchange> {
    match Domain::parse(domain).as_ref().map(Domain::host) {
        Ok(Host::Address(ip)) => return literal(domain, ip, ourselves),
        Ok(Host::General(_)) => return Err(NoExchange::not_a_domain("nobody knows this kind of address literal")),
        // What is no domain is no name that can be looked up, and the resolver says why.
        Ok(Host::Name(_)) | Err(_) => {}
    }
    let mut notes = Notes::default();
    let (mut hosts, implicit, secure) = match resolver.mx(domain).await {
        Ok(records) if candidate::is_null(&records.data) => return Err(NoExchange::null_mx()),
        Ok(Signed { data, secure }) => (candidate::sort_out(data, &mut notes), false, secure),
        // As if the domain had a record that names itself (RFC 5321 5.1).
        // Its addresses are proven or not by themselves (RFC 7672 2.2.1).
        Err(DnsFault::NotFound) => (vec![Candidate { host: domain.to_owned(), preference: 0 }], true, true),
        Err(DnsFault::Temporary(why)) => return Err(NoExchange::unknown(format!("MX of {domain}: {why}"))),
        Err(DnsFault::Invalid(why)) => return Err(NoExchange::not_a_domain(&why)),
    };
    candidate::order(&mut hosts, shuffle);
    let own = candidate::own_preference(&hosts, ourselves);
    candidate::limit(&mut hosts, own, &mut notes);
    let answers = together(hosts.iter().map(|c| resolver.addresses(&c.host)).collect()).await;
    let found = hosts.into_iter().zip(answers.into_iter().map(|answer| finding::of(answer, ourselves))).collect();
    let mut chosen = choose(found, own, implicit, &mut notes)?;
    chosen.iter_mut().for_each(|exchange| exchange.secure &= secure);
    if !notes.is_empty() {
        tracing::debug!(domain, "not every MX record is used: {notes}");
    }
    Ok(chosen)
}

/// The host of an address literal (RFC 5321 4.1.3).
fn literal(domain: &str, ip: IpAddr, ourselves: &Ourselves<'_>) -> Result<Vec<Exchange>, NoExchange> {
    let host = Candidate { host: domain.to_owned(), preference: 0 };
    let found: Finding = finding::of(Ok(Signed::insecure(vec![ip])), ourselves);
    choose(vec![(host, found)], None, false, &mut Notes::default())
}
