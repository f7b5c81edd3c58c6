//! What is known of the TLS that a message came over: stored with it, so that rules and sinks have it later.
//!
//! Facts, made by whoever did the handshake. Nothing here decides whom to trust.

use serde::{Deserialize, Deserializer, Serialize};
use std::sync::Arc;

/// A handshake, as it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TlsFacts {
    /// The version: `TLSv1.2` or `TLSv1.3`.
    pub version: String,
    /// The cipher suite, as IANA names it: `TLS_AES_256_GCM_SHA384`. Empty where it is not known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cipher: String,
    /// The name that the client asked for (RFC 6066 3), in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sni: Option<String>,
    /// The certificate that the client has shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peer: Option<PeerCertificate>,
}

/// A certificate whose key the client has proved to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerCertificate {
    /// The common name of the subject; empty if it has none.
    pub subject: String,
    /// The names in it: DNS names and e-mail addresses (RFC 5280 4.2.1.6), in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
    /// The SHA-256 of the certificate, in lower-case hexadecimal digits.
    pub fingerprint: String,
    /// Whether one of the authorities that are trusted for clients vouches for it. If not, names and subject are mere claims.
    pub verified: bool,
}

impl TlsFacts {
    /// The certificate, if an authority vouches for it.
    pub fn verified_peer(&self) -> Option<&PeerCertificate> {
        self.peer.as_ref().filter(|peer| peer.verified)
    }
}

impl PeerCertificate {
    /// Subject and names: everything that it says it is.
    pub fn identities(&self) -> impl Iterator<Item = &str> {
        let subject = Some(self.subject.as_str()).filter(|s| !s.is_empty());
        subject.into_iter().chain(self.names.iter().map(String::as_str))
    }
}

/// Reads the facts of a stored message. Earlier versions kept the TLS version alone.
pub(super) fn stored<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Arc<TlsFacts>>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Stored {
        Version(String),
        Facts(TlsFacts),
    }
    let facts = Option::<Stored>::deserialize(deserializer)?.map(|stored| match stored {
        Stored::Version(version) => TlsFacts { version, ..TlsFacts::default() },
        Stored::Facts(facts) => facts,
    });
    Ok(facts.map(Arc::new))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Door, Origin};

    #[test]
    fn what_was_stored_by_an_earlier_version_is_read() {
        let old: Origin = serde_json::from_str(r#"{"door":"smtp","tls":"TLSv1.3"}"#).unwrap();
        assert_eq!(old.tls.unwrap().version, "TLSv1.3");
        for none in [r#"{"door":"smtp"}"#, r#"{"door":"smtp","tls":null}"#] {
            assert_eq!(serde_json::from_str::<Origin>(none).unwrap().tls, None);
        }
    }

    #[test]
    fn what_is_stored_is_read_again() {
        let peer = PeerCertificate {
            subject: "client".to_owned(),
            names: vec!["client.example".to_owned()],
            fingerprint: "00".to_owned(),
            verified: true,
        };
        let facts = TlsFacts {
            version: "TLSv1.2".to_owned(),
            cipher: "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384".to_owned(),
            sni: Some("mx.example.com".to_owned()),
            peer: Some(peer),
        };
        let mut origin = Origin::door(Door::Smtp);
        origin.tls = Some(Arc::new(facts));
        let text = serde_json::to_string(&origin).unwrap();
        assert_eq!(serde_json::from_str::<Origin>(&text).unwrap(), origin);
        let identities: Vec<&str> = origin.tls.as_ref().unwrap().verified_peer().unwrap().identities().collect();
        assert_eq!(identities, ["client", "client.example"]);
    }
}
