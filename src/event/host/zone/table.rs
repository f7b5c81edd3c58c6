//! The records, and how they answer.

use crate::event::host::dns::{DnsFault, RecordKind};
use crate::event::host::name;
use crate::event::host::resolver::{Mx, Resolver, Signed, Tlsa, either};
use async_trait::async_trait;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Aliases that are followed one after the other; what is behind more of them is not found.
const ALIASES_MAX: usize = 8;

/// Names with records and troubles. Empty at first: then nothing is found.
#[derive(Debug, Default)]
pub struct ZoneTable(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    records: HashMap<String, Vec<ZoneRecord>>,
    troubles: HashMap<(String, ZoneKind), ZoneTrouble>,
    asked: HashMap<(String, ZoneKind), usize>,
    /// What lies at or below these names is signed.
    signed: Vec<String>,
}

/// What stands at a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ZoneRecord {
    /// An IPv4 address.
    A(Ipv4Addr),
    /// An IPv6 address.
    Aaaa(Ipv6Addr),
    /// Who takes the mail. The host may be no name at all.
    Mx(Mx),
    /// What the certificate of a server has to be.
    Tlsa(Tlsa),
    /// A text.
    Txt(String),
    /// Another name for the one that stands here. It is the only record at its name.
    Cname(String),
}

/// What a table can be asked for: what sinks can ask for, and TLSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ZoneKind {
    /// A kind that sinks can ask for.
    Of(RecordKind),
    /// TLSA (RFC 6698).
    Tlsa,
}

impl From<RecordKind> for ZoneKind {
    fn from(kind: RecordKind) -> Self {
        Self::Of(kind)
    }
}

/// How a question fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneTrouble {
    /// At once: the server says that it could not find out (RFC 1035 4.1.1).
    ServFail,
    /// At once: it has an answer, and the signature is not good (RFC 4035 4.3).
    Bogus,
    /// Nobody answers, for this time.
    Timeout(Duration),
}

impl ZoneTable {
    /// A table without a record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a record at a name.
    pub fn add(&self, name: &str, record: ZoneRecord) -> &Self {
        self.state().records.entry(key(name)).or_default().push(record);
        self
    }

    /// From now on, all at this name and below it is signed.
    pub fn sign(&self, name: &str) -> &Self {
        self.state().signed.push(key(name));
        self
    }

    /// Takes all records of a name away.
    pub fn remove(&self, name: &str) -> &Self {
        self.state().records.remove(&key(name));
        self
    }

    /// From now on, questions for that kind at that name fail. An alias to the name fails with it.
    pub fn fail(&self, name: &str, kind: impl Into<ZoneKind>, trouble: ZoneTrouble) -> &Self {
        self.state().troubles.insert((key(name), kind.into()), trouble);
        self
    }

    /// Ends such a trouble.
    pub fn mend(&self, name: &str, kind: impl Into<ZoneKind>) -> &Self {
        self.state().troubles.remove(&(key(name), kind.into()));
        self
    }

    /// How often that was asked. Following an alias asks nothing.
    pub fn asked(&self, name: &str, kind: impl Into<ZoneKind>) -> usize {
        self.state().asked.get(&(key(name), kind.into())).copied().unwrap_or(0)
    }

    /// How many questions were asked in all. The addresses of a host are two.
    pub fn questions(&self) -> usize {
        self.state().asked.values().sum()
    }

    async fn ask(&self, name: &str, kind: ZoneKind) -> Result<Signed<Vec<ZoneRecord>>, DnsFault> {
        let name = name::ascii(name).map_err(|why| DnsFault::Invalid(why.into()))?;
        let answer = self.state().answer(key(&name), kind);
        match answer {
            Ok(found) if found.data.is_empty() => Err(DnsFault::NotFound),
            Ok(found) => Ok(found),
            Err(ZoneTrouble::Bogus) => {
                Err(DnsFault::Temporary("the answer is bogus: its signature is not good".into()))
            }
            Err(ZoneTrouble::ServFail) => Err(DnsFault::Temporary("the server said SERVFAIL".into())),
            Err(ZoneTrouble::Timeout(after)) => {
                tokio::time::sleep(after).await;
                Err(DnsFault::Temporary("no server has answered in time".into()))
            }
        }
    }

    /// The records of a kind, as `read` takes them.
    async fn read<T>(
        &self,
        name: &str,
        kind: impl Into<ZoneKind>,
        read: fn(ZoneRecord) -> Option<T>,
    ) -> Result<Signed<Vec<T>>, DnsFault> {
        let Signed { data, secure } = self.ask(name, kind.into()).await?;
        Ok(Signed { data: data.into_iter().filter_map(read).collect(), secure })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answer(&mut self, mut name: String, kind: ZoneKind) -> Result<Signed<Vec<ZoneRecord>>, ZoneTrouble> {
        let mut secure = true;
        *self.asked.entry((name.clone(), kind)).or_default() += 1;
        for _ in 0..=ALIASES_MAX {
            if let Some(trouble) = self.troubles.get(&(name.clone(), kind)) {
                return Err(*trouble);
            }
            secure &= self.is_signed(&name);
            let here = self.records.get(&name).map_or(&[][..], Vec::as_slice);
            match here.first() {
                Some(ZoneRecord::Cname(other)) => name = key(other),
                _ => {
                    let data = here.iter().filter(|record| record.kind() == kind).cloned().collect();
                    return Ok(Signed { data, secure });
                }
            }
        }
        Ok(Signed { data: Vec::new(), secure })
    }

    fn is_signed(&self, name: &str) -> bool {
        self.signed
            .iter()
            .any(|zone| name.strip_suffix(zone.as_str()).is_some_and(|rest| rest.is_empty() || rest.ends_with('.')))
    }
}

impl ZoneRecord {
    fn kind(&self) -> ZoneKind {
        ZoneKind::Of(match self {
            Self::Tlsa(_) => return ZoneKind::Tlsa,
            Self::A(_) => RecordKind::A,
            Self::Aaaa(_) => RecordKind::Aaaa,
            Self::Mx(_) => RecordKind::Mx,
            Self::Txt(_) => RecordKind::Txt,
            Self::Cname(_) => RecordKind::Cname,
        })
    }

