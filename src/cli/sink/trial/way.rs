//! What the transport's events are about, made of the options of a command: a leg of the message's way, a question, a step.

use crate::event::host::RecordKind;
use crate::event::{Event, Leg, Plan};
use crate::mail::{EnhancedCode, Recipient, Reply};
use crate::smtp::client::{Choices, Next};
use serde_json::{Value, json};

/// The hop of an attempt that nobody has made.
const HOST: &str = "mx.example.com:25 [192.0.2.25]";

/// The leg of the last recipient's domain, with all recipients of that domain. Without a reply the attempt ended as the event
/// says.
pub(super) fn leg(event: Event, recipients: &[Recipient], attempt: u32, reply: Option<Reply>) -> Leg {
    let domain = domain(recipients);
    let same = |(_, recipient): &(usize, &Recipient)| domain_of(recipient) == domain;
    let places = recipients.iter().enumerate().filter(same).map(|(place, _)| place).collect();
    let (host, ended) = match event {
        Event::TransportDelivered => (Some(HOST), Some(Reply::new(250, EnhancedCode(2, 0, 0), "Ok"))),
        Event::TransportDeferred => (Some(HOST), Some(Reply::new(451, EnhancedCode(4, 2, 0), "Not now"))),
        Event::TransportFailed => (Some(HOST), Some(Reply::new(550, EnhancedCode(5, 1, 1), "No such user"))),
        Event::TransportDeliver => (Some("sink"), None),
        Event::OutReply => (Some(HOST), Some(Reply::new(450, EnhancedCode(4, 2, 0), "Not now"))),
        _ if event.name().starts_with("out.") => (Some(HOST), None),
        _ => (None, None),
    };
    let reply = ended.map(|ended| reply.unwrap_or(ended));
    Leg { domain: domain.into(), host: host.map(Into::into), attempt, reply, recipients: places }
}

/// What our client is about to do. Of a reply anything may be decided that ever can be.
pub(super) fn plan(event: Event, verb: Option<String>, reply: Option<&Reply>) -> Plan {
    let verb = match event {
        Event::OutHelo => Some("EHLO".to_owned()),
        Event::OutMail => Some("MAIL".to_owned()),
        Event::OutRcpt => Some("RCPT".to_owned()),
        Event::OutData => Some("DATA".to_owned()),
        Event::OutQuit => Some("QUIT".to_owned()),
        Event::OutReply => Some(verb.unwrap_or_else(|| "RCPT".to_owned())),
        _ => None,
    };
    let refuse = reply.is_some();
    Plan { choices: Choices { refuse, next: &Next::ALL }, ..Plan::new(verb) }
}

/// Where mail for the last recipient goes.
pub(super) fn question(recipients: &[Recipient]) -> (String, RecordKind) {
    (domain(recipients), RecordKind::Mx)
}

/// A step like those of the log of messages.
pub(super) fn step(recipients: &[Recipient]) -> Value {
    let recipient = recipients.last().map(|recipient| recipient.path.as_str());
    json!({ "step": "delivered", "recipient": recipient, "host": HOST, "reply": "250 2.0.0 Ok" })
}

fn domain(recipients: &[Recipient]) -> String {
    recipients.last().map_or_else(|| "example.com".to_owned(), domain_of)
}

fn domain_of(recipient: &Recipient) -> String {
    let domain = recipient.path.as_str().rsplit_once('@').map(|(_, domain)| domain.to_ascii_lowercase());
    domain.unwrap_or_else(|| "example.com".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{ForwardPath, Standing};

    #[test]
    fn a_leg_has_the_recipients_of_its_domain() {
        let one = |text: &str| Recipient::new(ForwardPath::parse(text).unwrap(), Standing::Relay);
        let recipients = ["a@Example.net", "b@example.org", "c@example.net"].map(one);
        let route = leg(Event::TransportRoute, &recipients, 2, Some(Reply::plain(250, "Ok")));
        assert_eq!((&*route.domain, route.host, route.attempt, route.reply), ("example.net", None, 2, None));
        assert_eq!(route.recipients, [0, 2]);
        let failed = leg(Event::TransportFailed, &recipients, 1, None);
        assert_eq!(failed.reply.map(|reply| reply.code()), Some(550));
        assert_eq!(question(&recipients), ("example.net".to_owned(), RecordKind::Mx));
    }
}
