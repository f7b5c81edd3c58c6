//! Edits: the typed changes that a sink asks for.
//!
//! They are collected while the sink runs. Only when it has returned well does the dispatcher apply them, all or none.

use super::catalogue::EditKind;
use super::generated::NewMessage;
use super::plan::PlanEdit;
use crate::mail::mime::BodyEdit;
use crate::mail::{Fate, ForwardPath, ReversePath};
use bytes::Bytes;
use serde_json::Value;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest delay that a sink can ask for.
pub const DELAY_MAX: Duration = Duration::from_secs(60);
/// The most edits that one call can ask for.
pub const EDITS_MAX: usize = 10_000;

/// A change to the header.
#[derive(Clone, Debug, PartialEq)]
pub enum HeaderEdit {
    /// A field on top of the others.
    Prepend(String, String),
    /// A field below the others.
    Append(String, String),
    /// One field of that name, with this value.
    Set(String, String),
    /// No field of that name.
    Remove(String),
}

/// Who carries a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bearer {
    /// The session; gone when it ends.
    Session,
    /// The message; kept with it.
    Message,
    /// The recipient in focus, or the one with this index; kept with the message.
    Recipient(Option<usize>),
}

/// One change. Recipients are named by their index in the envelope as the sink saw it.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Wait this long before the reply, [`DELAY_MAX`] at most.
    Delay(Duration),
    /// For this session: octets per message.
    MessageSize(u64),
    /// For this session: recipients per message.
    Recipients(usize),
    /// The text of the greeting, without the host name that starts it.
    Greeting(String),
    /// Announce this keyword, with its arguments.
    AddKeyword(String),
    /// Don't announce this keyword.
    RemoveKeyword(String),
    /// Another reverse-path.
    Sender(ReversePath),
    /// Another forward-path for the recipient at hand. The first one stays known as its original.
    Rewrite(ForwardPath),
    /// One more recipient. It may be anywhere: a sink is trusted to relay what it adds.
    AddRecipient(ForwardPath),
    /// One recipient less, as if it had never been named.
    RemoveRecipient(usize),
    /// Accept the recipient at hand, which a guard would refuse.
    Vouch,
    /// Decide about one recipient.
    Fate(usize, Fate),
    /// These recipients become a message of their own, as the call found it; see [`super::split`].
    Split(Vec<usize>),
    /// Change the header.
    Header(HeaderEdit),
    /// Another body, octet for octet.
    Body(Bytes),
    /// A change to the body, by its MIME parts as the sink saw them.
    Mime(BodyEdit),
    /// Set a property in the sink's own namespace; null removes it.
    Property(Bearer, String, Value),
    /// Another text for the reply; the code stays.
    ReplyText(String),
    /// Another plan for what our client is about to do.
    Plan(PlanEdit),
    /// A new message, which enters when the transaction is accepted. Needs `allow.submit`; see [`super::generated`].
    Generate(Arc<NewMessage>),
}

impl Edit {
    /// Its kind in the catalogue.
    pub fn kind(&self) -> EditKind {
        match self {
            Self::Delay(_) => EditKind::Delay,
            Self::MessageSize(_) | Self::Recipients(_) => EditKind::Limits,
            Self::Greeting(_) => EditKind::Greeting,
            Self::AddKeyword(_) | Self::RemoveKeyword(_) => EditKind::Keywords,
            Self::Sender(_) => EditKind::Sender,
            Self::Rewrite(_) => EditKind::Rewrite,
            Self::AddRecipient(_) => EditKind::AddRecipient,
            Self::RemoveRecipient(_) => EditKind::RemoveRecipient,
            Self::Vouch => EditKind::Vouch,
            Self::Fate(..) => EditKind::Fate,
            Self::Split(_) => EditKind::Split,
            Self::Header(HeaderEdit::Prepend(..)) => EditKind::Prepend,
            Self::Header(_) => EditKind::Header,
            Self::Body(_) | Self::Mime(_) => EditKind::Body,
            Self::Property(..) => EditKind::Property,
            Self::ReplyText(_) => EditKind::ReplyText,
            Self::Plan(edit) => edit.kind(),
            Self::Generate(_) => EditKind::Generate,
        }
    }
}

