//! SASL messages: whatever a client sends, a server's machine ends in bounded steps and hands out only claims that are sound;
//! whatever a server sends, a client's machine never takes it for proven without the keys.
//!
//! An input is an octet for the mechanism, odd on the client's side, and messages parted by the octet 0xff.

use super::input::Input;
use mailsluice::sasl::client::{self, Login, Proof};
use mailsluice::sasl::gssapi::{Ask, Told};
use mailsluice::sasl::scram::Keys;
use mailsluice::sasl::server::{self, Setup, Step};
use mailsluice::sasl::{Binding, Claim, Hidden, Mechanism, NAME_MAX, PASSWORD_MAX};

pub(super) fn sasl(data: &[u8]) {
    let mut input = Input(data);
    let first = input.octet();
    let mechanism = Mechanism::ALL[usize::from(first >> 1) % Mechanism::ALL.len()];
    let messages: Vec<&[u8]> = input.0.split(|octet| *octet == 0xff).take(8).collect();
    if first & 1 == 1 { client(mechanism, &messages) } else { server(mechanism, &messages) }
}

fn binding() -> Binding {
    Binding { exporter: Some(vec![7; 32]), end_point: None }
}

fn server(mechanism: Mechanism, messages: &[&[u8]]) {
    let setup = Setup { nonce: "nonce".to_owned(), binding: binding(), plus: true };
    let mut machine = server::start(mechanism, setup);
    let keys = || Keys { iterations: 4096, salt: vec![1; 16], stored: [2; 32], server: [3; 32], made_up: false };
    let mut over = false;
    for message in messages {
        let mut step = machine.respond(message);
        // Nothing but the client's words leads to a further challenge.
        for _ in 0..4 {
            step = match step {
                Step::Keys(name) => {
                    name_is_sound(&name);
                    machine.keys(keys())
                }
                // What the client sent is taken for what was under its protection.
                Step::Context(Ask::Accept(token)) => {
                    machine.context(Told::Token { octets: token, principal: principal(message) })
                }
                Step::Context(Ask::Wrap(octets) | Ask::Unwrap(octets)) => machine.context(Told::Octets(octets)),
                Step::Check(claim) => {
                    sound(&claim);
                    assert!(!matches!(claim, Claim::Proven { .. }), "nobody knows the password of these keys");
                    machine.settle(message.len() % 2 == 0)
                }
                done => done,
            };
        }
        assert!(!over || !matches!(step, Step::Done) || mechanism != Mechanism::ScramSha256, "over is over");
        over |= matches!(step, Step::Done | Step::Failed(_));
    }
}

/// There is a context after a token that is not even.
fn principal(token: &[u8]) -> Option<String> {
    (token.len() % 2 == 1).then(|| "user@EXAMPLE.COM".to_owned())
}

fn client(mechanism: Mechanism, messages: &[&[u8]]) {
    let proof = match mechanism {
        Mechanism::External => Proof::Certificate,
        Mechanism::OauthBearer | Mechanism::Xoauth2 => Proof::Token(Hidden::new("token")),
        _ => Proof::Password(Hidden::new("password")),
    };
    let login = Login { user: "user".to_owned(), authzid: None, proof };
    let Ok(Some(mut machine)) = client::start(mechanism, &login, "nonce".to_owned(), &binding()) else { return };
    machine.initial();
    for message in messages {
        // Many iterations take long, and that is all there is to them.
        let text = String::from_utf8_lossy(message);
        if text.rsplit("i=").next().is_some_and(|rounds| rounds.len() > 4) && text.contains("i=") {
            return;
        }
        if machine.respond(message).is_err() {
            break;
        }
    }
    if matches!(mechanism, Mechanism::ScramSha256 | Mechanism::ScramSha256Plus) {
        assert!(machine.finish().is_err(), "the server knew no keys");
    }
}

fn sound(claim: &Claim) {
    [claim.user(), claim.authzid()].into_iter().flatten().for_each(name_is_sound);
    match claim {
        Claim::Password { password, .. } => {
            assert!((1..=PASSWORD_MAX).contains(&password.expose().len()));
            assert!(!password.expose().contains(char::is_control));
        }
        Claim::Token { token, .. } => assert!(token.expose().bytes().all(|b| b.is_ascii_graphic())),
        Claim::Proven { .. } | Claim::Principal { .. } | Claim::External { .. } => {}
    }
}

fn name_is_sound(name: &str) {
    assert!((1..=NAME_MAX).contains(&name.len()) && !name.contains(char::is_control), "{name:?}");
}
