//! Whatever is wrong: the reply that RFC 4954 has for it, the same for all kinds of wrong credentials, later and later, and then a lock.

use super::mechanisms::EHLO;
use super::{LISTENER, accounts, server, talk};
use std::time::{Duration, Instant};

/// A session that has said EHLO.
fn greeted(rest: &str) -> String {
    format!("S: 220 *\nC: EHLO c\n{EHLO}\n{rest}")
}

#[test]
fn what_is_no_exchange_is_told_so() {
    let server = server(LISTENER, true);
    for rest in [
        "C: AUTH\nS: 501 *",
        "C: AUTH XNONE\nS: 504 5.5.4 *",
        "C: AUTH PLAIN *\nS: 501 5.5.2 *",
        "C: AUTH PLAIN x\nS: 501 5.5.2 *",
        "C: AUTH PLAIN\nS: 334 \nC: *\nS: 501 5.7.0 *\nC: NOOP\nS: 250 *",
        "C: AUTH PLAIN\nS: 334 \nC: no base64\nS: 501 5.5.2 *",
        "C: AUTH PLAIN =\nS: 501 5.5.2 *",
        "C: AUTH PLAIN {no parts}\nS: 501 5.5.2 *",
        "C: AUTH LOGIN\nS: 334 *\nC: {alice}\nS: 334 *\nC: *\nS: 501 5.7.0 *",
        "C: AUTH SCRAM-SHA-256 {n,,n=alice}\nS: 501 5.5.2 *",
        "C: AUTH SCRAM-SHA-256 {p=tls-exporter,,n=alice,r=x}\nS: 501 5.5.2 *",
        "C: AUTH PLAIN {\\0alice\\0pencil}\nS: 235 *\nC: AUTH PLAIN {\\0alice\\0pencil}\nS: 503 5.5.1 *",
        "C: AUTH EXTERNAL =\nS: 504 *",
    ] {
        talk(&server, &greeted(rest));
    }
    let long = "A".repeat(12_300);
    talk(&server, &greeted(&format!("C: AUTH PLAIN\nS: 334 \nC: {long}\nS: 500 5.5.6 *")));
    talk(&server, "S: 220 *\nC: AUTH PLAIN\nS: 503 *");
}

#[test]
fn a_transaction_is_not_interrupted_and_what_shows_passwords_needs_tls() {
    let open = server(&(LISTENER.to_owned() + "auth-required = false\n"), true);
    talk(&open, &greeted("C: MAIL FROM:<a@example.com>\nS: 250 *\nC: AUTH PLAIN {\\0alice\\0pencil}\nS: 503 5.5.1 *"));
    let strict = LISTENER.replace("clear-text-without-tls = true", "auth = [\"PLAIN\"]");
    talk(&server(&strict, true), "S: 220 *\nC: HELO c\nS: 250 *\nC: AUTH PLAIN {\\0alice\\0pencil}\nS: 538 5.7.11 *");
}

/// Not by the clock, which would tell nothing on a machine that is busy: each of these computes one hash of a user.
#[test]
fn wrong_password_wrong_name_and_disabled_user_are_told_the_same_after_the_same_work() {
    let accounts = accounts(true);
    for (user, password) in [("alice", "wrong"), ("nobody", "pencil"), ("carol", "pencil"), ("carol", "wrong")] {
        let checked = accounts.check(user, password);
        assert_eq!((checked.user, checked.measured_by.is_some()), (None, true), "{user}");
        let server = server(LISTENER, true);
        talk(
            &server,
            &greeted(&format!(
                "C: AUTH PLAIN {{\\0{user}\\0{password}}}\nS: 535 5.7.8 Authentication credentials invalid"
            )),
        );
        talk(
            &server,
            &greeted(&format!(
                "C: AUTH LOGIN {{{user}}}\nS: 334 *\nC: {{{password}}}\nS: 535 5.7.8 Authentication credentials invalid"
            )),
        );
    }
    let server = server(LISTENER, true);
    talk(&server, &greeted("C: AUTH PLAIN {bob\\0alice\\0pencil}\nS: 535 5.7.8 Authentication credentials invalid"));
}

#[test]
fn failures_are_answered_later_and_end_the_session() {
    let server = server(LISTENER, true);
    let fail = "C: AUTH PLAIN {\\0alice\\0x}\n";
    let (fails, begun) = (format!("{fail}S: 535 *\n"), Instant::now());
    talk(&server, &greeted(&format!("{fails}{fails}")));
    assert!(begun.elapsed() >= Duration::from_secs(1), "the second one waits");
}

#[test]
fn a_lock_holds_for_the_right_password_too_and_says_nothing_of_the_user() {
    let accounts = std::sync::Arc::new(accounts(true));
    for user in ["alice", "nobody"] {
        let accounts = accounts.clone();
        let server = crate::inside::Plan::new(LISTENER)
            .adjust(move |settings| {
                settings.auth.accounts = Some(accounts);
                settings.auth.rules.attempts = 1;
            })
            .start();
        let told = "S: 454 4.7.0 Too many failed logins lately; please try again later";
        talk(
            &server,
            &greeted(&format!(
                "C: AUTH PLAIN {{\\0{user}\\0x}}\nS: 535 *\nC: AUTH PLAIN {{\\0{user}\\0pencil}}\n{told}"
            )),
        );
        talk(&server, &greeted(&format!("C: AUTH SCRAM-SHA-256 {{n,,n={user},r=x}}\n{told}")));
        talk(&server, &greeted("C: AUTH PLAIN {\\0bob\\0pencil}\nS: 235 *"));
    }
}
