//! One leg of a message's way: what the events from `transport.route` to `transport.failed` are about, and those of a connection, and what a sink answers
//! there.

use crate::Reply;
use crate::wit::types;

/// Recipients of one domain, and how a try to deliver to them ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Leg {
    /// The domain of the recipients, as routes name it.
    pub domain: String,
    /// The next hop, once there is one: `host:port [address]`, a path, or the name of a sink.
    pub host: Option<String>,
    /// The number of the attempt, from 1.
    pub attempt: u32,
    /// How it ended, in the words of the host, or in the server's as a host would have put it.
    pub reply: Option<Reply>,
    /// Whom it is about: places in the envelope, as [`Recipient::place`](crate::Recipient::place) has them.
    pub recipients: Vec<u32>,
}

impl Leg {
    /// The answer at `transport.deliver` that is the same for all who are due.
    pub fn all(&self, reply: &Reply) -> Vec<Outcome> {
        self.recipients.iter().map(|recipient| Outcome { recipient: *recipient, reply: reply.clone() }).collect()
    }
}

impl From<types::Leg> for Leg {
    fn from(leg: types::Leg) -> Self {
        let types::Leg { domain, host, attempt, reply, recipients } = leg;
        Self { domain, host, attempt, reply: reply.map(Into::into), recipients }
    }
}

/// What became of one recipient: the answer at `transport.deliver` has one for each that is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Its place in the envelope.
    pub recipient: u32,
    /// 2xx: delivered, 4xx: to be tried again, 5xx: failed for good.
    pub reply: Reply,
}

impl From<Outcome> for types::Outcome {
    fn from(Outcome { recipient, reply }: Outcome) -> Self {
        Self { recipient, reply: reply.into() }
    }
}
