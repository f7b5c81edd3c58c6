//! The system's resolver for routes: what stands behind [`Resolver`].
//!
//! Both traits share one cache. Addresses are asked for in both families at once.

use super::SystemDns;
use crate::event::host::resolver::either;
use crate::event::host::{DnsFault, Mx, RecordKind, Resolver};
use async_trait::async_trait;
use hickory_resolver::proto::rr::RData;
use std::net::IpAddr;

#[async_trait]
impl Resolver for SystemDns {
    async fn mx(&self, domain: &str) -> Result<Vec<Mx>, DnsFault> {
        self.ask(domain, RecordKind::Mx, mx).await
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsFault> {
        let of = |kind| self.ask(host, kind, address);
        let (v6, v4) = tokio::join!(of(RecordKind::Aaaa), of(RecordKind::A));
        either(v6, v4)
    }
}

fn mx(data: &RData) -> Option<Mx> {
    if let RData::MX(mx) = data { Some(Mx::new(mx.preference, &mx.exchange.to_ascii())) } else { None }
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(ip) => Some(IpAddr::V4(ip.0)),
        RData::AAAA(ip) => Some(IpAddr::V6(ip.0)),
        _ => None,
    }
}
