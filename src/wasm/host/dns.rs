//! `dns`: questions to the DNS.

use super::super::state::{State, trap};
use super::short;
use crate::event::host::{DnsFault, RecordKind};
use mailsluice_wit::mailsluice::sink::dns::{Error, Host, RecordKind as Kind};

impl Host for State {
    async fn lookup(&mut self, name: String, kind: Kind) -> wasmtime::Result<Result<Vec<String>, Error>> {
        let name = short("a name", name)?;
        let Some(dns) = self.terms.grants.dns.clone() else {
            return Err(trap("dns needs `allow.dns = true` in the manifest"));
        };
        let kind = match kind {
            Kind::A => RecordKind::A,
            Kind::Aaaa => RecordKind::Aaaa,
            Kind::Cname => RecordKind::Cname,
            Kind::Mx => RecordKind::Mx,
            Kind::Ns => RecordKind::Ns,
            Kind::Ptr => RecordKind::Ptr,
            Kind::Srv => RecordKind::Srv,
            Kind::Txt => RecordKind::Txt,
        };
        Ok(dns.lookup(&name, kind).await.map_err(|fault| match fault {
            DnsFault::NotFound => Error::NotFound,
            DnsFault::Temporary(why) => Error::Temporary(why.to_string()),
            DnsFault::Invalid(why) => Error::Invalid(why.to_string()),
        }))
    }
}
