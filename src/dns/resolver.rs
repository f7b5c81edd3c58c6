//! The system's resolver for routes: what stands behind [`Resolver`].
//!
//! Answers are validated here, whatever the name servers say of them, as soon as these have shown that they hand signatures on.
//! While they do not, nothing is secure, and routes work as they would without DNSSEC.

use super::SystemDns;
use super::question;
use crate::event::host::resolver::either;
use crate::event::host::{DnsFault, Mx, RecordKind, Resolver, Signed, Tlsa};
use async_trait::async_trait;
use hickory_resolver::proto::rr::{RData, RecordType};
use std::net::IpAddr;

#[async_trait]
impl Resolver for SystemDns {
    async fn mx(&self, domain: &str) -> Result<Signed<Vec<Mx>>, DnsFault> {
        self.prove(domain, RecordType::MX, mx).await
    }

    async fn addresses(&self, host: &str) -> Result<Signed<Vec<IpAddr>>, DnsFault> {
        let of = |kind| self.prove(host, kind, address);
        let (v6, v4) = tokio::join!(of(RecordType::AAAA), of(RecordType::A));
        either(v6, v4)
    }

    async fn tlsa(&self, name: &str) -> Result<Signed<Vec<Tlsa>>, DnsFault> {
        self.prove(name, RecordType::TLSA, tlsa).await
    }

    async fn texts(&self, name: &str) -> Result<Vec<String>, DnsFault> {
        Ok(self.prove(name, RecordType::TXT, super::text::of).await?.data)
    }

    async fn validates(&self) -> bool {
        self.proofs.hold(self).await
    }
}

impl SystemDns {
    /// The records of a type, as `read` takes them, and whether they are proven.
    async fn prove<T>(
        &self,
        name: &str,
        wanted: RecordType,
        read: fn(&RData) -> Option<T>,
    ) -> Result<Signed<Vec<T>>, DnsFault> {
        let name = question::name(name, RecordKind::A).map_err(|why| DnsFault::Invalid(why.into()))?;
        if self.validates().await {
            return self.proofs.ask(self, name, wanted, read).await;
        }
        Ok(Signed::insecure(self.look_up(name, wanted, read).await?))
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

fn tlsa(data: &RData) -> Option<Tlsa> {
    let RData::TLSA(record) = data else { return None };
    Some(Tlsa {
        usage: record.cert_usage.into(),
        selector: record.selector.into(),
        matching: record.matching.into(),
        data: record.cert_data.clone(),
    })
}
