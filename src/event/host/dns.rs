//! Questions that sinks ask the DNS.
//!
//! A sink that `allow.dns` grants it has a [`Dns`]; what stands behind it is the system's resolver, or a table in a test.
//! Answers are texts in presentation form (RFC 1035 5.1), so that a native sink, a component and a script see the same.
//!
//! Routing asks a [`Resolver`](super::Resolver): it wants addresses, not texts.

use async_trait::async_trait;
use std::fmt;
use std::sync::Arc;

/// The longest name, in octets, without a dot at its end (RFC 1035 2.3.4).
pub const NAME_MAX: usize = 253;

/// Looks names up.
#[async_trait]
pub trait Dns: Send + Sync {
    /// The records of that kind, in the order of the answer, aliases followed. Never empty: no record is
    /// [`DnsFault::NotFound`].
    ///
    /// The name counts as complete, with or without a dot at its end; one that is not ASCII is asked for in its ASCII form
    /// (RFC 5891). For [`RecordKind::Ptr`] an IP address may stand in place of the name that it is asked under.
    async fn lookup(&self, name: &str, kind: RecordKind) -> Result<Vec<String>, DnsFault>;
}

/// The kinds of records that a sink can ask for, with the form of their texts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RecordKind {
    /// `192.0.2.1`
    A,
    /// `2001:db8::1`
    Aaaa,
    /// `10 mx.example.`, the preference first. `0 .` is a null MX (RFC 7505).
    Mx,
    /// The text, its strings joined without anything between them (RFC 7208 3.3). What is not UTF-8 becomes U+FFFD.
    Txt,
    /// `host.example.`
    Ptr,
    /// `ns.example.`
    Ns,
    /// `0 5 5060 sip.example.`: priority, weight, port, target (RFC 2782).
    Srv,
    /// `host.example.`: the alias itself, not followed.
    Cname,
}

impl RecordKind {
    /// All of them.
    pub const ALL: [Self; 8] = [Self::A, Self::Aaaa, Self::Mx, Self::Txt, Self::Ptr, Self::Ns, Self::Srv, Self::Cname];

    /// As zone files name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
            Self::Mx => "MX",
            Self::Txt => "TXT",
            Self::Ptr => "PTR",
            Self::Ns => "NS",
            Self::Srv => "SRV",
            Self::Cname => "CNAME",
        }
    }

    /// The kind of that name, in any case.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for RecordKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why there are no records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DnsFault {
    /// The name does not exist, or has no record of that kind. That is an answer, and not a failure.
    NotFound,
    /// Nobody has answered, or nobody could. Another try may do better. The text is for the operator.
    Temporary(Arc<str>),
    /// The question can't be asked. The text says why.
    Invalid(Arc<str>),
}

impl fmt::Display for DnsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound => f.write_str("there is no such record"),
            Self::Temporary(why) => write!(f, "the DNS gave no answer: {why}"),
            Self::Invalid(why) => write!(f, "the DNS can't be asked that: {why}"),
        }
    }
}

impl std::error::Error for DnsFault {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_under_their_names_in_any_case() {
        for kind in RecordKind::ALL {
            assert_eq!(RecordKind::by_name(&kind.to_string().to_lowercase()), Some(kind));
        }
        assert_eq!(RecordKind::by_name("AXFR"), None);
    }
}
