//! The host's side of the WIT packages, as Rust types and traits. In a crate of its own because the macro is slow to compile.

#![allow(missing_docs, reason = "the WIT files say what each thing is")]

use wasmtime::component::{ComponentType, Lift, Lower};

/// A guest's handle of a session. There is one for each call: its number says nothing.
#[derive(Debug)]
pub struct Session;

/// A guest's handle of a message. There is one for each call: its number says nothing.
#[derive(Debug)]
pub struct Message;

/// A guest's handle of a recipient: the number is its index in the envelope, or [`AT_HAND`].
#[derive(Debug)]
pub struct Recipient;

/// A guest's handle of a reply about to be written.
#[derive(Debug)]
pub struct Outgoing;

/// A guest's handle of what our client is about to do.
#[derive(Debug)]
pub struct Outbound;

/// The number of the recipient of a RCPT, which is in no envelope yet.
pub const AT_HAND: u32 = u32::MAX;

/// What a manifest has granted, for the script host (`mailsluice:script/loader`).
#[derive(Clone, Copy, Debug, ComponentType, Lower)]
#[component(record)]
pub struct Grants {
    pub kv: bool,
    pub dns: bool,
    pub http: bool,
    pub submit: bool,
    pub metrics: bool,
    pub queue: bool,
}

/// Who may use a verb (`mailsluice:sink/claims`).
#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Conditions {
    pub tls: bool,
    pub users: Vec<String>,
    pub clients: Vec<String>,
}

/// A verb of a sink's own (`mailsluice:sink/claims`).
#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Verb {
    pub name: String,
    pub keyword: Option<String>,
    pub conditions: Conditions,
    pub early: bool,
    pub refusal: Option<mailsluice::sink::types::Reply>,
}

/// What a sink adds to the protocol (`mailsluice:sink/claims`).
#[derive(Clone, Debug, ComponentType, Lift)]
#[component(record)]
pub struct Claim {
    pub verbs: Vec<Verb>,
    #[component(name = "mail-params")]
    pub mail_params: Vec<String>,
    #[component(name = "rcpt-params")]
    pub rcpt_params: Vec<String>,
    #[component(name = "auth-mechanisms")]
    pub auth_mechanisms: Vec<String>,
    pub keywords: Vec<String>,
}

wasmtime::component::bindgen!({
    path: ["../1.0", "../script"],
    inline: "
        package mailsluice:host;
        world host {
            include mailsluice:sink/granted@1.0.0;
            import mailsluice:script/engine@1.0.0;
        }
    ",
    world: "mailsluice:host/host",
    imports: {
        "mailsluice:sink/dns@1.0.0.lookup": async | trappable,
        "mailsluice:sink/http@1.0.0.fetch": async | trappable,
        "mailsluice:sink/queue@1.0.0.start": async | trappable,
        "mailsluice:sink/types@1.0.0.[method]message.html": async | trappable,
        "mailsluice:sink/types@1.0.0.[method]message.parts": async | trappable,
        "mailsluice:sink/types@1.0.0.[method]message.read-part": async | trappable,
        "mailsluice:sink/types@1.0.0.[method]message.text": async | trappable,
        default: trappable,
    },
    with: {
        "mailsluice:sink/types@1.0.0.message": Message,
        "mailsluice:sink/types@1.0.0.outbound": Outbound,
        "mailsluice:sink/types@1.0.0.outgoing": Outgoing,
        "mailsluice:sink/types@1.0.0.recipient": Recipient,
        "mailsluice:sink/types@1.0.0.session": Session,
    },
});
