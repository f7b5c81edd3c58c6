//! Reports as a whole: their exact text, what hostile replies make of them, and how another reader sees them.

mod exact;
mod foreign;
mod forms;
mod hostile;

use super::{About, Action, Composed, Report, compose};
use crate::config::dsn::Dsn;
use crate::mail::{
    Domain, Door, EnhancedCode, Envelope, ForwardPath, Id, Message, Origin, Recipient, Reply, ReversePath, Standing,
    Timestamp,
};
use bytes::Bytes;

/// 2023-11-14 22:13:20 UTC.
const ARRIVED: Timestamp = Timestamp(1_700_000_000_000);
const HOUR: u64 = 3_600_000;

const LETTER: &str = "Received: from client.example by mx.example.com; Tue, 14 Nov 2023 22:13:20 +0000\r\n\
    From: alice@example.com\r\nSubject: Lunch\r\nMessage-ID: <1@client.example>\r\n\r\nAt noon?\r\n";

/// All that a report is about.
struct Case {
    envelope: Envelope,
    message: Message,
    origin: Origin,
    settings: Dsn,
    abouts: Vec<Told>,
}

/// What is told of a recipient of the envelope.
struct Told {
    action: Action,
    status: EnhancedCode,
    reply: Option<Reply>,
    remote: Option<String>,
}

impl Case {
    /// The letter of alice.
    fn new(letter: impl Into<Bytes>) -> Self {
        let mut origin = Origin::door(Door::Smtp);
        origin.helo = Some("client.example".into());
        Self {
            envelope: Envelope::new(ReversePath::parse("alice@example.com").unwrap()),
            message: Message::from_bytes(letter.into()),
            origin,
            settings: Dsn::default(),
            abouts: Vec::new(),
        }
    }

    /// With this to tell of this recipient; the reply is the remote host's.
    fn told(mut self, recipient: &str, action: Action, reply: Reply) -> Self {
        self.envelope.recipients.push(Recipient::new(ForwardPath::parse(recipient).unwrap(), Standing::Relay));
        let class = match action {
            Action::Failed => 5,
            Action::Delayed => 4,
            _ => 2,
        };
        let status = reply.status().unwrap_or(EnhancedCode(class, 0, 0));
        let remote = Some("mx.example.net:25 [192.0.2.1]".to_owned());
        self.abouts.push(Told { action, status, reply: Some(reply), remote });
        self
    }

    /// The usual failure.
    fn failed(self) -> Self {
        self.told("bob@example.net", Action::Failed, no_such_user())
    }

    fn compose(&self) -> Composed {
        self.try_compose().unwrap()
    }

    fn try_compose(&self) -> std::io::Result<Composed> {
        let hostname = Domain::parse("mx.example.com").unwrap();
        let recipients = self.abouts.iter().zip(&self.envelope.recipients).map(|(told, recipient)| About {
            recipient,
            action: told.action,
            status: told.status,
            reply: told.reply.as_ref(),
            remote: told.remote.as_deref(),
            last_attempt: Some(Timestamp(ARRIVED.0 + 4 * HOUR)),
            retry_until: (told.action == Action::Delayed).then_some(Timestamp(ARRIVED.0 + 120 * HOUR)),
        });
        let report = Report {
            id: Id(2),
            about_id: Id(1),
            hostname: &hostname,
            now: Timestamp(ARRIVED.0 + 5 * HOUR),
            envelope: &self.envelope,
            origin: &self.origin,
            arrived: ARRIVED,
            message: &self.message,
            recipients: recipients.collect(),
        };
        compose(&report, &self.settings)
    }

    fn octets(&self) -> Vec<u8> {
        octets(&self.compose())
    }

    /// The report, with `BOUNDARY` in place of its boundary and LF for line ends.
    fn text(&self) -> String {
        let text = String::from_utf8(self.octets()).unwrap();
        let boundary = boundary(&text);
        text.replace(&boundary, "BOUNDARY").replace("\r\n", "\n")
    }
}

fn octets(composed: &Composed) -> Vec<u8> {
    composed.content.to_bytes().unwrap().to_vec()
}

fn boundary(text: &str) -> String {
    text.split_once("boundary=\"").unwrap().1.split_once('"').unwrap().0.to_owned()
}

fn no_such_user() -> Reply {
    Reply::foreign(550, Some(EnhancedCode(5, 1, 1)), "No such user here")
}

/// The third part, with its fields.
fn third(text: &str) -> &str {
    text.split("--BOUNDARY").nth(3).unwrap().trim_start_matches('\n')
}
