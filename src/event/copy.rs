//! The one place where edits are applied: to copies, so that a call that asks for something impossible changes nothing.

use super::binding::Registered;
use super::edit::{Bearer, DELAY_MAX, Edit, Edits, HeaderEdit};
use super::fault::{Fault, FaultKind};
use super::generated::{self, Generated, NewMessage};
use super::plan::Plan;
use super::stage::Stage;
use super::transaction::{Candidate, Focus, Letter, SessionFacts};
use crate::mail::mime::{self, BodyEdit};
use crate::mail::property_blob::is_owner;
use crate::mail::{ForwardPath, Header, Message, Properties, Recipient, Standing};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// Changes of the header that one call can ask for.
const HEADER_EDITS_MAX: usize = 500;
/// The largest header that changes may lead to, in octets.
const HEADER_MAX: usize = 1 << 20;
/// EHLO keywords that sinks may add or leave out in one session.
const KEYWORDS_MAX: usize = 64;
/// Recipients that a message may come to have.
const RECIPIENTS_MAX: usize = 10_000;
/// How the names of the core's own properties begin for sinks, which ones there are, and the octets that a text may have.
const CORE: &str = "queue:";
const CORE_KEYS: [&str; 4] = ["tenant", "campaign", "source", "priority"];
const CORE_VALUE_MAX: usize = 255;
/// The largest body that is edited on the event loop.
const SMALL: u64 = 256 << 10;

/// The editable things, so that a call that asks for something impossible changes nothing: what is changed is copied first.
pub(super) struct Copy<'a> {
    sink: &'a Registered,
    /// Of the message, if a sink has made it.
    depth: u8,
    /// New messages of this call.
    asked: usize,
    session: Option<Arc<SessionFacts>>,
    letter: Option<Arc<Letter>>,
    candidate: Option<Candidate>,
    reply_text: Option<String>,
    plan: Option<Plan>,
    delay: Duration,
    /// Indices stay those that the sink saw until all edits are in.
    removed: Vec<usize>,
    /// Changes of the header so far.
    header_edits: usize,
    /// Others whose properties were set.
    shares: Vec<String>,
}

impl<'a> Copy<'a> {
    /// Of what is on the stage, for the edits of one call of this sink.
    pub(super) fn of(stage: &Stage<'_>, sink: &'a Registered) -> Self {
        Self {
            sink,
            depth: stage.origin.depth(),
            asked: 0,
            session: stage.session.as_ref().map(|s| s.facts.clone()),
            letter: stage.transaction.as_ref().map(|t| t.letter.clone()),
            candidate: if let Focus::Recipient(c) = &stage.focus { Some((*c).clone()) } else { None },
            reply_text: None,
            plan: if let Focus::Client { plan, .. } = &stage.focus { Some((*plan).clone()) } else { None },
            delay: stage.delay,
            removed: Vec::new(),
            header_edits: 0,
            shares: Vec::new(),
        }
    }

    /// Makes all edits of the call, or says why one can't be made.
    pub(super) fn make(&mut self, edits: Edits) -> Result<(), Fault> {
        let notes = edits.iter().any(|edit| matches!(edit, Edit::Property(..)));
        // Parts are named as the sink saw them, so they come before whatever else changes the message.
        let (parts, others): (Vec<Edit>, Vec<Edit>) = edits.into_iter().partition(|e| matches!(e, Edit::Mime(_)));
        self.edit_parts(parts)?;
        others.into_iter().try_for_each(|edit| self.apply(edit))?;
        if notes { self.check_share() } else { Ok(()) }
    }

