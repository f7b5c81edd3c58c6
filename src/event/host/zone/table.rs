//! The records, and how they answer.

use crate::event::host::dns::{DnsFault, RecordKind};
use crate::event::host::name;
use crate::event::host::resolver::{Mx, Resolver, either};
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
    troubles: HashMap<(String, RecordKind), ZoneTrouble>,
    asked: HashMap<(String, RecordKind), usize>,
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
    /// Another name for the one that stands here. It is the only record at its name.
    Cname(String),
}

/// How a question fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneTrouble {
    /// At once: the server says that it could not find out (RFC 1035 4.1.1).
    ServFail,
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

    /// Takes all records of a name away.
    pub fn remove(&self, name: &str) -> &Self {
        self.state().records.remove(&key(name));
        self
    }

    /// From now on, questions for that kind at that name fail. An alias to the name fails with it.
    pub fn fail(&self, name: &str, kind: RecordKind, trouble: ZoneTrouble) -> &Self {
        self.state().troubles.insert((key(name), kind), trouble);
        self
    }

    /// Ends such a trouble.
    pub fn mend(&self, name: &str, kind: RecordKind) -> &Self {
        self.state().troubles.remove(&(key(name), kind));
        self
    }

    /// How often that was asked. Following an alias asks nothing.
    pub fn asked(&self, name: &str, kind: RecordKind) -> usize {
        self.state().asked.get(&(key(name), kind)).copied().unwrap_or(0)
    }

    /// How many questions were asked in all. The addresses of a host are two.
    pub fn questions(&self) -> usize {
        self.state().asked.values().sum()
    }

    async fn ask(&self, name: &str, kind: RecordKind) -> Result<Vec<ZoneRecord>, DnsFault> {
        let name = name::ascii(name).map_err(|why| DnsFault::Invalid(why.into()))?;
        let answer = self.state().answer(key(&name), kind);
        match answer {
            Ok(records) if records.is_empty() => Err(DnsFault::NotFound),
            Ok(records) => Ok(records),
            Err(ZoneTrouble::ServFail) => Err(DnsFault::Temporary("the server said SERVFAIL".into())),
            Err(ZoneTrouble::Timeout(after)) => {
                tokio::time::sleep(after).await;
                Err(DnsFault::Temporary("no server has answered in time".into()))
            }
        }
    }

    async fn family(&self, host: &str, kind: RecordKind) -> Result<Vec<IpAddr>, DnsFault> {
        let records = self.ask(host, kind).await?;
        Ok(records.iter().filter_map(ZoneRecord::address).collect())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn answer(&mut self, mut name: String, kind: RecordKind) -> Result<Vec<ZoneRecord>, ZoneTrouble> {
        *self.asked.entry((name.clone(), kind)).or_default() += 1;
        for _ in 0..=ALIASES_MAX {
            if let Some(trouble) = self.troubles.get(&(name.clone(), kind)) {
                return Err(*trouble);
            }
            let here = self.records.get(&name).map_or(&[][..], Vec::as_slice);
            match here.first() {
                Some(ZoneRecord::Cname(other)) => name = key(other),
                _ => return Ok(here.iter().filter(|record| record.kind() == kind).cloned().collect()),
            }
        }
        Ok(Vec::new())
    }
}

impl ZoneRecord {
    fn kind(&self) -> RecordKind {
        match self {
            Self::A(_) => RecordKind::A,
            Self::Aaaa(_) => RecordKind::Aaaa,
            Self::Mx(_) => RecordKind::Mx,
            Self::Cname(_) => RecordKind::Cname,
        }
    }

    fn address(&self) -> Option<IpAddr> {
        match self {
            Self::A(ip) => Some(IpAddr::V4(*ip)),
            Self::Aaaa(ip) => Some(IpAddr::V6(*ip)),
            Self::Mx(_) | Self::Cname(_) => None,
        }
    }

    fn mx(self) -> Option<Mx> {
        if let Self::Mx(mx) = self { Some(mx) } else { None }
    }
}

#[async_trait]
impl Resolver for ZoneTable {
    async fn mx(&self, domain: &str) -> Result<Vec<Mx>, DnsFault> {
        let records = self.ask(domain, RecordKind::Mx).await?;
        Ok(records.into_iter().filter_map(ZoneRecord::mx).collect())
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsFault> {
        let (v6, v4) = tokio::join!(self.family(host, RecordKind::Aaaa), self.family(host, RecordKind::A));
        either(v6, v4)
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
        let both = vec!["2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap()];
        assert_eq!(zone.mx("EXAMPLE.").await, Ok(vec![Mx::new(10, "mx.example")]));
        assert_eq!(zone.addresses("www.example").await, Ok(both));
        assert_eq!(zone.addresses("half.example").await, Ok(vec!["192.0.2.2".parse().unwrap()]));
        for nothing in ["nobody.example", "loop.example", "example"] {
            assert_eq!(zone.addresses(nothing).await, Err(DnsFault::NotFound), "{nothing}");
        }
        assert!(matches!(zone.mx("a b").await, Err(DnsFault::Invalid(_))));
        assert_eq!((zone.asked("example.", RecordKind::Mx), zone.questions()), (1, 1 + 2 * 5));
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
        assert_eq!(zone.addresses("www.example").await, Ok(vec!["192.0.2.1".parse().unwrap()]));
        zone.remove("mx.example").mend("mx.example", RecordKind::Aaaa);
        assert_eq!(zone.addresses("www.example").await, Err(DnsFault::NotFound));
    }
}
