//! Session, message, recipient, reply and outbound dialogue of a world, with the methods that the bindings have.

use super::edit::Edit;
use super::state::{Addressee, State};
use crate::wit::types::{self, Attachment, Field, Origin, Part, Reply, Standing};
use crate::{Fate, Leg};
use std::rc::Rc;
use std::time::Duration;

pub(crate) use super::here::Here;

fn property(state: &State, name: &str) -> Option<String> {
    state.properties.get(name).map(ToString::to_string)
}

fn own(text: Option<&str>) -> Option<String> {
    text.map(ToOwned::to_owned)
}

/// The session.
pub(crate) struct Session(pub(super) Rc<State>);

impl Session {
    pub(crate) fn id(&self) -> Option<String> {
        Some("SESSION".into())
    }

    pub(crate) fn origin(&self) -> Origin {
        self.0.origin.clone()
    }

    pub(crate) fn property(&self, name: &str) -> Option<String> {
        property(&self.0, name)
    }

    pub(crate) fn set_property(&self, key: &str, json: &str) -> Result<(), String> {
        self.0.note_property("session", key, json)
    }

    pub(crate) fn delay(&self, milliseconds: u32) {
        self.0.note(Edit::Delay(Duration::from_millis(milliseconds.into())));
    }

    pub(crate) fn limit_message_size(&self, octets: u64) {
        self.0.note(Edit::MessageSize(octets));
    }

    pub(crate) fn limit_recipients(&self, count: u32) {
        self.0.note(Edit::Recipients(count));
    }

    pub(crate) fn set_greeting(&self, text: &str) {
        self.0.note(Edit::Greeting(text.into()));
    }

    pub(crate) fn add_keyword(&self, keyword: &str) {
        self.0.note(Edit::AddKeyword(keyword.into()));
    }

    pub(crate) fn remove_keyword(&self, keyword: &str) {
        self.0.note(Edit::RemoveKeyword(keyword.into()));
    }
}

/// A recipient.
pub struct Recipient {
    state: Rc<State>,
    who: Addressee,
    /// Its place in the envelope; none for the one at hand.
    place: Option<usize>,
}

impl Recipient {
    /// The one at hand.
    pub(super) fn last(state: &Rc<State>) -> Option<Self> {
        Some(Self { state: state.clone(), who: state.recipients.last()?.clone(), place: None })
    }

    fn fate(&self, fate: Fate) {
        self.state.note(Edit::Fate(self.who.address.clone(), fate));
    }

    pub(crate) fn address(&self) -> String {
        self.who.address.clone()
    }

    pub(crate) fn original(&self) -> Option<String> {
        self.who.original.clone()
    }

    pub(crate) fn standing(&self) -> Standing {
        self.who.standing
    }

    pub(crate) fn place(&self) -> Option<u32> {
        self.place.and_then(|place| u32::try_from(place).ok())
    }

    pub(crate) fn matched(&self) -> bool {
        self.who.matched
    }

    pub(crate) fn parameter(&self, keyword: &str) -> Option<String> {
        self.state.rcpt_parameters.get(&keyword.to_ascii_uppercase()).cloned()
    }

    pub(crate) fn property(&self, name: &str) -> Option<String> {
        property(&self.state, name)
    }

    pub(crate) fn set_property(&self, key: &str, json: &str) -> Result<(), String> {
        self.state.note_property(&self.who.address, key, json)
    }

    pub(crate) fn rewrite(&self, address: &str) -> Result<(), String> {
        self.state.note_address(address, Edit::Rewrite(address.into()))
    }

    pub(crate) fn vouch(&self) {
        self.state.note(Edit::Vouch);
    }

    pub(crate) fn remove(&self) {
        self.state.note(Edit::RemoveRecipient(self.who.address.clone()));
    }

    pub(crate) fn reject(&self, reply: Option<&Reply>) {
        self.fate(Fate::Rejected(reply.cloned().map(Into::into)));
    }

    pub(crate) fn defer(&self, reply: Option<&Reply>) {
        self.fate(Fate::Deferred(reply.cloned().map(Into::into)));
    }

    pub(crate) fn discard(&self) {
        self.fate(Fate::Discarded);
    }

    pub(crate) fn hold(&self, reason: &str) {
        self.fate(Fate::Held(reason.into()));
    }
}

