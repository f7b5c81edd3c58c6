//! Networks in CIDR notation, wherever a setting lists clients or proxies.

use super::diagnostic::Diagnostics;
use super::tree::Node;
use super::values;
use ipnet::IpNet;
use std::net::IpAddr;

/// A network in CIDR notation, or one address. `all` says what it would mean to list every address there is, and what to do instead.
pub(super) fn network(all: (&str, &str)) -> impl Fn(&Node, &mut Diagnostics) -> Option<IpNet> {
    move |node, found| {
        let text = values::string(node, found)?;
        if let Ok(address) = text.parse::<IpAddr>() {
            return Some(address.into());
        }
        let Ok(net) = text.parse::<IpNet>() else {
            let told = found.error(node.span, format!("`{text}` is not a network"));
            told.help("write an address and the length of its prefix, such as \"192.0.2.0/24\" or \"2001:db8::/32\"");
            return None;
        };
        let whole = net.trunc();
        if whole != net {
            let told = found.warning(node.span, format!("`{text}` has bits set behind its prefix"));
            told.label(format!("taken as {whole}"));
        }
        if net.prefix_len() == 0 {
            let (meaning, help) = all;
            found.warning(node.span, format!("`{text}` {meaning}")).help(help);
        }
        Some(whole)
    }
}
