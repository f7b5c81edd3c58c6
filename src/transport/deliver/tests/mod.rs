//! Tries at real directories, and at a small server that can be told to misbehave at each step.

mod files;
mod fit;
mod reuse;
mod server;
mod tcp;
mod time;
mod tls;
mod unix;

use super::*;
use crate::disk::Disk;
use crate::mail::{ForwardPath, ReversePath, Standing};
use bytes::Bytes;

/// A job and what it borrows.
struct Fixture {
    hostname: Domain,
    envelope: Envelope,
    message: Message,
    users: Vec<String>,
}

const TEXT: &str = "Received: x\r\nSubject: hello\r\n\r\n.dot\r\nbare \r cr\r\n";

fn fixture(recipients: &[&str]) -> Fixture {
    let mut envelope = Envelope::new(ReversePath::parse("sender@x.example").unwrap());
    for recipient in recipients {
        envelope.recipients.push(Recipient::new(ForwardPath::parse(recipient).unwrap(), Standing::Local));
    }
    let users = recipients.iter().map(|r| r.split(['@', '+']).next().unwrap_or_default().to_owned()).collect();
    Fixture {
        hostname: Domain::parse("me.example").unwrap(),
        envelope,
        message: Message::from_bytes(Bytes::from_static(TEXT.as_bytes())),
        users,
    }
}

impl Fixture {
    /// Delivers to the recipients from that place on.
    async fn deliver_from(&self, first: usize, hop: &NextHop) -> Vec<Outcome> {
        self.deliver_with(&Means::new(Arc::new(Disk)), first, hop).await
    }

    /// Delivers to all by these means.
    async fn deliver_by(&self, means: &Means, hop: &NextHop) -> Vec<Outcome> {
        self.deliver_with(means, 0, hop).await
    }

    async fn deliver_with(&self, means: &Means, first: usize, hop: &NextHop) -> Vec<Outcome> {
        let targets: Vec<Target<'_>> = self
            .envelope
            .recipients
            .iter()
            .zip(&self.users)
            .enumerate()
            .skip(first)
            .map(|(index, (recipient, user))| Target { index, recipient, user })
            .collect();
        let job = Job {
            id: Id(1 << 40),
            hostname: &self.hostname,
            envelope: &self.envelope,
            sender: &self.envelope.sender,
            message: &self.message,
            targets: &targets,
            per_connection: None,
            request: Request::NONE,
        };
        means.deliver(hop, &job).await
    }

    async fn deliver(&self, hop: &NextHop) -> Vec<Outcome> {
        self.deliver_from(0, hop).await
    }
}

/// The outcomes in short form.
fn short(outcomes: &[Outcome]) -> Vec<String> {
    outcomes.iter().map(|o| format!("{} {}", o.as_str(), o.status())).collect()
}
