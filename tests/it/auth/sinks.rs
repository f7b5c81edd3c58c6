//! `in.auth`: each verdict, what a sink sees, and a mechanism of its own.

use super::mechanisms::EHLO;
use super::{LISTENER, talk, with};
use crate::inside::Inside;
use mailsluice::event::{Claims, Edits, Event, Hearing, Identity, Interest, Login, Proof, Scene, Sink, Verdict};
use mailsluice::mail::{EnhancedCode, Reply};
use serde::de::IgnoredAny;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};

/// What it has seen, without what is secret.
type Seen = Arc<Mutex<Vec<String>>>;

/// Decides by the name, or by what is said in its own mechanism.
struct Gatekeeper(Seen);

impl Sink for Gatekeeper {
    fn interest(&self) -> Interest {
        let claims = Claims { auth_mechanisms: vec!["X-RIDDLE".to_owned()], ..Claims::default() };
        Interest { events: vec![Event::InAuth], claims, ..Interest::default() }
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, _: &'a mut Edits) -> Hearing<'a> {
        let credentials = scene.credentials().expect("credentials");
        self.0.lock().unwrap().push(format!("{credentials:?}"));
        let identity = |name: &str| Verdict::Answer(Login::from(Identity::of(name)).into());
        let verdict = match (&credentials.proof, credentials.user.as_deref()) {
            (Proof::Step { number: 0, .. }, _) => Verdict::Answer(Login::Challenge("what?".into()).into()),
            (Proof::Step { octets: Some(octets), .. }, _) if &octets[..] == b"nothing" => identity("sphinx"),
            (Proof::Step { octets: Some(octets), .. }, _) if &octets[..] == b"who?" => Verdict::Next,
            (Proof::Step { .. }, _) => Verdict::Reject(None),
            (Proof::Password(password), Some("guest")) if password.expose() == "tea" => identity("Guest"),
            (_, Some("guest")) => Verdict::Reject(Some(Reply::new(550, EnhancedCode(5, 7, 8), "No tea, no entry"))),
            (_, Some("later")) => Verdict::Defer(None, None),
            (_, Some("out")) => Verdict::Disconnect(None),
            (_, Some("odd")) => Verdict::Answer(Login::Challenge("x".into()).into()),
            _ => Verdict::Next,
        };
        Hearing::Now(Ok(verdict))
    }
}

fn server() -> (Inside, Seen) {
    let seen = Seen::default();
    let sees = seen.clone();
    let open = move |_: IgnoredAny, _: &mut _| Ok::<_, Infallible>(Gatekeeper(sees.clone()));
    let manifest = "[[sink]]\nname = \"gatekeeper\"\nnative = \"gatekeeper\"\n";
    (with(LISTENER, true, manifest, |natives| natives.with("gatekeeper", open)), seen)
}

fn greeted(rest: &str) -> String {
    format!("S: 220 *\nC: EHLO c\n{EHLO}\n{rest}")
}

#[test]
fn each_verdict_has_its_reply() {
    let (server, seen) = server();
    for rest in [
        "C: AUTH PLAIN {\\0guest\\0tea}\nS: 235 *",
        "C: AUTH PLAIN {\\0guest\\0coffee}\nS: 550 5.7.8 No tea, no entry",
        "C: AUTH PLAIN {\\0later\\0x}\nS: 454 4.7.0 *",
        "C: AUTH PLAIN {\\0out\\0x}\nS: 421 *\nS: <close>",
        "C: AUTH PLAIN {\\0odd\\0x}\nS: 454 4.7.0 *",
        "C: AUTH PLAIN {\\0bob\\0pencil}\nS: 235 *",
        "C: AUTH PLAIN {\\0bob\\0x}\nS: 535 5.7.8 *",
    ] {
        talk(&server, &greeted(rest));
    }
    let seen = seen.lock().unwrap().join("\n");
    assert!(seen.contains("mechanism: \"PLAIN\", user: Some(\"guest\")"), "{seen}");
    assert!(!seen.contains("tea") && !seen.contains("pencil"), "a password is not shown: {seen}");
}

#[test]
fn a_mechanism_of_a_sink_s_own_goes_step_by_step() {
    let (server, _) = server();
    talk(&server, "S: 220 *\nC: EHLO c\nS* AUTH SCRAM-SHA-256 PLAIN LOGIN X-RIDDLE");
    for rest in [
        "C: AUTH X-RIDDLE\nS: 334 {what?}\nC: {nothing}\nS: 235 *",
        "C: AUTH X-RIDDLE\nS: 334 {what?}\nC: {all}\nS: 535 5.7.8 *",
        "C: AUTH X-RIDDLE\nS: 334 {what?}\nC: {who?}\nS: 535 5.7.8 *",
        "C: AUTH X-RIDDLE\nS: 334 {what?}\nC: *\nS: 501 5.7.0 *",
    ] {
        talk(&server, &greeted(rest));
    }
}
