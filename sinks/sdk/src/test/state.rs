//! What a world holds: what the sink finds, and what it leaves behind.

use super::edit::Edit;
use super::mime::Mime;
use crate::wit::http::Response;
use crate::wit::types::{Command, Credentials, Excess, NextState, Origin, Proof, Question, RecordKind, Standing};
use crate::{Door, EnhancedCode, Fault, Glob, Leg, Reply};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Log {
    /// Its level.
    pub level: crate::log::Level,
    /// Its text.
    pub text: String,
}

/// A message that the sink made.
#[derive(Clone, Debug, PartialEq)]
pub struct Submitted {
    /// None for the null path.
    pub sender: Option<String>,
    /// Forward-paths.
    pub recipients: Vec<String>,
    /// Header, blank line and body.
    pub content: Vec<u8>,
}

/// A request that the sink sent over HTTP.
#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// Its method.
    pub method: String,
    /// Its URL.
    pub url: String,
    /// Its header fields.
    pub headers: Vec<(String, String)>,
    /// Octets of its body.
    pub octets: u64,
    /// How long the sink would wait.
    pub timeout: Option<Duration>,
}

/// One recipient of the message.
#[derive(Clone)]
pub(super) struct Addressee {
    pub(super) address: String,
    pub(super) original: Option<String>,
    pub(super) standing: Standing,
    pub(super) matched: bool,
}

pub(super) struct State {
    pub(super) origin: Origin,
    /// None before MAIL; in it, none for the null path.
    pub(super) sender: Option<Option<String>>,
    pub(super) recipients: Vec<Addressee>,
    pub(super) content: Option<Mime>,
    pub(super) declared: Option<u64>,
    pub(super) command: Command,
    pub(super) credentials: Credentials,
    pub(super) reply: Reply,
    pub(super) excess: Excess,
    /// Its recipients are the message's.
    pub(super) leg: Leg,
    /// The command that our client is about to send, and how the session may go on.
    pub(super) outbound_verb: Option<String>,
    pub(super) next_states: Vec<NextState>,
    pub(super) question: Question,
    pub(super) step: Value,
    pub(super) properties: HashMap<String, Value>,
    /// Of MAIL, and of each RCPT.
    pub(super) mail_parameters: HashMap<String, String>,
    pub(super) rcpt_parameters: HashMap<String, String>,
    pub(super) config: Value,
    pub(super) tables: HashMap<String, Vec<(Glob, String)>>,
    pub(super) dns: HashMap<(String, u8), Vec<String>>,
    pub(super) http: HashMap<String, Response>,
    /// How many messages wait for a domain.
    pub(super) queue: BTreeMap<String, u64>,
    pub(super) now: Cell<u64>,
    pub(super) random: Cell<u64>,
    pub(super) kv: RefCell<BTreeMap<String, Vec<u8>>>,
    pub(super) edits: RefCell<Vec<Edit>>,
    pub(super) logs: RefCell<Vec<Log>>,
    pub(super) submitted: RefCell<Vec<Submitted>>,
    pub(super) metrics: RefCell<BTreeMap<String, f64>>,
    /// The domains whose mail was to be tried at once.
    pub(super) started: RefCell<Vec<String>>,
    pub(super) requests: RefCell<Vec<Request>>,
}

impl State {
    /// A session over SMTP, and no message yet.
    pub(super) fn new() -> Self {
        Self {
            origin: Origin {
                door: Door::Smtp,
                listener: Some("127.0.0.1:2525".into()),
                role: Some("mx".into()),
                client: Some("192.0.2.1".into()),
                client_name: None,
                helo: Some("client.example.org".into()),
                user: None,
                tls: None,
            },
            sender: None,
            recipients: Vec::new(),
            content: None,
            declared: None,
            command: Command { verb: "EHLO".into(), argument: "client.example.org".into(), further: None },
            credentials: Credentials {
                mechanism: "PLAIN".into(),
                user: Some("ann".into()),
                authzid: None,
                proof: Proof::Password("secret".into()),
            },
            reply: Reply::new(250, EnhancedCode(2, 0, 0), "OK"),
            excess: Excess { size: 20 << 20, declared: true },
            leg: Leg { domain: "example.com".into(), attempt: 1, ..Leg::default() },
            outbound_verb: None,
            next_states: Vec::new(),
            question: Question { name: "example.com".into(), kind: RecordKind::Mx },
            step: Value::Object(serde_json::Map::new()),
            properties: HashMap::new(),
            mail_parameters: HashMap::new(),
            rcpt_parameters: HashMap::new(),
            config: Value::Object(serde_json::Map::new()),
            tables: HashMap::new(),
            dns: HashMap::new(),
            http: HashMap::new(),
            queue: BTreeMap::new(),
            now: Cell::new(1_700_000_000_000),
            random: Cell::new(1),
            kv: RefCell::default(),
            edits: RefCell::default(),
            logs: RefCell::default(),
            submitted: RefCell::default(),
            metrics: RefCell::default(),
            started: RefCell::default(),
            requests: RefCell::default(),
        }
    }

    pub(super) fn has_message(&self) -> bool {
        self.sender.is_some() || !self.recipients.is_empty() || self.content.is_some()
    }

    /// The leg, which all recipients are of.
    pub(super) fn leg(&self) -> Leg {
        let places = (0..self.recipients.len()).filter_map(|place| u32::try_from(place).ok());
        Leg { recipients: places.collect(), ..self.leg.clone() }
    }

    pub(super) fn note(&self, edit: Edit) {
        self.edits.borrow_mut().push(edit);
    }

    /// Notes an edit that names an address, if it looks like one.
    pub(super) fn note_address(&self, address: &str, edit: Edit) -> Result<(), String> {
        let is_path = address.split_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
        if !is_path && !address.eq_ignore_ascii_case("postmaster") {
            return Err(format!("`{address}` is no address: it should look like local@domain"));
        }
        self.note(edit);
        Ok(())
    }

    /// Notes an edit of a header field, if it may have this name and value.
    pub(super) fn note_field(&self, name: &str, value: &str, edit: Edit) -> Result<(), String> {
        if name.is_empty() || !name.bytes().all(|b| b.is_ascii_graphic() && b != b':') {
            return Err(format!("`{name}` is no name of a header field"));
        }
        if value.contains(['\r', '\n', '\0']) {
            return Err(format!("the value of {name} holds a line end or NUL"));
        }
        self.note(edit);
        Ok(())
    }

    /// Notes a property of the sink's own.
    pub(super) fn note_property(&self, bearer: &str, key: &str, json: &str) -> Result<(), String> {
        let value = serde_json::from_str(json).map_err(|error| error.to_string())?;
        self.note(Edit::Property(bearer.to_owned(), key.to_owned(), value));
        Ok(())
    }

    /// The content, or a fault as the server would give it.
    pub(super) fn mime(&self) -> Result<&Mime, Fault> {
        self.content.as_ref().ok_or_else(|| Fault::error("there is no message yet"))
    }
}
