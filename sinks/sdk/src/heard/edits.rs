//! The changes that a sink asks for. They are made when the call has returned well: all of them, or none.
//!
//! Names are those of native sinks. A method exists at the events whose row in the catalogue has its kind.

use super::{Heard, Recipient};
use crate::catalogue::{EventType, Focus as _, can, on};
use crate::seam::{Message, Outbound, Session};
use crate::wit::types::{Attachment, Part, TlsPolicy};
use crate::{Fault, Reply, submit};
use serde::Serialize;
use std::net::IpAddr;
use std::time::Duration;

/// Who carries a property.
pub enum Bearer<'a> {
    /// The session; gone when it ends.
    Session,
    /// The message; kept with it.
    Message,
    /// This recipient; kept with the message.
    Recipient(&'a Recipient<'a>),
}

/// What becomes of one recipient. Without a reply: the event's own.
#[derive(Clone, Debug, PartialEq)]
pub enum Fate {
    /// Refused for good.
    Rejected(Option<Reply>),
    /// Refused for now.
    Deferred(Option<Reply>),
    /// Accepted and dropped.
    Discarded,
    /// Parked, for this reason.
    Held(String),
}

type Done = Result<(), Fault>;

macro_rules! edits {
    (@body $self:ident message $call:expr) => { if let Some(m) = $self.message { $call(m) } };
    (@body $self:ident session $call:expr) => { if let Some(s) = $self.session { $call(s) } };
    (@body $self:ident try $call:expr) => { $self.message.map_or(Ok(()), $call).map_err(Fault::error) };
    (@body $self:ident outbound $call:expr) => { $self.focus.outbound().map_or(Ok(()), $call).map_err(Fault::error) };
    ($($(#[$doc:meta])+ $name:ident: $kind:ident ($($arg:ident: $type:ty),*) $(-> $result:ty)? = $on:tt $call:expr;)+) => {
        impl<E: EventType> Heard<'_, E> {
            $($(#[$doc])+
            pub fn $name(&mut self $(, $arg: $type)*) $(-> $result)? where E: can::$kind {
                edits!(@body self $on $call)
            })+
        }
    };
}

edits! {
    /// Waits this long before the reply, a minute at most.
    delay: Delay (time: Duration) = session |s: &Session| s.delay(u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
    /// Limits this session's messages to so many octets.
    limit_message_size: Limits (octets: u64) = session |s: &Session| s.limit_message_size(octets);
    /// Limits this session's messages to so many recipients.
    limit_recipients: Limits (count: u32) = session |s: &Session| s.limit_recipients(count);
    /// Greets with this text.
    greet: Greeting (text: &str) = session |s: &Session| s.set_greeting(text);
    /// Announces an EHLO keyword, with its arguments.
    add_keyword: Keywords (keyword: &str) = session |s: &Session| s.add_keyword(keyword);
    /// Leaves an EHLO keyword out.
    remove_keyword: Keywords (keyword: &str) = session |s: &Session| s.remove_keyword(keyword);
    /// Rewrites the reverse-path; none is the null path.
    set_sender: Sender (address: Option<&str>) -> Done = try |m: &Message| m.set_sender(address);
    /// Adds a recipient, which may be anywhere.
    add_recipient: AddRecipient (address: &str) -> Done = try |m: &Message| m.add_recipient(address);
    /// Makes these recipients a message of their own, as this call has found it. The sink hears of it anew, alone with them; what else
    /// this call changes is for those who remain, of whom there must be some.
    split: Split (recipients: &[Recipient<'_>]) = message |m: &Message| m.split(&recipients.iter().filter_map(Recipient::place).collect::<Vec<_>>());
    /// Adds a field on top of the header.
    prepend_header: Prepend (name: &str, value: &str) -> Done = try |m: &Message| m.prepend_header(name, value);
    /// Adds a field below the header.
    append_header: Header (name: &str, value: &str) -> Done = try |m: &Message| m.append_header(name, value);
    /// Sets the one field of that name.
    set_header: Header (name: &str, value: &str) -> Done = try |m: &Message| m.set_header(name, value);
    /// Removes all fields of that name.
    remove_header: Header (name: &str) = message |m: &Message| m.remove_header(name);
    /// Replaces the body, octet for octet.
    replace_body: Body (octets: &[u8]) = message |m: &Message| m.replace_body(octets);
    /// Puts text in front of what a reader would show. Without HTML of its own, it is made from the text.
    prepend_text: Body (text: &str, html: Option<&str>) = message |m: &Message| m.prepend_text(text, html);
    /// Puts text behind what a reader would show.
    append_text: Body (text: &str, html: Option<&str>) = message |m: &Message| m.append_text(text, html);
    /// Puts text in the place of what a reader would show.
    replace_text: Body (text: &str, html: Option<&str>) = message |m: &Message| m.replace_text(text, html);
    /// Gives a part other octets; they are encoded as the part was.
    replace_part: Body (part: &Part, octets: &[u8]) = message |m: &Message| m.replace_part(part.index, octets);
    /// Adds a file.
    add_attachment: Body (file: &Attachment) = message |m: &Message| m.add_attachment(file);
    /// Puts another file in the place of a part.
    replace_attachment: Body (part: &Part, file: &Attachment) = message |m: &Message| m.replace_attachment(part.index, file);
    /// Takes a part away.
    remove_part: Body (part: &Part) = message |m: &Message| m.remove_part(part.index);
    /// Connects from this address of ours.
    connect_from: SourceAddress (address: IpAddr) -> Done = outbound |o: &Outbound| o.connect_from(&address.to_string());
    /// Says hello by this name.
    say_hello_as: HeloName (name: &str) -> Done = outbound |o: &Outbound| o.say_hello_as(name);
    /// Adds a parameter to the command, `KEYWORD` or `KEYWORD=value`; in place of the server's own with that keyword.
    add_parameter: Parameter (text: &str) -> Done = outbound |o: &Outbound| o.add_parameter(text);
    /// Sends a command before this one. Its reply is heard at `out.reply`.
    insert_command: Command (line: &str) -> Done = outbound |o: &Outbound| o.insert_command(line);
    /// Sends another command in the place of this one. DATA and BDAT can't be replaced.
    replace_command: Command (line: &str) -> Done = outbound |o: &Outbound| o.replace_command(line);
}

impl<E: EventType> Heard<'_, E> {
    /// Sets how secure the connection has to be.
    pub fn set_tls_policy(&mut self, policy: TlsPolicy)
    where
        E: can::TlsPolicy,
    {
        if let Some(outbound) = self.focus.outbound() {
            outbound.set_tls_policy(policy);
        }
    }

    /// Authenticates as this user, by this mechanism or the strongest that is offered.
    pub fn authenticate(&mut self, user: &str, secret: &str, mechanism: Option<&str>)
    where
        E: can::Credentials,
    {
        if let Some(outbound) = self.focus.outbound() {
            outbound.authenticate(user, secret, mechanism);
        }
    }

    /// Takes a recipient from the message, as if it had never been named.
    pub fn remove_recipient(&mut self, recipient: &Recipient<'_>)
    where
        E: can::RemoveRecipient,
    {
        recipient.handle().remove();
    }

    /// Decides about one recipient.
    pub fn set_fate(&mut self, recipient: &Recipient<'_>, fate: Fate)
    where
        E: can::Fate,
    {
        let recipient = recipient.handle();
        match fate {
            Fate::Rejected(reply) => recipient.reject(reply.map(Into::into).as_ref()),
            Fate::Deferred(reply) => recipient.defer(reply.map(Into::into).as_ref()),
            Fate::Discarded => recipient.discard(),
            Fate::Held(reason) => recipient.hold(&reason),
        }
    }

    /// Makes a message, which enters when the transaction is accepted. Needs `allow.submit`. `sender` none is the null path;
    /// `content` is header, blank line and body, lines ended by CRLF.
    pub fn generate(&mut self, sender: Option<&str>, recipients: &[&str], content: impl Into<Vec<u8>>) -> Done
    where
        E: can::Generate,
    {
        submit::submit(sender, recipients, content)
    }

    /// Sets a property in the sink's own namespace; what is null as JSON removes it.
    pub fn set_property(&mut self, bearer: Bearer<'_>, key: &str, value: impl Serialize) -> Done
    where
        E: can::Property,
    {
        let json = serde_json::to_string(&value)?;
        match bearer {
            Bearer::Session => self.session.map_or(Ok(()), |s| s.set_property(key, &json)),
            Bearer::Message => self.message.map_or(Ok(()), |m| m.set_property(key, &json)),
            Bearer::Recipient(recipient) => recipient.handle().set_property(key, &json),
        }
        .map_err(Fault::error)
    }
}

impl Heard<'_, on::InRcpt> {
    /// Rewrites the forward-path at hand.
    pub fn rewrite(&mut self, address: &str) -> Done {
        self.focus.rewrite(address).map_err(Fault::error)
    }

    /// Accepts a recipient that a guard would refuse.
    pub fn vouch(&mut self) {
        self.focus.vouch();
    }
}

impl Heard<'_, on::TransportCategorize> {
    /// Rewrites the forward-path at hand.
    pub fn rewrite(&mut self, address: &str) -> Done {
        self.focus.rewrite(address).map_err(Fault::error)
    }
}

impl Heard<'_, on::InReply> {
    /// Changes the text of the reply; its code stays.
    pub fn set_reply_text(&mut self, text: &str) {
        self.focus.set_text(text);
    }
}