/// As the ledger tells it.
impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Delay(time) => write!(f, "delay {} ms", time.as_millis()),
            Self::MessageSize(n) => write!(f, "limit message size to {n}"),
            Self::Recipients(n) => write!(f, "limit recipients to {n}"),
            Self::Greeting(_) => f.write_str("change the greeting"),
            Self::AddKeyword(k) => write!(f, "announce {k}"),
            Self::RemoveKeyword(k) => write!(f, "don't announce {k}"),
            Self::Sender(path) => write!(f, "sender {path}"),
            Self::Rewrite(path) => write!(f, "rewrite to {path}"),
            Self::AddRecipient(path) => write!(f, "add recipient {path}"),
            Self::RemoveRecipient(i) => write!(f, "remove recipient {i}"),
            Self::Vouch => f.write_str("vouch"),
            Self::Fate(i, fate) => write!(f, "recipient {i}: {}", fate_name(fate)),
            Self::Split(indices) => write!(f, "split off {}", indices_told(indices)),
            Self::Header(HeaderEdit::Prepend(name, _) | HeaderEdit::Append(name, _)) => write!(f, "add {name}"),
            Self::Header(HeaderEdit::Set(name, _)) => write!(f, "set {name}"),
            Self::Header(HeaderEdit::Remove(name)) => write!(f, "remove {name}"),
            Self::Body(bytes) => write!(f, "replace the body by {} octets", bytes.len()),
            Self::Mime(edit) => f.write_str(&mime_name(edit)),
            Self::Property(_, key, _) => write!(f, "property {key}"),
            Self::ReplyText(_) => f.write_str("change the reply's text"),
            Self::Plan(edit) => edit.fmt(f),
            Self::Generate(new) => match new.recipients.as_slice() {
                [] => f.write_str("a new message to nobody"),
                [only] => write!(f, "a new message to {only}"),
                [first, more @ ..] => write!(f, "a new message to {first} and {} more", more.len()),
            },
        }
    }
}

fn mime_name(edit: &BodyEdit) -> String {
    match edit {
        BodyEdit::PrependText { text, .. } => format!("put {} octets of text in front", text.len()),
        BodyEdit::AppendText { text, .. } => format!("put {} octets of text behind", text.len()),
        BodyEdit::ReplaceText { text, .. } => format!("replace the text by {} octets", text.len()),
        BodyEdit::ReplacePart(part, octets) => format!("replace part {part} by {} octets", octets.len()),
        BodyEdit::AddAttachment(file) => format!("add an attachment of {} octets", file.data.len()),
        BodyEdit::ReplaceAttachment(part, file) => format!("replace attachment {part} by {} octets", file.data.len()),
        BodyEdit::RemovePart(part) => format!("remove part {part}"),
    }
}

/// The first ones of what may be a long list.
fn indices_told(indices: &[usize]) -> String {
    let (first, more) = indices.split_at(indices.len().min(10));
    let first: Vec<String> = first.iter().map(usize::to_string).collect();
    match more.len() {
        0 => format!("recipients {}", first.join(", ")),
        more => format!("recipients {} and {more} more", first.join(", ")),
    }
}

fn fate_name(fate: &Fate) -> &'static str {
    match fate {
        Fate::Accepted => "accept",
        Fate::Rejected(_) => "reject",
        Fate::Deferred(_) => "defer",
        Fate::Discarded => "discard",
        Fate::Held(_) => "hold",
    }
}

/// The changes that one call asks for, in order. An empty list takes no memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edits(Vec<Edit>);

impl Edits {
    /// No changes.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Asks for a change.
    pub fn push(&mut self, edit: Edit) {
        self.0.push(edit);
    }

    /// Whether none was asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The changes in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Edit> {
        self.0.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl IntoIterator for Edits {
    type Item = Edit;
    type IntoIter = std::vec::IntoIter<Edit>;
    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
