//! What the tests of the seam are raised on: a world of one session and one message, and sinks made of closures.

use bytes::Bytes;
use mailsluice::event::transaction::Candidate;
use mailsluice::event::{
    Binding, Decision, Dispatcher, Edits, Event, Fault, Focus, Hearing, Interest, Ledger, LedgerEntry, Registered,
    Scene, SessionState, Sink, Stage, Transaction, Verdict,
};
use mailsluice::mail::{
    Door, Envelope, ForwardPath, Id, Message, Origin, Recipient, ReversePath, Role, Standing, Timestamp,
};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// One session with one message from bob@example.org to alice@example.com and carol@example.com.
pub(crate) struct World {
    pub(crate) origin: Origin,
    pub(crate) session: SessionState,
    pub(crate) transaction: Transaction,
    pub(crate) delay: Duration,
}

impl Default for World {
    fn default() -> Self {
        let mut envelope = Envelope::new(ReversePath::parse("bob@example.org").unwrap());
        envelope.recipients =
            ["alice@example.com", "carol@example.com"].map(|r| recipient(r, Standing::Local)).to_vec();
        let mut transaction = Transaction::new(Id(7), Timestamp(1_700_000_000_000), envelope, Ledger::default());
        let octets = Bytes::from_static(b"Subject: one\r\nX-Old: 1\r\n\r\nbody\r\n");
        transaction.letter_mut().message = Some(Message::from_bytes(octets));
        let mut origin = Origin::door(Door::Smtp);
        origin.role = Some(Role::Mx);
        origin.client = Some("192.0.2.1".parse().unwrap());
        origin.helo = Some("mx.example.org".into());
        Self { origin, session: SessionState::new(Id(1)), transaction, delay: Duration::ZERO }
    }
}

pub(crate) fn recipient(path: &str, standing: Standing) -> Recipient {
    Recipient::new(ForwardPath::parse(path).unwrap(), standing)
}

impl World {
    /// The next message of the same session.
    pub(crate) fn next_message(&mut self) {
        let id = Id(self.transaction.id.0 + 1);
        self.transaction = Transaction { id, ..Self::default().transaction };
    }

    /// Raises an event about the message.
    pub(crate) async fn raise(&mut self, dispatcher: &Dispatcher, event: Event) -> Decision {
        let mut stage = Stage {
            session: Some(&mut self.session),
            transaction: Some(&mut self.transaction),
            ..Stage::new(&self.origin)
        };
        let decision = dispatcher.raise(event, &mut stage).await;
        self.delay = stage.delay;
        decision
    }

    /// Raises `transport.submit`.
    pub(crate) async fn submit(&mut self, dispatcher: &Dispatcher) -> Decision {
        self.raise(dispatcher, Event::TransportSubmit).await
    }

    /// Raises `in.rcpt`, and gives the recipient as it has become.
    pub(crate) async fn rcpt(&mut self, dispatcher: &Dispatcher, recipient: Recipient) -> (Decision, Candidate) {
        let mut candidate = Candidate { recipient, added: Vec::new(), vouched: false };
        let mut stage = Stage {
            session: Some(&mut self.session),
            transaction: Some(&mut self.transaction),
            focus: Focus::Recipient(&mut candidate),
            ..Stage::new(&self.origin)
        };
        let decision = dispatcher.raise(Event::InRcpt, &mut stage).await;
        (decision, candidate)
    }

    pub(crate) fn header(&self) -> String {
        let message = self.transaction.letter.message.as_ref().unwrap();
        String::from_utf8(message.header.raw().to_vec()).unwrap()
    }

    /// The last dispatch that was written down.
    pub(crate) fn last(&self) -> &LedgerEntry {
        self.transaction.ledger.entries.last().unwrap()
    }
}

type Hear = dyn Fn(Scene<'_>, &mut Edits) -> Hearing<'static> + Send + Sync;

/// A sink made of a closure, which hears everything.
pub(crate) struct Fake(Box<Hear>);

impl Sink for Fake {
    fn interest(&self) -> Interest {
        Interest::in_events(mailsluice::event::CATALOGUE.iter().map(|spec| spec.event))
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        (self.0)(scene, edits)
    }
}

/// A sink that answers in any form.
pub(crate) fn fake(
    name: &str,
    hear: impl Fn(Scene<'_>, &mut Edits) -> Hearing<'static> + Send + Sync + 'static,
) -> Arc<Registered> {
    Arc::new(Registered::new(name, Arc::new(Fake(Box::new(hear))), false))
}

/// A sink that answers at once.
pub(crate) fn now(
    name: &str,
    hear: impl Fn(Scene<'_>, &mut Edits) -> Result<Verdict, Fault> + Send + Sync + 'static,
) -> Arc<Registered> {
    fake(name, move |scene, edits| Hearing::Now(hear(scene, edits)))
}

/// A sink that notes that it was called, and says this.
pub(crate) fn saying(name: &'static str, verdict: Verdict, calls: &Calls) -> Arc<Registered> {
    let calls = calls.clone();
    now(name, move |_, _| {
        calls.note(name);
        Ok(verdict.clone())
    })
}

/// Who was called.
#[derive(Clone, Default)]
pub(crate) struct Calls(Arc<Mutex<Vec<String>>>);

impl Calls {
    pub(crate) fn note(&self, name: &str) {
        self.0.lock().unwrap().push(name.to_owned());
    }

    /// Who was called since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

/// Bound to `transport.submit`.
pub(crate) fn at_submit(sink: &Arc<Registered>) -> Binding {
    Binding::new(sink.clone(), Event::TransportSubmit)
}
