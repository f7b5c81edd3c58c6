//! The system's resolver, for sinks and for routes: what stands behind [`Dns`] and
//! [`Resolver`](crate::event::host::Resolver).
//!
//! It asks the name servers of `/etc/resolv.conf`, which are read at the first question, and keeps answers for as long as they
//! live. The hosts file and the search list are for people at a terminal: they are not used. Routes get [proofs](proof) (DNSSEC), if the
//! name servers hand signatures on; sinks get none. [`SystemDns::asking`] is told what to ask and whom to believe instead.

mod proof;
mod question;
mod resolver;
mod text;

use crate::event::host::{Dns, DnsFault, RecordKind};
use async_trait::async_trait;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::dnssec::TrustAnchors;
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};
use proof::Proofs;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::sync::OnceCell;

/// Answers that are kept.
const CACHE: u64 = 10_000;

/// The system's resolver. Cheap until it is asked.
#[derive(Default)]
pub struct SystemDns {
    /// Read at the first question; if that fails, at the next one again.
    resolver: OnceCell<TokioResolver>,
    proofs: Proofs,
}

impl SystemDns {
    /// A resolver that reads the system's configuration when it is asked for the first time.
    pub fn new() -> Self {
        Self::default()
    }

    /// A resolver that asks this name server alone, by UDP and, for what is too long, TCP, and believes what these keys lead to, DNSKEY
    /// records as in a zone file, instead of the root zone's. For networks with a root of their own, and for tests.
    ///
    /// # Errors
    /// What is wrong with the keys.
    pub fn asking(server: SocketAddr, keys: &str) -> Result<Self, String> {
        let keys: TrustAnchors = keys.parse().map_err(|error| format!("the trust anchors can't be read: {error}"))?;
        Self::believing(server, keys).map_err(|error| error.to_string())
    }

    fn believing(server: SocketAddr, keys: TrustAnchors) -> Result<Self, NetError> {
        let mut ways = vec![ConnectionConfig::udp(), ConnectionConfig::tcp()];
        ways.iter_mut().for_each(|way| way.port = server.port());
        let server = NameServerConfig::new(server.ip(), true, ways);
        let config = ResolverConfig::from_name_servers(vec![server]);
        let builder = || TokioResolver::builder_with_config(config.clone(), TokioRuntimeProvider::default());
        let validating = build(builder().with_trust_anchor(Arc::new(keys)))?;
        let proofs = Proofs::with(OnceCell::new_with(Some(validating)), (Name::root(), RecordType::NS));
        Ok(Self { resolver: OnceCell::new_with(Some(build(builder())?)), proofs })
    }

    async fn resolver(&self) -> Result<&TokioResolver, NetError> {
        self.resolver.get_or_try_init(|| async { build(TokioResolver::builder_tokio()?) }).await
    }

    async fn validating(&self) -> Result<TokioResolver, NetError> {
        let mut builder = TokioResolver::builder_tokio()?;
        builder.options_mut().validate = true;
        build(builder)
    }

    /// The records of that kind, as `read` takes them.
    async fn ask<T>(&self, name: &str, kind: RecordKind, read: fn(&RData) -> Option<T>) -> Result<Vec<T>, DnsFault> {
        let name = question::name(name, kind).map_err(|why| DnsFault::Invalid(why.into()))?;
        self.look_up(name, question::record_type(kind), read).await
    }

    async fn look_up<T>(
        &self,
        name: Name,
        wanted: RecordType,
        read: fn(&RData) -> Option<T>,
    ) -> Result<Vec<T>, DnsFault> {
        let resolver = self.resolver().await.map_err(|error| fault(&error))?;
        let found = resolver.lookup(name, wanted).await.map_err(|error| fault(&error))?;
        let of_kind = found.answers().iter().filter(|record| record.record_type() == wanted);
        let read: Vec<T> = of_kind.filter_map(|record| read(&record.data)).collect();
        if read.is_empty() { Err(DnsFault::NotFound) } else { Ok(read) }
    }
}

fn build(mut builder: ResolverBuilder<TokioRuntimeProvider>) -> Result<TokioResolver, NetError> {
    let options = builder.options_mut();
    (options.use_hosts_file, options.cache_size) = (ResolveHosts::Never, CACHE);
    builder.build()
}

#[async_trait]
impl Dns for SystemDns {
    async fn lookup(&self, name: &str, kind: RecordKind) -> Result<Vec<String>, DnsFault> {
        self.ask(name, kind, text::of).await
    }
}

impl fmt::Debug for SystemDns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemDns").finish_non_exhaustive()
    }
}

/// That there is no such record is known only if a server says so. One that names other servers instead has not said it
/// (RFC 2308 2.2).
fn fault(error: &NetError) -> DnsFault {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => match none.response_code {
            ResponseCode::NXDomain => DnsFault::NotFound,
            ResponseCode::NoError if none.ns.is_some() && none.soa.is_none() => {
                DnsFault::Temporary("the server referred to others instead of asking them".into())
            }
            ResponseCode::NoError => DnsFault::NotFound,
            code => DnsFault::Temporary(format!("the server said {code}").into()),
        },
        other => DnsFault::Temporary(other.to_string().into()),
    }
}

#[cfg(test)]
mod signed;
#[cfg(test)]
mod tests;
