//! Postfix as a submission client: its relay host is our submission listener, with a password and under TLS that it verifies.

use super::peer;
use super::postfix::Postfix;
use super::submission::{IMPLICIT, STARTTLS, Submission, from_alice};
use crate::tls::authority::Authority;
use crate::wait::eventually;

/// A Postfix that hands everything to a listener of ours, as alice with this password, if it trusts the authority of this file.
///
/// The relay host is an address, for which no certificate is made out, so Postfix is told what ours has to say.
fn submitting(place: &Submission, listener: usize, mechanism: &str, password: &str, ca: &str) -> Option<Postfix> {
    let relay_host = format!("[127.0.0.1]:{}", place.server.address(listener).port());
    let wrapped = if listener == IMPLICIT { "yes" } else { "no" };
    Postfix::start(&format!(
        "virtual_mailbox_domains =\nrelayhost = {relay_host}\n\
         smtp_sasl_auth_enable = yes\nsmtp_sasl_password_maps = inline:{{ {{ {relay_host} = alice:{password} }} }}\n\
         smtp_sasl_security_options = noanonymous\nsmtp_sasl_mechanism_filter = {mechanism}\n\
         smtp_tls_security_level = secure\nsmtp_tls_secure_cert_match = mx.example.com\nsmtp_tls_CAfile = {}\n\
         smtp_tls_wrappermode = {wrapped}\nsmtp_tls_loglevel = 1",
        place.server.path(ca).display()
    ))
}

fn logs(postfix: &Postfix, what: &[&str]) {
    eventually(&format!("{what:?} in Postfix's log"), || {
        let log = postfix.log();
        what.iter().all(|text| log.contains(text)).then_some(())
    });
}

#[test]
fn postfix_submits_with_a_password_under_verified_tls() {
    if peer("postfix").is_none() {
        return;
    }
    let place = Submission::start();
    for (count, (listener, mechanism)) in
        [(STARTTLS, "plain"), (STARTTLS, "scram-sha-256"), (IMPLICIT, "login")].into_iter().enumerate()
    {
        let Some(postfix) = submitting(&place, listener, mechanism, "pencil", "ca.pem") else { return };
        let letter = from_alice(&format!("postfix-{mechanism}"));
        postfix.sendmail("alice@example.com", "bob@example.com", &letter);
        place.came_from_alice(count + 1, &letter);
        place.server.logged(&format!("mechanism={} user=alice", mechanism.to_ascii_uppercase()));
        logs(&postfix, &["Verified TLS connection established to 127.0.0.1", "TLSv1.3", "status=sent (250 2.0.0 "]);
    }
}

#[test]
fn postfix_keeps_what_it_may_not_submit() {
    if peer("postfix").is_none() {
        return;
    }
    let place = Submission::start();
    place.server.write("other.pem", &Authority::new("Other CA").certificate());
    for (password, ca, reason) in [
        ("Pencil", "ca.pem", "said: 535 5.7.8 Authentication credentials invalid"),
        ("pencil", "other.pem", "(Server certificate not verified)"),
    ] {
        let Some(postfix) = submitting(&place, STARTTLS, "plain", password, ca) else { return };
        postfix.sendmail("alice@example.com", "bob@example.com", &from_alice("kept"));
        logs(&postfix, &[reason, "status=deferred"]);
    }
    assert!(!place.server.path("var/mail/example.com/bob").exists());
}
