//! What a sink asked for.

use crate::Fate;
use crate::wit::types::{Attachment, TlsPolicy};
use serde_json::Value;
use std::fmt;
use std::time::Duration;

/// One change that a sink asked for. Recipients are named by their address.
#[derive(Clone, Debug)]
pub enum Edit {
    /// Wait this long before the reply.
    Delay(Duration),
    /// For this session: octets per message.
    MessageSize(u64),
    /// For this session: recipients per message.
    Recipients(u32),
    /// The text of the greeting.
    Greeting(String),
    /// Announce this keyword.
    AddKeyword(String),
    /// Don't announce this keyword.
    RemoveKeyword(String),
    /// Another reverse-path; none is the null path.
    Sender(Option<String>),
    /// Another forward-path for the recipient at hand.
    Rewrite(String),
    /// One more recipient.
    AddRecipient(String),
    /// One recipient less.
    RemoveRecipient(String),
    /// These become a message of their own.
    Split(Vec<String>),
    /// Accept the recipient at hand, which a guard would refuse.
    Vouch,
    /// Decide about one recipient.
    Fate(String, Fate),
    /// A field on top of the header.
    PrependHeader(String, String),
    /// A field below the header.
    AppendHeader(String, String),
    /// One field of that name.
    SetHeader(String, String),
    /// No field of that name.
    RemoveHeader(String),
    /// Another body.
    Body(Vec<u8>),
    /// Text in front of what a reader would show, and HTML.
    PrependText(String, Option<String>),
    /// Text behind it, and HTML.
    AppendText(String, Option<String>),
    /// Text in its place, and HTML.
    ReplaceText(String, Option<String>),
    /// Other octets for the part with this index.
    Part(u32, Vec<u8>),
    /// One more file.
    AddAttachment(Attachment),
    /// Another file in the place of the part with this index.
    Attachment(u32, Attachment),
    /// No part with this index.
    RemovePart(u32),
    /// A property of the `session`, the `message`, or of a recipient.
    Property(String, String, Value),
    /// Another text for the reply.
    ReplyText(String),
    /// Connect from this address.
    ConnectFrom(String),
    /// Say hello by this name.
    HelloAs(String),
    /// How secure the connection has to be.
    TlsPolicy(TlsPolicy),
    /// Authenticate as this user, by this secret and mechanism.
    Authenticate(String, String, Option<String>),
    /// A parameter of the command.
    Parameter(String),
    /// A command before this one.
    InsertCommand(String),
    /// A command in the place of this one.
    ReplaceCommand(String),
}

/// As one line.
impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(time) => write!(f, "delay {} ms", time.as_millis()),
            Self::MessageSize(octets) => write!(f, "limit message size to {octets}"),
            Self::Recipients(count) => write!(f, "limit recipients to {count}"),
            Self::Greeting(text) => write!(f, "greet {text}"),
            Self::AddKeyword(keyword) => write!(f, "announce {keyword}"),
            Self::RemoveKeyword(keyword) => write!(f, "don't announce {keyword}"),
            Self::Sender(path) => write!(f, "sender {}", path.as_deref().unwrap_or("<>")),
            Self::Rewrite(path) => write!(f, "rewrite to {path}"),
            Self::AddRecipient(path) => write!(f, "add recipient {path}"),
            Self::RemoveRecipient(path) => write!(f, "remove recipient {path}"),
            Self::Split(paths) => write!(f, "split off {}", paths.join(", ")),
            Self::Vouch => f.write_str("vouch"),
            Self::Fate(path, Fate::Rejected(_)) => write!(f, "recipient {path}: reject"),
            Self::Fate(path, Fate::Deferred(_)) => write!(f, "recipient {path}: defer"),
            Self::Fate(path, Fate::Discarded) => write!(f, "recipient {path}: discard"),
            Self::Fate(path, Fate::Held(reason)) => write!(f, "recipient {path}: hold: {reason}"),
            Self::PrependHeader(name, value) => write!(f, "prepend {name}: {value}"),
            Self::AppendHeader(name, value) => write!(f, "append {name}: {value}"),
            Self::SetHeader(name, value) => write!(f, "set {name}: {value}"),
            Self::RemoveHeader(name) => write!(f, "remove {name}"),
            Self::Body(octets) => write!(f, "replace the body by {} octets", octets.len()),
            Self::PrependText(text, _) => write!(f, "prepend text: {}", text.trim_end()),
            Self::AppendText(text, _) => write!(f, "append text: {}", text.trim_end()),
            Self::ReplaceText(text, _) => write!(f, "replace text: {}", text.trim_end()),
            Self::Part(index, octets) => write!(f, "replace part {index} by {} octets", octets.len()),
            Self::AddAttachment(file) => write!(f, "add attachment {}", file.file_name),
            Self::Attachment(index, file) => write!(f, "replace part {index} by {}", file.file_name),
            Self::RemovePart(index) => write!(f, "remove part {index}"),
            Self::Property(bearer, key, value) => write!(f, "property {key} of {bearer}: {value}"),
            Self::ReplyText(text) => write!(f, "reply text {text}"),
            Self::ConnectFrom(address) => write!(f, "connect from {address}"),
            Self::HelloAs(name) => write!(f, "say hello as {name}"),
            Self::TlsPolicy(policy) => write!(f, "TLS policy {policy:?}"),
            Self::Authenticate(user, ..) => write!(f, "authenticate as {user}"),
            Self::Parameter(text) => write!(f, "parameter {text}"),
            Self::InsertCommand(line) => write!(f, "say first: {line}"),
            Self::ReplaceCommand(line) => write!(f, "say instead: {line}"),
        }
    }
}