    fn apply(&mut self, edit: Edit) -> Result<(), Fault> {
        match edit {
            Edit::Delay(time) => self.delay = self.delay.max(time.min(DELAY_MAX)),
            Edit::MessageSize(n) => self.session()?.message_size = Some(n),
            Edit::Recipients(n) => self.session()?.recipients = Some(n),
            Edit::Greeting(text) => self.session()?.greeting = Some(text),
            Edit::AddKeyword(keyword) => self.keyword(keyword, true)?,
            Edit::RemoveKeyword(keyword) => self.keyword(keyword, false)?,
            Edit::Sender(path) => self.letter()?.envelope.sender = path,
            Edit::Rewrite(path) => rewrite(&mut self.candidate()?.recipient, path),
            Edit::AddRecipient(path) => self.add(path)?,
            Edit::RemoveRecipient(index) => {
                self.recipient(index)?;
                self.removed.push(index);
            }
            Edit::Vouch => self.vouch()?,
            // At an event about one recipient there is no other.
            Edit::Fate(index, fate) => match &mut self.candidate {
                Some(candidate) => candidate.recipient.fate = fate,
                None => self.recipient(index)?.fate = fate,
            },
            // With what remains they leave; the parts are made of what was there before.
            Edit::Split(indices) => self.removed.extend(indices),
            Edit::Header(edit) => self.edit_header(edit)?,
            Edit::Body(octets) => {
                let message = self.message()?;
                message.body = octets.into();
                message.separated = true;
            }
            // They have been made already.
            Edit::Mime(_) => {}
            Edit::Property(bearer, key, value) => self.property(bearer, &key, value)?,
            Edit::ReplyText(text) => self.reply_text = Some(text),
            Edit::Plan(edit) => self.plan()?.apply(edit)?,
            Edit::Generate(message) => self.generate(message)?,
        }
        Ok(())
    }

    fn edit_parts(&mut self, parts: Vec<Edit>) -> Result<(), Fault> {
        let part = |edit| if let Edit::Mime(edit) = edit { Some(edit) } else { None };
        let edits: Vec<BodyEdit> = parts.into_iter().filter_map(part).collect();
        if !edits.is_empty() {
            let message = self.message()?;
            let edited = off_the_loop(message.body.len(), || mime::edit(message, &edits));
            *message = edited.map_err(|e| Fault::new(FaultKind::Illegal, e.to_string()))?;
        }
        Ok(())
    }

    /// Each change copies the header: neither may there be many, nor may it become large.
    fn edit_header(&mut self, edit: HeaderEdit) -> Result<(), Fault> {
        self.header_edits += 1;
        if self.header_edits > HEADER_EDITS_MAX {
            let text = format!("over {HEADER_EDITS_MAX} changes of the header in one call");
            return Err(Fault::new(FaultKind::Limit, text));
        }
        let header = self.header()?;
        let before = header.raw().len();
        change_header(header, edit)?;
        let after = header.raw().len();
        if after > HEADER_MAX && after > before {
            let text = format!("the header would have {after} octets, and {HEADER_MAX} are allowed");
            return Err(Fault::new(FaultKind::Limit, text));
        }
        Ok(())
    }

    /// Keywords are few: each has a line of the reply to EHLO.
    fn keyword(&mut self, keyword: String, adds: bool) -> Result<(), Fault> {
        let facts = self.session()?;
        let list = if adds { &mut facts.keywords } else { &mut facts.without };
        if list.len() >= KEYWORDS_MAX {
            return Err(Fault::new(FaultKind::Limit, format!("over {KEYWORDS_MAX} EHLO keywords")));
        }
        list.push(if adds { keyword } else { keyword.to_ascii_uppercase() });
        Ok(())
    }

    /// What was copied is as it is here from now on.
    pub(super) fn put_back(mut self, stage: &mut Stage<'_>) {
        self.removed.sort_unstable();
        self.removed.dedup();
        if let Some(letter) = self.letter.as_mut().filter(|_| !self.removed.is_empty()) {
            let letter = Arc::make_mut(letter);
            let mut index = 0..;
            letter
                .envelope
                .recipients
                .retain(|_| index.next().is_none_or(|index: usize| self.removed.binary_search(&index).is_err()));
        }
        if let (Some(session), Some(facts)) = (&mut stage.session, self.session) {
            session.facts = facts;
        }
        if let (Some(transaction), Some(letter)) = (&mut stage.transaction, self.letter) {
            transaction.letter = letter;
        }
        if let (Focus::Recipient(candidate), Some(copy)) = (&mut stage.focus, self.candidate) {
            **candidate = copy;
        }
        if let (Focus::Reply(reply), Some(text)) = (&mut stage.focus, self.reply_text) {
            **reply = reply.with_text(&text);
        }
        if let (Focus::Client { plan, .. }, Some(copy)) = (&mut stage.focus, self.plan) {
            **plan = copy;
        }
        stage.delay = self.delay;
    }

