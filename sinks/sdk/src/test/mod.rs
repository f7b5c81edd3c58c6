//! A server in memory, for unit tests: no WebAssembly, no sockets, no files.
//!
//! A [`World`] is what the sink finds: session, message, configuration, tables, and the answers of DNS and HTTP. It raises an event
//! and tells what the sink said and asked for. What a sink asks for is noted, not done: reads go on showing the message as it
//! was, as on the server. Rules, grants, quotas and bounds are the server's, and are not played here.
//!
//! ```
//! use mailsluice_sink::{Fault, Heard, On, Ruling, hears, on, test::World};
//!
//! #[derive(Default)]
//! struct Mark;
//! impl On<on::TransportSubmit> for Mark {
//!     fn on(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
//!         heard.append_header("X-Parts", &heard.parts()?.len().to_string())?;
//!         Ok(Ruling::next())
//!     }
//! }
//! hears!(Mark { TransportSubmit });
//!
//! let world = World::new().sender("carol@example.org").recipient("alice@example.com").content("Subject: x\r\n\r\nHello\r\n");
//! let raised = world.raise::<on::TransportSubmit>(&Mark).unwrap();
//! assert_eq!(raised.edits[0].to_string(), "append X-Parts: 1");
//! ```

mod build;
mod edit;
pub(crate) mod handles;
mod here;
mod mime;
mod stage;
mod state;

pub use edit::Edit;
pub use stage::Staged;
pub use state::{Log, Request, Submitted};

use crate::wit::types::{self, Verdict};
use crate::{Claiming, Claims, Fault, Heard, Hosted, On, Reply, SelfTesting};
use stage::Stage;
use state::State;
use std::fmt;
use std::rc::Rc;

/// What a sink finds, and what it left behind. Made step by step; see the module.
pub struct World(Rc<State>);

/// What a sink said, and what it asked for.
#[derive(Debug)]
pub struct Raised {
    /// What it said.
    verdict: Verdict,
    /// What it asked for, in order.
    pub edits: Vec<Edit>,
}

impl Raised {
    /// The verdict's name, such as `reject`.
    pub fn verdict(&self) -> &'static str {
        match self.verdict {
            Verdict::Next => "next",
            Verdict::SkipRest => "skip-rest",
            Verdict::Answer(_) => "answer",
            Verdict::Reject(_) => "reject",
            Verdict::Defer(_) => "defer",
            Verdict::Disconnect(_) => "disconnect",
            Verdict::Discard => "discard",
            Verdict::Hold(_) => "hold",
        }
    }

    /// The reply of a refusal or an answer, the reason of a hold; of other answers: the limit, what the recipient resolves to, the
    /// hops or records parted by commas, the outcomes as `place: reply`; the reply and what is wanted beside, the command, the user and
    /// his senders, the challenge. Else the verdict's name.
    pub fn reply(&self) -> String {
        match &self.verdict {
            Verdict::Reject(Some(reply)) | Verdict::Disconnect(Some(reply)) => text(reply),
            Verdict::Defer(deferral) => deferral.reply.as_ref().map_or_else(|| self.verdict().into(), text),
            Verdict::Answer(it) => answer(it),
            Verdict::Hold(reason) => reason.clone(),
            _ => self.verdict().into(),
        }
    }

    /// The edits, each as one line.
    pub fn edits(&self) -> Vec<String> {
        self.edits.iter().map(ToString::to_string).collect()
    }
}

fn text(reply: &types::Reply) -> String {
    Reply::from(reply.clone()).to_string()
}

