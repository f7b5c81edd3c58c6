//! The properties of a message and its recipients as octets, to travel from one server to another.
//!
//! ```text
//! MAILSLUICE-PROPERTIES/1 LF
//! {"message":{"tagger":{"class":"invoice"}},"recipients":[{"path":"a@example.org","properties":{"tagger":{"vip":true}}}]}
//! ```
//!
//! A line with name and version, ended by LF alone; then JSON in UTF-8. `message` and each `properties` hold, by sink and key, what
//! [`Properties`] do; both may be left out. `path` is a forward-path as in RCPT, without its brackets. Unknown members are passed over, so
//! that a later version can add some; what a reader of this version must understand gets another number.
//!
//! Whatever does not begin with the name is a stranger's, and says nothing to us. What begins with it and can't be read is an error.

use super::property::Properties;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What a blob of this version begins with.
const HEAD: &str = "MAILSLUICE-PROPERTIES/";
/// The version that is written and read.
const VERSION: &str = "1";
/// Recipients that one blob may name.
const RECIPIENTS_MAX: usize = 10_000;
/// The longest name of a sink.
const OWNER_MAX: usize = 64;

/// The properties of one message.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PropertyBlob {
    /// Of the message.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub message: Properties,
    /// Of its recipients.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub recipients: Vec<RecipientProperties>,
}

/// The properties of one recipient.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecipientProperties {
    /// The forward-path, without its brackets.
    pub path: String,
    /// The properties.
    #[serde(default, skip_serializing_if = "Properties::is_empty")]
    pub properties: Properties,
}

/// Why octets are no blob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlobError {
    /// They are somebody else's.
    Foreign,
    /// They are of a version that is not known.
    Version(String),
    /// They are broken.
    Malformed(String),
}

impl fmt::Display for BlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign => f.write_str("the properties are in a stranger's format"),
            Self::Version(version) => write!(f, "the properties are of version `{version}`, which is not known here"),
            Self::Malformed(why) => write!(f, "the properties can't be read: {why}"),
        }
    }
}

impl std::error::Error for BlobError {}

impl PropertyBlob {
    /// Whether there is nothing to tell.
    pub fn is_empty(&self) -> bool {
        self.message.is_empty() && self.recipients.iter().all(|recipient| recipient.properties.is_empty())
    }

    /// As octets.
    pub fn write(&self) -> Vec<u8> {
        let mut octets = format!("{HEAD}{VERSION}\n").into_bytes();
        // Maps with text for keys, and JSON values: nothing that could not be written.
        if let Err(error) = serde_json::to_writer(&mut octets, self) {
            debug_assert!(false, "{error}");
        }
        octets
    }

    /// Reads octets, whose number is bounded by whoever has taken them.
    pub fn parse(octets: &[u8]) -> Result<Self, BlobError> {
        let rest = octets.strip_prefix(HEAD.as_bytes()).ok_or(BlobError::Foreign)?;
        let line = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
        let (version, json) = rest.split_at(line);
        if version != VERSION.as_bytes() {
            let shown: String = version.iter().take(20).flat_map(|b| b.escape_ascii()).map(char::from).collect();
            return Err(BlobError::Version(shown));
        }
        if json.trim_ascii_start().first() != Some(&b'{') {
            return Err(BlobError::Malformed("there is no object".to_owned()));
        }
        let blob: Self = serde_json::from_slice(json).map_err(|error| BlobError::Malformed(error.to_string()))?;
        blob.check()?;
        Ok(blob)
    }

    fn check(&self) -> Result<(), BlobError> {
        if self.recipients.len() > RECIPIENTS_MAX {
            return Err(BlobError::Malformed(format!("over {RECIPIENTS_MAX} recipients")));
        }
        let all = std::iter::once(&self.message).chain(self.recipients.iter().map(|recipient| &recipient.properties));
        match all.flat_map(Properties::iter).find(|(owner, ..)| !is_owner(owner)) {
            Some((owner, ..)) => Err(BlobError::Malformed(format!("`{}` is no name of a sink", owner.escape_debug()))),
            None => Ok(()),
        }
    }
}

/// Whether a sink can have this name.
pub fn is_owner(name: &str) -> bool {
    let inner = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
    !name.is_empty() && name.len() <= OWNER_MAX && !name.starts_with(['_', '-']) && name.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn blob() -> PropertyBlob {
        let mut blob = PropertyBlob::default();
        blob.message.set("tagger", "class", json!("invoice"));
        let mut properties = Properties::default();
        properties.set("tagger", "vip", json!(true));
        blob.recipients.push(RecipientProperties { path: "a@example.org".into(), properties });
        blob
    }

    #[test]
    fn what_is_written_is_read() {
        let octets = blob().write();
        assert!(octets.starts_with(b"MAILSLUICE-PROPERTIES/1\n{\"message\":{\"tagger\":{\"class\":\"invoice\"}},"));
        assert_eq!(PropertyBlob::parse(&octets), Ok(blob()));
        assert!(PropertyBlob::default().is_empty() && !blob().is_empty());
        let later = b"MAILSLUICE-PROPERTIES/1\n{\"more\":[1],\"recipients\":[{\"path\":\"x\",\"new\":0}]}";
        assert!(PropertyBlob::parse(later).unwrap().is_empty());
    }

    #[test]
    fn strangers_other_versions_and_rubbish() {
        assert_eq!(PropertyBlob::parse(b"\x01\x00\x02exchange"), Err(BlobError::Foreign));
        assert_eq!(PropertyBlob::parse(b""), Err(BlobError::Foreign));
        let version = PropertyBlob::parse(b"MAILSLUICE-PROPERTIES/2\xff\n{}");
        assert_eq!(version, Err(BlobError::Version("2\\xff".into())));
        for rubbish in
            ["", "[]", "{\"message\":{\"A B\":{\"x\":1}}}", "{\"message\":{\"a\":1}}", "{\"recipients\":[{}]}", "{} x"]
        {
            let octets = format!("MAILSLUICE-PROPERTIES/1\n{rubbish}");
            assert!(matches!(PropertyBlob::parse(octets.as_bytes()), Err(BlobError::Malformed(_))), "{rubbish}");
        }
        let deep = format!("MAILSLUICE-PROPERTIES/1\n{{\"message\":{{\"a\":{{\"x\":{}}}}}}}", "[".repeat(10_000));
        assert!(matches!(PropertyBlob::parse(deep.as_bytes()), Err(BlobError::Malformed(_))));
    }

    proptest! {
        #[test]
        fn any_octets_are_a_blob_or_an_error(octets: Vec<u8>, json in "[\\[\\]{}\":,a-z0-9]{0,60}") {
            let _ = PropertyBlob::parse(&octets);
            let _ = PropertyBlob::parse(format!("MAILSLUICE-PROPERTIES/1\n{json}").as_bytes());
        }
    }
}