    fn session(&mut self) -> Result<&mut SessionFacts, Fault> {
        self.session.as_mut().map(Arc::make_mut).ok_or_else(|| absent("session"))
    }

    fn letter(&mut self) -> Result<&mut Letter, Fault> {
        self.letter.as_mut().map(Arc::make_mut).ok_or_else(|| absent("transaction"))
    }

    fn message(&mut self) -> Result<&mut Message, Fault> {
        self.letter()?.message.as_mut().ok_or_else(|| absent("message"))
    }

    fn header(&mut self) -> Result<&mut Header, Fault> {
        Ok(&mut self.message()?.header)
    }

    fn plan(&mut self) -> Result<&mut Plan, Fault> {
        self.plan.as_mut().ok_or_else(|| absent("connection"))
    }

    fn candidate(&mut self) -> Result<&mut Candidate, Fault> {
        self.candidate.as_mut().ok_or_else(|| absent("recipient at hand"))
    }

    fn recipient(&mut self, index: usize) -> Result<&mut Recipient, Fault> {
        let recipients = &mut self.letter()?.envelope.recipients;
        let count = recipients.len();
        recipients.get_mut(index).ok_or_else(|| {
            Fault::new(FaultKind::Illegal, format!("there is no recipient {index}; the envelope has {count}"))
        })
    }

    fn add(&mut self, path: ForwardPath) -> Result<(), Fault> {
        let there = match &self.candidate {
            Some(candidate) => candidate.added.len(),
            None => self.letter()?.envelope.recipients.len(),
        };
        if there >= RECIPIENTS_MAX {
            return Err(Fault::new(
                FaultKind::Limit,
                format!("the message would have over {RECIPIENTS_MAX} recipients"),
            ));
        }
        match &mut self.candidate {
            Some(candidate) => candidate.added.push(path),
            // What a sink adds needs no guard; where it goes is found out when it is categorized.
            None => self.letter()?.envelope.recipients.push(Recipient::new(path, Standing::Relay)),
        }
        Ok(())
    }

    fn vouch(&mut self) -> Result<(), Fault> {
        let may_relay = self.sink.may_relay;
        let candidate = self.candidate()?;
        if candidate.recipient.standing == Standing::Denied && !may_relay {
            return Err(Fault::new(
                FaultKind::Illegal,
                "to vouch for a recipient that may not be relayed to needs `allow.relay = true`",
            ));
        }
        candidate.vouched = true;
        Ok(())
    }

    fn generate(&mut self, message: Arc<NewMessage>) -> Result<(), Fault> {
        if !self.sink.may_submit {
            return Err(Fault::new(FaultKind::Illegal, "to make new messages needs `allow.submit = true`"));
        }
        self.asked += 1;
        let (depth, asked, by) = (self.depth, self.asked, self.sink.name.clone());
        generated::add(&mut self.letter()?.generated, Generated { by, message }, depth, asked)
    }

    fn property(&mut self, bearer: Bearer, key: &str, value: Value) -> Result<(), Fault> {
        let (owner, key) = match (key.strip_prefix(CORE), key.split_once(':')) {
            (Some(core), _) => ("queue", core_property(core, &value)?),
            (None, Some((owner, key))) if self.sink.may_import => (self.foreign(owner)?, key),
            (None, Some((owner, _))) if is_owner(owner) => {
                let text = format!("to set a property of `{owner}` needs `allow.properties = true`");
                return Err(Fault::new(FaultKind::Illegal, text));
            }
            (None, _) => (&*self.sink.name, key),
        };
        let owner = owner.to_owned();
        let properties: &mut Properties = match bearer {
            Bearer::Session => &mut self.session()?.properties,
            Bearer::Message => &mut self.letter()?.properties,
            Bearer::Recipient(None) => &mut self.candidate()?.recipient.properties,
            Bearer::Recipient(Some(index)) => &mut self.recipient(index)?.properties,
        };
        properties.set(&owner, key, value);
        Ok(())
    }