/// What our client is about to do.
pub struct Outbound(pub(super) Rc<State>);

impl Outbound {
    /// Notes an edit, if the text can be part of a line.
    fn say(&self, text: &str, edit: Edit) -> Result<(), String> {
        if text.is_empty() || text.contains(char::is_control) {
            return Err(format!("{text:?} can't be said"));
        }
        self.0.note(edit);
        Ok(())
    }

    pub(crate) fn leg(&self) -> types::Leg {
        let Leg { domain, host, attempt, reply, recipients } = self.0.leg();
        types::Leg { domain, host, attempt, reply: reply.map(Into::into), recipients }
    }

    pub(crate) fn verb(&self) -> Option<String> {
        self.0.outbound_verb.clone()
    }

    pub(crate) fn next_states(&self) -> Vec<types::NextState> {
        self.0.next_states.clone()
    }

    pub(crate) fn may_refuse(&self) -> bool {
        !self.0.next_states.is_empty()
    }

    pub(crate) fn connect_from(&self, address: &str) -> Result<(), String> {
        self.say(address, Edit::ConnectFrom(address.into()))
    }

    pub(crate) fn say_hello_as(&self, name: &str) -> Result<(), String> {
        self.say(name, Edit::HelloAs(name.into()))
    }

    pub(crate) fn set_tls_policy(&self, policy: types::TlsPolicy) {
        self.0.note(Edit::TlsPolicy(policy));
    }

    pub(crate) fn authenticate(&self, user: &str, secret: &str, mechanism: Option<&str>) {
        self.0.note(Edit::Authenticate(user.into(), secret.into(), own(mechanism)));
    }

    pub(crate) fn add_parameter(&self, text: &str) -> Result<(), String> {
        self.say(text, Edit::Parameter(text.into()))
    }

    pub(crate) fn insert_command(&self, line: &str) -> Result<(), String> {
        self.say(line, Edit::InsertCommand(line.into()))
    }

    pub(crate) fn replace_command(&self, line: &str) -> Result<(), String> {
        self.say(line, Edit::ReplaceCommand(line.into()))
    }
}

/// A reply about to be written.
pub struct Outgoing(pub(super) Rc<State>);

impl Outgoing {
    pub(crate) fn reply(&self) -> Reply {
        self.0.reply.clone().into()
    }

    pub(crate) fn set_text(&self, text: &str) {
        self.0.note(Edit::ReplyText(text.into()));
    }
}

/// A message, or a transaction on the way to one.
pub(crate) struct Message(pub(super) Rc<State>);

/// Reads.
impl Message {
    pub(crate) fn id(&self) -> String {
        "MESSAGE".into()
    }

    pub(crate) fn sender(&self) -> Option<String> {
        self.0.sender.clone().flatten()
    }

    pub(crate) fn recipients(&self) -> Vec<Recipient> {
        let one = |(place, who): (usize, &Addressee)| Recipient {
            state: self.0.clone(),
            who: who.clone(),
            place: Some(place),
        };
        self.0.recipients.iter().enumerate().map(one).collect()
    }

    pub(crate) fn size(&self) -> Option<u64> {
        self.0.content.as_ref().map(|mime| mime.size()).or(self.0.declared)
    }

    pub(crate) fn started(&self) -> u64 {
        self.0.now.get()
    }

    pub(crate) fn header(&self, name: &str) -> Option<String> {
        self.headers(name).into_iter().next()
    }

    pub(crate) fn headers(&self, name: &str) -> Vec<String> {
        self.0.content.as_ref().map(|mime| mime.headers(name)).unwrap_or_default()
    }

    pub(crate) fn fields(&self) -> Vec<Field> {
        self.0.content.as_ref().map(|mime| mime.fields()).unwrap_or_default()
    }

    pub(crate) fn raw_header(&self) -> Vec<u8> {
        self.0.content.as_ref().map(|mime| mime.raw_header().to_vec()).unwrap_or_default()
    }

    pub(crate) fn body_size(&self) -> u64 {
        self.0.content.as_ref().map_or(0, |mime| mime.body().len() as u64)
    }

    pub(crate) fn read_body(&self, offset: u64, length: u32) -> Vec<u8> {
        self.0.content.as_ref().map(|mime| range(mime.body(), offset, length)).unwrap_or_default()
    }

