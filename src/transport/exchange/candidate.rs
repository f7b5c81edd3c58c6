//! The hosts that MX records name, before anybody has asked where they are.

use super::look_up::HOSTS_MAX;
use super::notes::Notes;
use super::ourselves::Ourselves;
use crate::event::host::{Mx, name};

/// A host that may take the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) host: String,
    pub(super) preference: u16,
}

/// Whether the domain says that it takes no mail (RFC 7505 3): the root is all that it names, with whatever preference.
pub(super) fn is_null(records: &[Mx]) -> bool {
    !records.is_empty() && records.iter().all(|mx| mx.host.is_empty())
}

/// The records that name a host. One that is named twice has its better preference.
pub(super) fn sort_out(records: Vec<Mx>, notes: &mut Notes) -> Vec<Candidate> {
    let mut hosts: Vec<Candidate> = Vec::new();
    for Mx { preference, host } in records {
        match name::host(&host) {
            Ok(host) => hosts.push(Candidate { host, preference }),
            Err(_) if host.is_empty() => notes.add("a null MX beside others means nothing (RFC 7505 3)"),
            Err(why) => notes.add(format!("MX {preference} {host:?}: {why}")),
        }
    }
    hosts.sort_by(|a, b| (&a.host, a.preference).cmp(&(&b.host, b.preference)));
    hosts.dedup_by(|later, earlier| later.host == earlier.host);
    hosts
}

/// The best first; equals in an order that `shuffle` makes, which gives a number below its argument.
pub(super) fn order(hosts: &mut [Candidate], shuffle: &mut (dyn FnMut(usize) -> usize + Send)) {
    for left in (2..=hosts.len()).rev() {
        hosts.swap(left - 1, shuffle(left) % left);
    }
    // It is stable: equals stay as they are.
    hosts.sort_by_key(|c| c.preference);
}

/// The best preference under which this server is named.
pub(super) fn own_preference(hosts: &[Candidate], ourselves: &Ourselves<'_>) -> Option<u16> {
    hosts.iter().filter(|c| ourselves.is_named(&c.host)).map(|c| c.preference).min()
}

/// Leaves out those that are not better than this server (RFC 5321 5.1), and those that are too many.
pub(super) fn limit(hosts: &mut Vec<Candidate>, own: Option<u16>, notes: &mut Notes) {
    if let Some(own) = own {
        notes.add(format!(
            "this server is named with preference {own}; hosts from that one on would send the mail back"
        ));
        hosts.retain(|c| c.preference < own);
    }
    if hosts.len() > HOSTS_MAX {
        notes.add(format!("{} hosts are too many, {HOSTS_MAX} are used", hosts.len()));
        hosts.truncate(HOSTS_MAX);
    }
}