    /// Another sink's share, which is held to as if it had filled it itself.
    fn foreign<'o>(&mut self, owner: &'o str) -> Result<&'o str, Fault> {
        if !is_owner(owner) {
            let text = format!("`{}` is no name of a sink, which could have properties", owner.escape_debug());
            return Err(Fault::new(FaultKind::Illegal, text));
        }
        if !self.shares.iter().any(|share| share == owner) {
            self.shares.push(owner.to_owned());
        }
        Ok(owner)
    }

    /// The sink's share is of the session, and of the message and its recipients together. Looked at once for a call: how
    /// much it can carry until then is bounded by [`EDITS_MAX`] and by what it holds already.
    fn check_share(&self) -> Result<(), Fault> {
        self.shares.iter().map(String::as_str).chain([&*self.sink.name]).try_for_each(|sink| self.check_share_of(sink))
    }

    fn check_share_of(&self, sink: &str) -> Result<(), Fault> {
        let letter = self.letter.iter();
        let of_letter = letter
            .flat_map(|l| std::iter::once(&l.properties).chain(l.envelope.recipients.iter().map(|r| &r.properties)));
        let of_candidate = self.candidate.iter().map(|c| &c.recipient.properties);
        let of_session = self.session.iter().map(|facts| &facts.properties);
        Properties::check_share(sink, of_session)
            .and_then(|()| Properties::check_share(sink, of_letter.chain(of_candidate)))
            .map_err(|e| Fault::new(FaultKind::Limit, e.to_string()))
    }
}

/// A property of the core's own that a sink may set: it says whose a message is to the limits of `[[traffic]]`, and before whom it goes.
fn core_property<'k>(key: &'k str, value: &Value) -> Result<&'k str, Fault> {
    let right = match (key, value) {
        (_, Value::Null) => CORE_KEYS.contains(&key),
        ("priority", value) => value.as_i64().is_some_and(|n| (-9..=9).contains(&n)),
        (_, Value::String(text)) => CORE_KEYS.contains(&key) && text.len() <= CORE_VALUE_MAX,
        (_, Value::Number(_)) => CORE_KEYS.contains(&key),
        _ => false,
    };
    let text = || {
        format!(
            "`queue:{key}` is no property of the queue: set queue:tenant, queue:campaign or queue:source to a short text, or queue:priority to a number from -9 to 9"
        )
    };
    if right { Ok(key) } else { Err(Fault::new(FaultKind::Illegal, text())) }
}

/// Work on so many octets, which keeps nobody waiting but its own session.
fn off_the_loop<T>(octets: u64, work: impl FnOnce() -> T) -> T {
    use tokio::runtime::{Handle, RuntimeFlavor};
    let crowded = Handle::try_current().is_ok_and(|handle| handle.runtime_flavor() == RuntimeFlavor::MultiThread);
    if octets > SMALL && crowded { tokio::task::block_in_place(work) } else { work() }
}

fn rewrite(recipient: &mut Recipient, path: ForwardPath) {
    let before = std::mem::replace(&mut recipient.path, path);
    recipient.original.get_or_insert(before);
}

fn change_header(header: &mut Header, edit: HeaderEdit) -> Result<(), Fault> {
    match edit {
        HeaderEdit::Prepend(name, value) => header.prepend(&name, &value),
        HeaderEdit::Append(name, value) => header.append(&name, &value),
        HeaderEdit::Set(name, value) => header.set(&name, &value),
        HeaderEdit::Remove(name) => {
            header.remove(&name);
            Ok(())
        }
    }
    .map_err(|e| Fault::new(FaultKind::Illegal, e.to_string()))
}

fn absent(what: &str) -> Fault {
    Fault::new(FaultKind::Illegal, format!("there is no {what} to edit here"))
}
