//! The system's resolver for sinks: what stands behind [`Dns`].
//!
//! It asks the name servers of `/etc/resolv.conf`, which are read at the first question, and keeps answers for as long as they
//! live. The hosts file and the search list are for people at a terminal: they are not used. Nothing is validated here; whoever
//! wants proofs needs a resolver that gives them.

mod question;
mod text;

use crate::event::host::{Dns, DnsFault, RecordKind};
use async_trait::async_trait;
use hickory_resolver::config::ResolveHosts;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::{ResolverBuilder, TokioResolver};
use std::fmt;
use tokio::sync::OnceCell;

/// Answers that are kept.
const CACHE: u64 = 10_000;

/// The system's resolver. Cheap until it is asked.
#[derive(Default)]
pub struct SystemDns {
    /// Read at the first question; if that fails, at the next one again.
    resolver: OnceCell<TokioResolver>,
}

impl SystemDns {
    /// A resolver that reads the system's configuration when it is asked for the first time.
    pub fn new() -> Self {
        Self::default()
    }

    async fn resolver(&self) -> Result<&TokioResolver, NetError> {
        self.resolver.get_or_try_init(|| async { build(TokioResolver::builder_tokio()?) }).await
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
        let name = question::name(name, kind).map_err(|why| DnsFault::Invalid(why.into()))?;
        let resolver = self.resolver().await.map_err(|error| fault(&error))?;
        let wanted = question::record_type(kind);
        let found = resolver.lookup(name, wanted).await.map_err(|error| fault(&error))?;
        let of_kind = found.answers().iter().filter(|record| record.record_type() == wanted);
        let texts: Vec<String> = of_kind.filter_map(|record| text::of(&record.data)).collect();
        if texts.is_empty() { Err(DnsFault::NotFound) } else { Ok(texts) }
    }
}

impl fmt::Debug for SystemDns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SystemDns").finish_non_exhaustive()
    }
}

/// That there is no such record is known only if a server says so.
fn fault(error: &NetError) -> DnsFault {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none))
            if matches!(none.response_code, ResponseCode::NoError | ResponseCode::NXDomain) =>
        {
            DnsFault::NotFound
        }
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            DnsFault::Temporary(format!("the server said {}", none.response_code).into())
        }
        other => DnsFault::Temporary(other.to_string().into()),
    }
}

#[cfg(test)]
mod tests;
