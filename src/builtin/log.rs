//! `log`: one structured line per event, through `tracing` under the target `mailsluice::sink::log`.
//!
//! It says what is known at the event and never what a message contains: no header, no body, no argument of a command.

use crate::event::catalogue::Fact;
use crate::event::scene::View;
use crate::event::{CATALOGUE, Edits, Env, Hearing, Interest, Needs, Scene, Sink, Verdict};
use serde::Deserialize;
use std::convert::Infallible;
use std::fmt;
use tracing::field::DisplayValue;

/// `[sink.config]` of `log`: it has no keys.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {}

/// The sink.
pub(super) struct Log;

/// Opens the sink.
pub(super) fn open(_: Config, _: &mut Env) -> Result<Log, Infallible> {
    Ok(Log)
}

impl Sink for Log {
    fn interest(&self) -> Interest {
        let events = CATALOGUE.iter().map(|spec| spec.event);
        Interest { needs: Needs { header: false, body: false }, ..Interest::in_events(events) }
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, _: &'a mut Edits) -> Hearing<'a> {
        write(&scene);
        Hearing::Now(Ok(Verdict::Next))
    }
}

fn write(scene: &Scene<'_>) {
    // At the events of the server itself there is no client and no message, and the origin says nothing.
    let origin = scene.event.spec().facts.contains(&Fact::Origin).then_some(scene.origin);
    let (verb, reply) = match scene.view {
        View::Verb { verb, .. } => (Some(verb), None),
        View::Reply(reply) => (None, Some(reply)),
        View::Leg(leg) => (None, leg.reply.as_ref()),
        View::Client(leg, plan) => (plan.verb.as_deref(), leg.reply.as_ref()),
        View::None
        | View::Credentials(_)
        | View::Recipient(_)
        | View::Oversize { .. }
        | View::Question(_)
        | View::Step(_) => (None, None),
    };
    let session = scene.session.map(|s| s.id).or(origin.and_then(|o| o.session));
    tracing::info!(
        target: "mailsluice::sink::log",
        event = scene.event.name(),
        id = shown(scene.transaction.map(|t| t.id)),
        session = shown(session),
        door = origin.map(|o| o.door.as_str()),
        client = shown(origin.and_then(|o| o.client)),
        client_name = origin.and_then(|o| o.client_name.as_deref()),
        helo = origin.and_then(|o| o.helo.as_deref()),
        auth = origin.and_then(|o| o.auth.as_deref()),
        sender = shown(scene.sender()),
        recipient = shown(scene.recipient().map(|r| &r.path)),
        standing = scene.standing().map(|s| s.as_str()),
        domain = scene.leg().map(|leg| &*leg.domain),
        host = scene.leg().and_then(|leg| leg.host.as_deref()),
        attempt = scene.leg().map(|leg| leg.attempt),
        recipients = scene.envelope().map(|e| e.recipients.len()),
        size = scene.size(),
        verb,
        reply = shown(reply),
        "{}",
        scene.event
    );
}

fn shown<T: fmt::Display>(value: Option<T>) -> Option<DisplayValue<T>> {
    value.map(tracing::field::display)
}

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::event::Event;
    use std::io;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(octets);
            Ok(octets.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Lines {
        fn take(&self) -> Vec<serde_json::Value> {
            let octets = std::mem::take(&mut *self.0.lock().unwrap());
            octets.split(|&b| b == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
        }
    }

    #[tokio::test]
    async fn one_line_per_event_with_what_is_known() {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
        let _guard = tracing::subscriber::set_default(subscriber);
        let mut rig = Rig::of("log", "");
        rig.client("192.0.2.1");
        rig.raise(Event::InConnect).await;
        rig.origin.helo = Some("mx.example".into());
        rig.mail("b@x.example", &["alice@example.com"]);
        rig.rcpt("bob@example.com").await;
        rig.content("Subject: secret\r\n\r\nbody\r\n");
        rig.raise(Event::TransportSubmit).await;
        let told = lines.take();
        let [connect, rcpt, submit] = &told[..] else { panic!("{told:?}") };
        assert_eq!(connect["target"], "mailsluice::sink::log");
        let want = serde_json::json!({
            "event": "in.connect", "session": "0000000000001", "door": "smtp", "client": "192.0.2.1", "message": "in.connect"
        });
        assert_eq!(connect["fields"], want);
        let want = serde_json::json!({
            "event": "in.rcpt", "id": "0000000000002", "session": "0000000000001", "door": "smtp", "client": "192.0.2.1",
            "helo": "mx.example", "sender": "<b@x.example>", "recipient": "<bob@example.com>", "standing": "local",
            "recipients": 1, "message": "in.rcpt"
        });
        assert_eq!(rcpt["fields"], want);
        assert_eq!(submit["fields"]["size"], 25);
        assert!(!submit.to_string().contains("secret"), "{submit}");
    }

    #[test]
    fn it_has_no_keys() {
        assert!(Rig::errors("log", "level = 'info'").contains("unknown key `level`"));
    }
}