    fn address(self) -> Option<IpAddr> {
        match self {
            Self::A(ip) => Some(IpAddr::V4(ip)),
            Self::Aaaa(ip) => Some(IpAddr::V6(ip)),
            _ => None,
        }
    }

    fn mx(self) -> Option<Mx> {
        if let Self::Mx(mx) = self { Some(mx) } else { None }
    }

    fn tlsa(self) -> Option<Tlsa> {
        if let Self::Tlsa(record) = self { Some(record) } else { None }
    }

    fn text(self) -> Option<String> {
        if let Self::Txt(text) = self { Some(text) } else { None }
    }
}

#[async_trait]
impl Resolver for ZoneTable {
    async fn mx(&self, domain: &str) -> Result<Signed<Vec<Mx>>, DnsFault> {
        self.read(domain, RecordKind::Mx, ZoneRecord::mx).await
    }

    async fn addresses(&self, host: &str) -> Result<Signed<Vec<IpAddr>>, DnsFault> {
        let of = |kind| self.read(host, kind, ZoneRecord::address);
        let (v6, v4) = tokio::join!(of(RecordKind::Aaaa), of(RecordKind::A));
        either(v6, v4)
    }

    async fn tlsa(&self, name: &str) -> Result<Signed<Vec<Tlsa>>, DnsFault> {
        self.read(name, ZoneKind::Tlsa, ZoneRecord::tlsa).await
    }

    async fn texts(&self, name: &str) -> Result<Vec<String>, DnsFault> {
        Ok(self.read(name, RecordKind::Txt, ZoneRecord::text).await?.data)
    }

    async fn validates(&self) -> bool {
        true
    }
}

fn key(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn zone() -> ZoneTable {
        let text = "example. MX 10 mx.example.\n\
                    mx.example. A 192.0.2.1\n\
                    mx.example. AAAA 2001:db8::1\n\
                    www.example. CNAME mx.example.\n\
                    loop.example. CNAME loop.example.\n\
                    half.example. A 192.0.2.2\n\
                    half.example. AAAA SERVFAIL";
        text.parse().unwrap()
    }

    #[tokio::test]
    async fn it_answers_as_a_resolver_does() {
        let zone = zone();
        let found =
            |ips: &[&str]| Ok(Signed::insecure(ips.iter().map(|ip| ip.parse().unwrap()).collect::<Vec<IpAddr>>()));
        assert_eq!(zone.mx("EXAMPLE.").await, Ok(Signed::insecure(vec![Mx::new(10, "mx.example")])));
        assert_eq!(zone.addresses("www.example").await, found(&["2001:db8::1", "192.0.2.1"]));
        assert_eq!(zone.addresses("half.example").await, found(&["192.0.2.2"]));
        for nothing in ["nobody.example", "loop.example", "example"] {
            assert_eq!(zone.addresses(nothing).await, Err(DnsFault::NotFound), "{nothing}");
        }
        assert!(matches!(zone.mx("a b").await, Err(DnsFault::Invalid(_))));
        assert_eq!((zone.asked("example.", RecordKind::Mx), zone.questions()), (1, 1 + 2 * 5));
    }

    #[tokio::test]
    async fn what_is_signed_is_secure_and_an_alias_is_as_secure_as_its_weakest_part() {
        let zone = zone();
        zone.sign("mx.example").sign("elsewhere").add("mail.elsewhere", ZoneRecord::Cname("mx.example".into()));
        for (host, secure) in
            [("mx.example", true), ("mail.elsewhere", true), ("www.example", false), ("half.example", false)]
        {
            assert_eq!(zone.addresses(host).await.map(|found| found.secure), Ok(secure), "{host}");
        }
        assert_eq!(zone.mx("example").await.map(|found| found.secure), Ok(false));
        zone.fail("mx.example", RecordKind::A, ZoneTrouble::Bogus).fail(
            "mx.example",
            RecordKind::Aaaa,
            ZoneTrouble::Bogus,
        );
        assert!(matches!(zone.addresses("mx.example").await, Err(DnsFault::Temporary(why)) if why.contains("bogus")));
    }

    #[tokio::test(start_paused = true)]
    async fn troubles_begin_and_end() {
        let zone = zone();
        let before = tokio::time::Instant::now();
        zone.fail("mx.example", RecordKind::A, ZoneTrouble::Timeout(Duration::from_secs(5)));
        zone.fail("mx.example", RecordKind::Aaaa, ZoneTrouble::ServFail);
        assert!(matches!(zone.addresses("www.example").await, Err(DnsFault::Temporary(_))));
        assert_eq!(before.elapsed().as_secs(), 5);
        zone.mend("mx.example", RecordKind::A);
        assert_eq!(zone.addresses("www.example").await.map(|found| found.data), Ok(vec!["192.0.2.1".parse().unwrap()]));
        zone.remove("mx.example").mend("mx.example", RecordKind::Aaaa);
        assert_eq!(zone.addresses("www.example").await, Err(DnsFault::NotFound));
    }
}
