//! Our client and our server understand one another, whatever the names and passwords are.

use super::*;
use crate::sasl::scram::Keys;
use crate::sasl::server::{self, Setup, Step};
use crate::sasl::{Claim, prep};
use proptest::prelude::*;

const MECHANISMS: [Mechanism; 7] = [
    Mechanism::ScramSha256Plus,
    Mechanism::ScramSha256,
    Mechanism::Plain,
    Mechanism::Login,
    Mechanism::External,
    Mechanism::OauthBearer,
    Mechanism::Xoauth2,
];

fn binding() -> Binding {
    Binding { exporter: Some(vec![7; 32]), end_point: None }
}

/// Runs both sides. The server knows `keys`; every claim that it is given holds.
fn talk(mechanism: Mechanism, login: &Login, keys: &Keys) -> Option<Claim> {
    let mut client = start(mechanism, login, "ours".into(), &binding()).ok()??;
    let setup = Setup { nonce: "theirs".into(), binding: binding(), plus: true };
    let mut server = server::start(mechanism, setup);
    let mut step = match client.initial() {
        Some(message) => server.respond(&message),
        None => server.open(),
    };
    let mut claim = None;
    loop {
        step = match step {
            Step::Challenge(challenge) => server.respond(&client.respond(&challenge).ok()?),
            Step::Keys(_) => server.keys(keys.clone()),
            Step::Check(found) => {
                claim = Some(found);
                server.settle(true)
            }
            Step::Done => return client.finish().ok().and(claim),
            Step::Context(_) | Step::Failed(_) => return None,
        };
    }
}

fn proof(mechanism: Mechanism, text: &str) -> Proof {
    match mechanism {
        Mechanism::External => Proof::Certificate,
        Mechanism::OauthBearer | Mechanism::Xoauth2 => Proof::Token(Hidden::new(text)),
        _ => Proof::Password(Hidden::new(text)),
    }
}

#[test]
fn every_mechanism() {
    let keys = Keys::of_password("secret", b"salt", 4096);
    for mechanism in MECHANISMS {
        let login = Login { user: "a,b=c@example.com".into(), authzid: None, proof: proof(mechanism, "secret") };
        let claim = talk(mechanism, &login, &keys).unwrap_or_else(|| panic!("{mechanism}"));
        assert_eq!(claim.user(), Some("a,b=c@example.com"), "{mechanism}");
    }
}

#[test]
fn a_scram_server_that_knows_no_keys_is_not_believed() {
    let login = Login { user: "u".into(), authzid: None, proof: Proof::Password(Hidden::new("secret")) };
    let mut client = start(Mechanism::ScramSha256, &login, "ours".into(), &binding()).unwrap().unwrap();
    client.initial();
    assert!(client.respond(b"r=other,s=c2FsdA==,i=4096").is_err());
    for last in [&b"v=AAAA"[..], b"e=invalid-proof", b""] {
        let mut client = start(Mechanism::ScramSha256, &login, "ours".into(), &binding()).unwrap().unwrap();
        client.initial();
        client.respond(b"r=oursTHEIRS,s=c2FsdA==,i=4096").unwrap();
        assert!(client.finish().is_err());
        assert!(client.respond(last).is_err());
    }
}

#[test]
fn the_best_that_fits_is_chosen() {
    let password = Proof::Password(Hidden::new("x"));
    let offered = ["LOGIN", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "XOAUTH2"];
    assert_eq!(choose(offered, &password, true, &binding()), Some(Mechanism::ScramSha256Plus));
    assert_eq!(choose(offered, &password, true, &Binding::default()), Some(Mechanism::ScramSha256));
    assert_eq!(choose(["LOGIN", "PLAIN"], &password, true, &Binding::default()), Some(Mechanism::Plain));
    assert_eq!(choose(["LOGIN", "PLAIN"], &password, false, &Binding::default()), None);
    assert_eq!(choose(offered, &Proof::Token(Hidden::new("x")), true, &binding()), Some(Mechanism::Xoauth2));
    assert_eq!(choose(offered, &Proof::Certificate, true, &binding()), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn names_and_passwords_of_any_kind_arrive(user in "\\PC{1,40}", password in "\\PC{1,40}", other in "\\PC{0,10}") {
        let (name, word) = (prep::name(&user), prep::password(&password));
        let keys = Keys::of_password(word.as_deref().unwrap_or("x"), b"salt", 4096);
        for mechanism in [Mechanism::Plain, Mechanism::Login, Mechanism::ScramSha256Plus] {
            let authzid = (mechanism == Mechanism::Plain).then(|| other.clone());
            let login = Login { user: user.clone(), authzid, proof: proof(mechanism, &password) };
            let claim = talk(mechanism, &login, &keys);
            let fits = word.is_some() && (mechanism != Mechanism::Plain || other.is_empty() || prep::name(&other).is_some());
            prop_assert_eq!(claim.as_ref().and_then(Claim::user), name.as_deref().filter(|_| fits), "{}", mechanism);
            if let Some(Claim::Password { password, .. }) = claim {
                prop_assert_eq!(Some(password.expose()), word.as_deref());
            }
        }
    }

    #[test]
    fn no_octets_make_a_server_panic(first in prop::collection::vec(any::<u8>(), 0..200), second in prop::collection::vec(any::<u8>(), 0..200)) {
        for mechanism in MECHANISMS {
            let mut server = server::start(mechanism, Setup::default());
            let step = server.respond(&first);
            if matches!(step, Step::Keys(_)) {
                server.keys(Keys { made_up: true, ..Keys::of_password("x", b"s", 4096) });
            }
            server.respond(&second);
        }
    }
}