fn answer(it: &types::Answer) -> String {
    match it {
        types::Answer::Reply(reply) => text(reply),
        types::Answer::More(types::Request { reply, want: types::Want::Line(max) }) => {
            format!("{}, line {max}", text(reply))
        }
        types::Answer::More(types::Request { reply, want: types::Want::Octets(count) }) => {
            format!("{}, octets {count}", text(reply))
        }
        types::Answer::Turn(turn) => format!("{}, turn {}", text(&turn.reply), turn.domains.join(", ")),
        types::Answer::Instead(line) => line.clone(),
        types::Answer::Identity(types::Identity { user, senders: None }) => user.clone(),
        types::Answer::Identity(types::Identity { user, senders: Some(list) }) => {
            format!("{user}, from {}", list.join(", "))
        }
        types::Answer::Challenge(octets) => String::from_utf8_lossy(octets).into_owned(),
        types::Answer::Limit(octets) => octets.to_string(),
        types::Answer::Resolution(it) => resolution(it),
        types::Answer::Step(next) => format!("{next:?}").trim_start_matches("NextState::").to_lowercase(),
        types::Answer::Route(list) | types::Answer::Records(list) => list.join(", "),
        types::Answer::Outcomes(list) => {
            let one = |it: &types::Outcome| format!("{}: {}", it.recipient, text(&it.reply));
            list.iter().map(one).collect::<Vec<_>>().join(", ")
        }
    }
}

/// `local`, `remote`, `to ADDRESS`, or `to A, B from SENDER`.
fn resolution(it: &types::Resolution) -> String {
    match it {
        types::Resolution::Local => "local".into(),
        types::Resolution::Remote => "remote".into(),
        types::Resolution::Rewritten(address) => format!("to {address}"),
        types::Resolution::Expanded(types::Expansion { members, sender }) => {
            let from = sender.as_ref().map_or_else(String::new, |sender| format!(" from <{sender}>"));
            format!("to {}{from}", members.join(", "))
        }
    }
}

impl World {
    /// Raises an event. A fault has changed nothing.
    pub fn raise<E: Staged>(&self, sink: &impl On<E>) -> Result<Raised, Fault> {
        self.0.edits.borrow_mut().clear();
        let stage = Stage::new(&self.0);
        let session = E::HAS_SESSION.then_some(&stage.session);
        let message = (E::HAS_MESSAGE && self.0.has_message()).then_some(&stage.message);
        let mut heard = Heard::new(session, message, E::focus(&stage)?);
        let ruling = self.here(|| sink.on(&mut heard))?;
        Ok(Raised { verdict: ruling.into_verdict(), edits: self.0.edits.take() })
    }

    /// Makes a sink as the server does: by the `open` of [`hears!`](crate::hears), or by `Default`.
    pub fn open<S: Hosted>(&self) -> Result<S, Fault> {
        self.here(S::open)
    }

    /// What the sink claims.
    pub fn claims<S: Claiming>(&self, sink: &S) -> Claims {
        self.here(|| sink.claims())
    }

    /// Runs the sink's own check.
    pub fn self_test<S: SelfTesting>(&self, sink: &S) -> Result<(), Fault> {
        self.here(|| sink.self_test())
    }

    /// Calls a function that uses what the server grants, outside of any event.
    pub fn here<T>(&self, call: impl FnOnce() -> T) -> T {
        here::within(&self.0, call)
    }

    /// The log so far.
    pub fn logs(&self) -> Vec<Log> {
        self.0.logs.borrow().clone()
    }

    /// What `kv` holds for a key.
    pub fn kept(&self, key: &str) -> Option<Vec<u8>> {
        self.0.kv.borrow().get(key).cloned()
    }

    /// The messages that the sink made.
    pub fn submitted(&self) -> Vec<Submitted> {
        self.0.submitted.borrow().clone()
    }

    /// The state of a counter or gauge.
    pub fn metric(&self, name: &str) -> Option<f64> {
        self.0.metrics.borrow().get(name).copied()
    }

    /// The domains whose mail the sink has had tried at once.
    pub fn started(&self) -> Vec<String> {
        self.0.started.borrow().clone()
    }

    /// The requests that the sink sent over HTTP.
    pub fn requests(&self) -> Vec<Request> {
        self.0.requests.borrow().clone()
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("sender", &self.0.sender).finish_non_exhaustive()
    }
}
