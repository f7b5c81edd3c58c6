//! One name for the hosts that many domains share.
//!
//! What is counted and bounded for a site holds for all domains behind it: a large provider does not see a thousand strangers.

use super::look_up::Exchange;
use std::collections::{BTreeMap, BTreeSet};

/// The longest name, in octets.
const SITE_MAX: usize = 255;
/// The digits that stand for what does not fit.
const DIGEST: usize = 32;

/// The name of a set of hosts, such as `(mx1|mx2).example.com` or `mx.example.com,mx.example.net`. The same hosts have the same
/// name in whatever order and with whatever preference, and different ones a different name. At most 255 octets: of a longer name
/// the beginning, `~` and a digest of all of it.
pub fn site(exchanges: &[Exchange]) -> String {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for exchange in exchanges {
        let (first, parent) = split(&exchange.host);
        groups.entry(parent).or_default().insert(first);
    }
    let mut names: Vec<String> = groups.iter().map(|(parent, firsts)| joined(parent, firsts)).collect();
    names.sort();
    short(names.join(","))
}

/// The first label, and the rest with its dot. An address literal has one label.
fn split(host: &str) -> (&str, &str) {
    match host.find('.') {
        Some(dot) if !host.starts_with('[') => host.split_at(dot),
        _ => (host, ""),
    }
}

fn joined(parent: &str, firsts: &BTreeSet<&str>) -> String {
    let all = firsts.iter().copied().collect::<Vec<_>>().join("|");
    if firsts.len() == 1 { format!("{all}{parent}") } else { format!("({all}){parent}") }
}

fn short(mut name: String) -> String {
    if name.len() > SITE_MAX {
        let mut digest = blake3::hash(name.as_bytes()).to_hex().to_string();
        digest.truncate(DIGEST);
        name.truncate(name.floor_char_boundary(SITE_MAX - 1 - DIGEST));
        name = format!("{name}~{digest}");
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(hosts: &[&str]) -> String {
        let exchange = |(n, host): (usize, &&str)| Exchange {
            host: (*host).to_owned(),
            preference: n as u16,
            addresses: vec!["192.0.2.1".parse().unwrap()],
            secure: false,
        };
        site(&hosts.iter().enumerate().map(exchange).collect::<Vec<_>>())
    }

    #[test]
    fn hosts_of_one_parent_share_it() {
        for (hosts, name) in [
            (&["mx.example.com"][..], "mx.example.com"),
            (&["mx2.example.com", "mx1.example.com"], "(mx1|mx2).example.com"),
            (&["mx1.example.com", "mx2.example.com"], "(mx1|mx2).example.com"),
            (&["mx.example.com", "mx.example.com"], "mx.example.com"),
            (&["mx.example.net", "mx.example.com"], "mx.example.com,mx.example.net"),
            (&["b.mx.example", "a.mx.example", "x.example"], "(a|b).mx.example,x.example"),
            (&["mx", "localhost"], "(localhost|mx)"),
            (&["[192.0.2.1]"], "[192.0.2.1]"),
            (&[], ""),
        ] {
            assert_eq!(named(hosts), name);
        }
        assert_ne!(named(&["a.x.example", "b.y.example"]), named(&["b.x.example", "a.y.example"]));
    }

    #[test]
    fn long_names_stay_short_and_different() {
        let hosts: Vec<String> = (0..20).map(|n| format!("{}{n}.example", "a".repeat(50))).collect();
        let hosts: Vec<&str> = hosts.iter().map(String::as_str).collect();
        let (all, fewer) = (named(&hosts), named(&hosts[..19]));
        assert_eq!((all.len(), fewer.len()), (SITE_MAX, SITE_MAX));
        assert_ne!(all, fewer);
        assert!(all.starts_with("(aaa") && all.contains('~'), "{all}");
    }
}
