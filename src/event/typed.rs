//! Sinks by event type: what is illegal at an event does not compile.
//!
//! ```
//! use mailsluice::event::{Fault, Heard, On, Ruling, on};
//! use mailsluice::hears;
//!
//! struct Polite;
//! impl On<on::InRcpt> for Polite {
//!     fn on(&self, heard: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
//!         match heard.recipient() {
//!             Some(r) if r.path.as_str().starts_with("rude") => Ok(Ruling::reject(5, 1, 1, "We don't talk like that")),
//!             _ => Ok(Ruling::next()),
//!         }
//!     }
//! }
//! hears!(Polite { InRcpt: now });
//! ```
//!
//! A header can't be edited before there is one:
//!
//! ```compile_fail
//! use mailsluice::event::{Heard, on};
//! fn edit(heard: &mut Heard<'_, on::InMail>) {
//!     heard.set_header("Subject", "x");
//! }
//! ```

use super::catalogue::{EventType, can, may};
use super::edit::{Bearer, Edit, Edits, HeaderEdit};
use super::fault::Fault;
use super::generated::NewMessage;
use super::plan::PlanEdit;
use super::scene::Scene;
use super::sink::Hearing;
use super::verdict::Verdict;
use crate::mail::{Domain, EnhancedCode, Fate, ForwardPath, Reply, ReversePath};
use crate::smtp::client::{Credentials, TlsPolicy};
use async_trait::async_trait;
use bytes::Bytes;
use serde_json::Value;
use std::marker::PhantomData;
use std::net::IpAddr;
use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

/// A verdict that is legal at `E`.
#[derive(Debug)]
pub struct Ruling<E: EventType>(Verdict, PhantomData<E>);

impl<E: EventType> From<Ruling<E>> for Verdict {
    fn from(ruling: Ruling<E>) -> Self {
        ruling.0
    }
}

impl<E: EventType> Ruling<E> {
    const fn of(verdict: Verdict) -> Self {
        Self(verdict, PhantomData)
    }

    /// No objection.
    pub const fn next() -> Self {
        Self::of(Verdict::Next)
    }

    /// No objection, and no later sink need look.
    pub const fn skip_rest() -> Self {
        Self::of(Verdict::SkipRest)
    }

    /// Handled here.
    pub fn answer(value: impl Into<E::Value>) -> Self
    where
        E: may::Answer,
    {
        Self::of(Verdict::Answer(value.into().into()))
    }

    /// 550 with this status and text.
    pub fn reject(class: u8, subject: u16, detail: u16, text: &str) -> Self
    where
        E: may::Reject,
    {
        Self::reject_with(Reply::foreign(550, Some(EnhancedCode(class, subject, detail)), text))
    }

    /// This 5xx. A reply of another class keeps its text and gets the event's own code.
    pub fn reject_with(reply: Reply) -> Self
    where
        E: may::Reject,
    {
        Self::of(Verdict::Reject(Some(reply)))
    }

    /// 451 with this text; after acceptance, another try after the usual time.
    pub fn defer(text: &str) -> Self
    where
        E: may::Defer,
    {
        Self::of(Verdict::Defer(Some(Reply::foreign(451, Some(EnhancedCode(4, 7, 1)), text)), None))
    }

    /// This 4xx, and after acceptance another try after this time.
    pub fn defer_with(reply: Reply, after: Option<Duration>) -> Self
    where
        E: may::Defer,
    {
        Self::of(Verdict::Defer(Some(reply), after))
    }

    /// Say this and close.
    pub fn disconnect(reply: Reply) -> Self
    where
        E: may::Disconnect,
    {
        Self::of(Verdict::Disconnect(Some(reply)))
    }

    /// Accept and drop.
    pub fn discard() -> Self
    where
        E: may::Discard,
    {
        Self::of(Verdict::Discard)
    }

    /// Accept and park, for this reason.
    pub fn hold(reason: impl Into<String>) -> Self
    where
        E: may::Hold,
    {
        Self::of(Verdict::Hold(reason.into()))
    }
}

/// An event as a typed sink hears it: the [`Scene`], and the edits that are legal at `E`.
#[derive(Debug)]
pub struct Heard<'a, E: EventType> {
    scene: Scene<'a>,
    edits: &'a mut Edits,
    event: PhantomData<E>,
}

