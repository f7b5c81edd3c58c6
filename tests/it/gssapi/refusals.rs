//! Who does not come in, and that all are told the same.

use super::client::{Initiator, login, session};
use super::{CONFIG, Realm, server};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const PLAIN: &[u8] = &[1, 0, 0, 0];
const INVALID: u16 = 535;

/// Failures are answered later and later: that is tested elsewhere, and here only takes time. Why, the log alone says.
fn config() -> String {
    CONFIG.replace("[auth]\n", "[auth]\nattempts = 0\n") + "[log]\nlevel = \"debug\"\n"
}

#[test]
fn who_is_no_user_is_disabled_or_wants_what_is_not_offered() {
    let Some(realm) = Realm::start() else { return };
    let server = server(&realm, &config());
    let cases = [
        ("dave", PLAIN, "the ticket is of no user"),
        ("carol", PLAIN, "the ticket is of no user"),
        ("alice", &[2, 0, 16, 0][..], "a security layer, which was not offered"),
        ("alice", &[1, 0, 16, 0], "a security layer, which was not offered"),
        ("alice", &[1], "has chosen no security layer"),
        ("alice", b"\x01\0\0\0bob", "may not act for another"),
    ];
    for (user, choice, why) in cases {
        let before = server.log().len();
        assert_eq!(login(&realm, &server, user, choice), INVALID, "{user} {choice:?}");
        server.logged_since(before, why);
    }
    assert_eq!(login(&realm, &server, "alice", PLAIN), 235);
}

#[test]
fn tickets_of_other_realms_old_keys_and_no_tickets() {
    let Some(realm) = Realm::start() else { return };
    let elsewhere = server(&realm, &config().replace("\"EXAMPLE.COM\"", "\"OTHER.EXAMPLE\""));
    assert_eq!(login(&realm, &elsewhere, "alice", PLAIN), INVALID);
    elsewhere.logged("the ticket is of another realm");
    let server = server(&realm, &config());
    let auth = |octets: &[u8]| session(&server).command(&format!("AUTH GSSAPI {}", STANDARD.encode(octets)));
    for garbage in [&b"x"[..], &[0x60; 4000], b"\x60\x82\xff\xff\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"] {
        auth(garbage).must_be(INVALID);
    }
    session(&server).command("AUTH GSSAPI =").must_be(INVALID);
    let mut alice = Initiator::of(&realm, "alice");
    let ticket = alice.ticket();
    auth(&ticket[..ticket.len() - 1]).must_be(INVALID);
    auth(&ticket).must_be(334);
    // Whoever has listened can't use it once more.
    auth(&ticket).must_be(INVALID);
    server.logged("a Kerberos ticket is refused");
    // The service has new keys, and the client a ticket for the ones before.
    let ticket = Initiator::of(&realm, "bob").ticket();
    std::fs::remove_file(realm.path("smtp.keytab")).unwrap();
    realm.write_keys("smtp.keytab", "smtp/localhost");
    std::fs::copy(realm.path("smtp.keytab"), server.path("smtp.keytab")).unwrap();
    auth(&ticket).must_be(INVALID);
    assert_eq!(login(&realm, &server, "bob", PLAIN), 235, "new keys are taken without a restart");
}

#[test]
fn failures_lock_out_and_a_keytab_that_is_gone_is_nobody_s_failure() {
    let Some(realm) = Realm::start() else { return };
    let server = server(&realm, &CONFIG.replace("[auth]\n", "[auth]\nattempts = 1\n"));
    std::fs::remove_file(server.path("smtp.keytab")).unwrap();
    for _ in 0..6 {
        session(&server).command("AUTH GSSAPI AAAA").must_be(454);
    }
    server.logged("Kerberos tickets can't be taken");
    std::fs::copy(realm.path("smtp.keytab"), server.path("smtp.keytab")).unwrap();
    // Four times as many for a network, and no names: those would be others'.
    for _ in 0..4 {
        session(&server).command("AUTH GSSAPI AAAA").must_be(INVALID);
    }
    assert_eq!(login(&realm, &server, "alice", PLAIN), 454);
    server.logged("locked out");
    let told = server.status().logins;
    assert_eq!((told.succeeded, told.failed, told.turned_away), (0, 4, 1));
    assert_eq!((told.locked_users, told.locked_networks), (0, 1));
}

#[test]
fn only_where_it_is_named() {
    let Some(realm) = Realm::start() else { return };
    let server = server(&realm, &CONFIG.replace("\"GSSAPI\"", "\"SCRAM-SHA-256\""));
    let mut client = session(&server);
    let told = client.command("EHLO client.example");
    assert!(told.lines.iter().any(|line| line == "AUTH SCRAM-SHA-256"), "{told:?}");
    client.command("AUTH GSSAPI AAAA").must_be(504);
}