    pub(crate) fn text(&self) -> Result<Option<String>, String> {
        Ok(self.0.mime().map_err(|fault| fault.to_string())?.text())
    }

    pub(crate) fn html(&self) -> Result<Option<String>, String> {
        Ok(self.0.mime().map_err(|fault| fault.to_string())?.html())
    }

    pub(crate) fn parts(&self) -> Result<Vec<Part>, String> {
        Ok(self.0.mime().map_err(|fault| fault.to_string())?.parts())
    }

    pub(crate) fn read_part(&self, index: u32, offset: u64, length: u32) -> Result<Vec<u8>, String> {
        let mime = self.0.mime().map_err(|fault| fault.to_string())?;
        let part = mime.part(index).ok_or_else(|| format!("there is no part {index}"))?;
        Ok(range(&part, offset, length))
    }

    pub(crate) fn property(&self, name: &str) -> Option<String> {
        property(&self.0, name)
    }
}

/// Octets from `offset` on: `length` or 1 MiB of them at most.
fn range(octets: &[u8], offset: u64, length: u32) -> Vec<u8> {
    let rest = usize::try_from(offset).ok().and_then(|offset| octets.get(offset..)).unwrap_or_default();
    rest.iter().take((length as usize).min(1 << 20)).copied().collect()
}

/// Changes.
impl Message {
    pub(crate) fn set_property(&self, key: &str, json: &str) -> Result<(), String> {
        self.0.note_property("message", key, json)
    }

    pub(crate) fn set_sender(&self, address: Option<&str>) -> Result<(), String> {
        let edit = Edit::Sender(own(address));
        let Some(address) = address else {
            self.0.note(edit);
            return Ok(());
        };
        self.0.note_address(address, edit)
    }

    pub(crate) fn add_recipient(&self, address: &str) -> Result<(), String> {
        self.0.note_address(address, Edit::AddRecipient(address.into()))
    }

    pub(crate) fn parameter(&self, keyword: &str) -> Option<String> {
        self.0.mail_parameters.get(&keyword.to_ascii_uppercase()).cloned()
    }

    pub(crate) fn split(&self, places: &[u32]) {
        let address = |place: &u32| self.0.recipients.get(*place as usize).map(|who| who.address.clone());
        self.0.note(Edit::Split(places.iter().filter_map(address).collect()));
    }

    pub(crate) fn prepend_header(&self, name: &str, value: &str) -> Result<(), String> {
        self.0.note_field(name, value, Edit::PrependHeader(name.into(), value.into()))
    }

    pub(crate) fn append_header(&self, name: &str, value: &str) -> Result<(), String> {
        self.0.note_field(name, value, Edit::AppendHeader(name.into(), value.into()))
    }

    pub(crate) fn set_header(&self, name: &str, value: &str) -> Result<(), String> {
        self.0.note_field(name, value, Edit::SetHeader(name.into(), value.into()))
    }

    pub(crate) fn remove_header(&self, name: &str) {
        self.0.note(Edit::RemoveHeader(name.into()));
    }

    pub(crate) fn replace_body(&self, octets: &[u8]) {
        self.0.note(Edit::Body(octets.to_vec()));
    }

    pub(crate) fn prepend_text(&self, text: &str, html: Option<&str>) {
        self.0.note(Edit::PrependText(text.into(), own(html)));
    }

    pub(crate) fn append_text(&self, text: &str, html: Option<&str>) {
        self.0.note(Edit::AppendText(text.into(), own(html)));
    }

    pub(crate) fn replace_text(&self, text: &str, html: Option<&str>) {
        self.0.note(Edit::ReplaceText(text.into(), own(html)));
    }

    pub(crate) fn replace_part(&self, index: u32, octets: &[u8]) {
        self.0.note(Edit::Part(index, octets.to_vec()));
    }

    pub(crate) fn add_attachment(&self, attachment: &Attachment) {
        self.0.note(Edit::AddAttachment(attachment.clone()));
    }

    pub(crate) fn replace_attachment(&self, index: u32, attachment: &Attachment) {
        self.0.note(Edit::Attachment(index, attachment.clone()));
    }

    pub(crate) fn remove_part(&self, index: u32) {
        self.0.note(Edit::RemovePart(index));
    }
}