impl<'a, E: EventType> Deref for Heard<'a, E> {
    type Target = Scene<'a>;
    fn deref(&self) -> &Scene<'a> {
        &self.scene
    }
}

macro_rules! edits {
    ($($(#[$doc:meta])+ $name:ident: $kind:ident ($($arg:ident: $type:ty),*) => $edit:expr;)+) => {
        impl<E: EventType> Heard<'_, E> {
            $($(#[$doc])+
            pub fn $name(&mut self $(, $arg: $type)*) where E: can::$kind {
                self.edits.push($edit);
            })+
        }
    };
}

edits! {
    /// Waits this long before the reply.
    delay: Delay (time: Duration) => Edit::Delay(time);
    /// Limits this session's messages to so many octets.
    limit_message_size: Limits (octets: u64) => Edit::MessageSize(octets);
    /// Limits this session's messages to so many recipients.
    limit_recipients: Limits (count: usize) => Edit::Recipients(count);
    /// Greets with this text.
    greet: Greeting (text: &str) => Edit::Greeting(text.to_owned());
    /// Announces an EHLO keyword.
    add_keyword: Keywords (keyword: &str) => Edit::AddKeyword(keyword.to_owned());
    /// Leaves an EHLO keyword out.
    remove_keyword: Keywords (keyword: &str) => Edit::RemoveKeyword(keyword.to_owned());
    /// Rewrites the reverse-path.
    set_sender: Sender (path: ReversePath) => Edit::Sender(path);
    /// Rewrites the forward-path at hand.
    rewrite: Rewrite (path: ForwardPath) => Edit::Rewrite(path);
    /// Adds a recipient.
    add_recipient: AddRecipient (path: ForwardPath) => Edit::AddRecipient(path);
    /// Removes the recipient with this index.
    remove_recipient: RemoveRecipient (index: usize) => Edit::RemoveRecipient(index);
    /// Accepts a recipient that a guard would refuse.
    vouch: Vouch () => Edit::Vouch;
    /// Decides about the recipient with this index.
    set_fate: Fate (index: usize, fate: Fate) => Edit::Fate(index, fate);
    /// Makes these recipients a message of their own, as this call has found it: see [`split`](super::split).
    split: Split (recipients: Vec<usize>) => Edit::Split(recipients);
    /// Adds a field on top of the header.
    prepend_header: Prepend (name: &str, value: &str) => Edit::Header(HeaderEdit::Prepend(name.to_owned(), value.to_owned()));
    /// Adds a field below the header.
    append_header: Header (name: &str, value: &str) => Edit::Header(HeaderEdit::Append(name.to_owned(), value.to_owned()));
    /// Sets the one field of that name.
    set_header: Header (name: &str, value: &str) => Edit::Header(HeaderEdit::Set(name.to_owned(), value.to_owned()));
    /// Removes all fields of that name.
    remove_header: Header (name: &str) => Edit::Header(HeaderEdit::Remove(name.to_owned()));
    /// Replaces the body, octet for octet.
    replace_body: Body (octets: Bytes) => Edit::Body(octets);
    /// Sets a property in the sink's own namespace.
    set_property: Property (bearer: Bearer, key: &str, value: Value) => Edit::Property(bearer, key.to_owned(), value);
    /// Changes the text of the reply.
    set_reply_text: ReplyText (text: &str) => Edit::ReplyText(text.to_owned());
    /// Connects from this address of ours.
    connect_from: SourceAddress (address: IpAddr) => Edit::Plan(PlanEdit::Source(address));
    /// Says hello by this name.
    say_hello_as: HeloName (name: Domain) => Edit::Plan(PlanEdit::Helo(name));
    /// Sets how secure the connection has to be.
    set_tls_policy: TlsPolicy (policy: TlsPolicy) => Edit::Plan(PlanEdit::Tls(policy));
    /// Authenticates by these credentials.
    authenticate: Credentials (credentials: Credentials) => Edit::Plan(PlanEdit::Credentials(Arc::new(credentials)));
    /// Adds a parameter to the command, `KEYWORD` or `KEYWORD=value`.
    add_parameter: Parameter (text: &str) => Edit::Plan(PlanEdit::Parameter(text.to_owned()));
    /// Sends a command before this one. Its reply is heard at `out.reply`.
    insert_command: Command (text: &str) => Edit::Plan(PlanEdit::Insert(text.to_owned()));
    /// Sends a command before this one, and these octets behind it if the server says 354. Both replies are heard at `out.reply`.
    insert_command_with: Command (text: &str, octets: Bytes) => Edit::Plan(PlanEdit::InsertWith(text.to_owned(), octets));
    /// Sends another command in the place of this one. DATA and BDAT can't be replaced.
    replace_command: Command (text: &str) => Edit::Plan(PlanEdit::Replace(text.to_owned()));
    /// Makes a message, which enters when the transaction is accepted. Needs `allow.submit`.
    generate: Generate (message: NewMessage) => Edit::Generate(Arc::new(message));
}

impl<'a, E: EventType> Heard<'a, E> {
    /// For [`hears!`](crate::hears).
    #[doc(hidden)]
    pub fn new(scene: Scene<'a>, edits: &'a mut Edits) -> Self {
        Self { scene, edits, event: PhantomData }
    }
}

/// A sink that answers `E` at once.
pub trait On<E: EventType>: Send + Sync {
    /// Hears the event.
    fn on(&self, heard: &mut Heard<'_, E>) -> Result<Ruling<E>, Fault>;
}

/// A sink that awaits something before it answers `E`.
#[async_trait]
pub trait OnLater<E: EventType>: Send + Sync {
    /// Hears the event.
    async fn on_later(&self, heard: &mut Heard<'_, E>) -> Result<Ruling<E>, Fault>;
}

/// What a blocking call brings back.
pub type BlockingCall<E> = Box<dyn FnOnce() -> Result<(Ruling<E>, Edits), Fault> + Send>;

/// A sink that blocks before it answers `E`.
pub trait OnBlocking<E: EventType>: Send + Sync {
    /// Takes what it needs out of the event, and returns the work for the pool.
    fn on_blocking(&self, heard: &Heard<'_, E>) -> BlockingCall<E>;
}

/// The bridges from the typed traits to [`Sink::hear`](super::Sink::hear), for [`hears!`](crate::hears).
#[doc(hidden)]
pub mod bridge {
    use super::*;

    pub fn now<'a, E: EventType>(sink: &'a impl On<E>, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        Hearing::Now(sink.on(&mut Heard::new(scene, edits)).map(Verdict::from))
    }

    pub fn later<'a, E: EventType>(sink: &'a impl OnLater<E>, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        Hearing::Later(Box::pin(async move { sink.on_later(&mut Heard::new(scene, edits)).await.map(Verdict::from) }))
    }

    pub fn blocking<'a, E: EventType>(
        sink: &'a impl OnBlocking<E>,
        scene: Scene<'a>,
        edits: &'a mut Edits,
    ) -> Hearing<'a> {
        let work = sink.on_blocking(&Heard::new(scene, edits));
        Hearing::Blocking(Box::new(move || work().map(|(ruling, edits)| (ruling.into(), edits))))
    }
}

/// Writes [`Sink`](crate::event::Sink) for a type that implements [`On`], [`OnLater`] or [`OnBlocking`] for each event it names:
/// `hears!(MySink { InRcpt: now, TransportSubmit: later })`. A type that claims verbs, parameters or keywords adds
/// `claims = |sink| …`, which returns [`Claims`](crate::event::Claims).
#[macro_export]
macro_rules! hears {
    ($sink:ty { $($event:ident: $form:ident),+ $(,)? }) => { $crate::hears!($sink { $($event: $form),+ } claims = |_| ::std::default::Default::default()); };
    ($sink:ty { $($event:ident: $form:ident),+ $(,)? } claims = $claims:expr) => {
        impl $crate::event::Sink for $sink {
            fn interest(&self) -> $crate::event::Interest {
                let claims: fn(&$sink) -> $crate::event::Claims = $claims;
                let events = vec![$($crate::event::Event::$event),+];
                $crate::event::Interest { events, claims: claims(self), ..::std::default::Default::default() }
            }
            fn hear<'a>(&'a self, scene: $crate::event::Scene<'a>, edits: &'a mut $crate::event::Edits) -> $crate::event::Hearing<'a> {
                match scene.event {
                    $($crate::event::Event::$event => $crate::event::typed::bridge::$form::<$crate::event::on::$event>(self, scene, edits),)+
                    _ => $crate::event::Hearing::Now(Ok($crate::event::Verdict::Next)),
                }
            }
        }
    };
}
