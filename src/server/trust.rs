//! What a listener's trusted proxies are offered beyond the others: XCLIENT and XFORWARD.
//!
//! Who is trusted goes by the address that the connection came from, or that a PROXY header gave it. XCLIENT, which changes
//! the client, does not change that.

use crate::config::listener::Listener;
use crate::event::networks::Networks;
use crate::smtp::{Profile, xclient};
use ipnet::IpNet;
use std::net::IpAddr;
use std::sync::Arc;

/// What a peer may say of its client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Trust {
    /// XCLIENT.
    pub(super) xclient: bool,
    /// XFORWARD.
    pub(super) xforward: bool,
}

impl Trust {
    /// What a listener grants the peer.
    pub(super) fn of(listener: Option<&Listener>, peer: IpAddr) -> Self {
        let Some(proxies) = listener.map(|listener| &listener.proxies) else { return Self::default() };
        Self { xclient: holds(&proxies.xclient_from, peer), xforward: holds(&proxies.xforward_from, peer) }
    }

    /// The profile with what the peer is offered.
    pub(super) fn offer(self, profile: Arc<Profile>) -> Arc<Profile> {
        if self == Self::default() {
            return profile;
        }
        let mut own = Profile::clone(&profile);
        for (granted, keyword, attributes) in
            [(self.xclient, "XCLIENT", xclient::XCLIENT), (self.xforward, "XFORWARD", xclient::XFORWARD)]
        {
            if granted && let Err(error) = own.extensions.set_keyword(keyword, Some(attributes)) {
                tracing::error!(%error, "a keyword of the server's own can't be announced");
            }
        }
        Arc::new(own)
    }
}

/// Whether an address is in one of the networks.
pub(super) fn holds(networks: &[IpNet], peer: IpAddr) -> bool {
    !networks.is_empty() && networks.iter().copied().collect::<Networks>().contains(peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_keyword_for_those_who_may_use_it() {
        let plain = Arc::new(Profile::new("x"));
        assert!(Arc::ptr_eq(&Trust::default().offer(plain.clone()), &plain));
        let offered = Trust { xclient: true, xforward: false }.offer(plain);
        assert!(offered.extensions.offers("XCLIENT") && !offered.extensions.offers("XFORWARD"));
    }

    #[test]
    fn a_mapped_address_is_its_ipv4_address() {
        let networks = ["192.0.2.0/24".parse().unwrap()];
        assert!(holds(&networks, "::ffff:192.0.2.9".parse().unwrap()));
        assert!(!holds(&networks, "192.0.3.9".parse().unwrap()) && !holds(&[], "192.0.2.9".parse().unwrap()));
    }
}
