//! Two servers of ours: properties travel from the one to the other, and a queue is handed over to whoever has authenticated.
//!
//! * `calls`: a queue is handed over to another server. `require_tls`: mail that must not go without.
//! * `published`: what DANE and MTA-STS ask of the second. `smart_host`: who the first is there, and where it comes from.

mod calls;
mod published;
mod require_tls;
mod smart_host;

use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::tls::authority::{Authority, Leaf};
use crate::wait::eventually;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;

const LETTER: &str = "Subject: x\r\n\r\ny\r\n";
/// `\0site\0secret`.
const SITE: &str = "AHNpdGUAc2VjcmV0";

const LISTENER: &str = "auth = ['PLAIN', 'LOGIN']\nclear-text-without-tls = true\n\
     tls = { mode = 'starttls', certificate = 'c.pem', key = 'k.pem' }\n";

/// Writes a certificate and its key.
fn put(site: &Site, (certificate, key): (&str, &str), leaf: &Leaf) {
    for (name, text) in [(key, &leaf.key), (certificate, &leaf.certificate)] {
        site.write(name, text);
        set_permissions(site.path(name), Permissions::from_mode(0o600)).unwrap();
    }
}

/// A site with a certificate, and the users `site` and `hub`, whose password is `secret`.
fn site(ca: &Authority, config: &str) -> Site {
    site_with(ca, LISTENER, config)
}

/// The same with this listener.
fn site_with(ca: &Authority, listener: &str, config: &str) -> Site {
    let site = Site::new(&format!(
        "[auth]\nusers = 'users'\n[[listener]]\naddress = '127.0.0.1:0'\nname = 'odmr'\n{listener}\
         [recipients]\nusers = ['alice']\n[limits]\nfree-space = '0 B'\n{config}"
    ));
    put(&site, ("c.pem", "k.pem"), &ca.server(&["localhost", "mx.example.com"]));
    site.write("ca.pem", &ca.certificate());
    site.write("users", "");
    set_permissions(site.path("users"), Permissions::from_mode(0o600)).unwrap();
    for user in ["site", "hub"] {
        let added = site.cli_with(&["user", "add", user, "--stdin"], b"secret\n");
        assert!(added.status.success(), "{}", String::from_utf8_lossy(&added.stderr));
    }
    site
}

fn says(client: &mut SmtpClient, keyword: &str) -> bool {
    client.command("EHLO site.example.org").must_be(250).lines.iter().any(|line| line == keyword)
}

#[test]
fn what_a_sink_sets_on_the_first_a_rule_sees_on_the_second() {
    let ca = Authority::new("Test CA");
    let second = site(&ca, "[domains]\nlocal = ['example.com']\n");
    second.write(
        "sinks.toml",
        "[[sink]]\nname = 'xexch50'\nnative = 'xexch50'\nconfig = { users = ['hub'] }\nallow = { properties = true }\n\
         [[sink]]\nname = 'mark'\nnative = 'headers'\nconfig = { add = [{ name = 'X-Class', value = 'seen' }] }\n\
         [[sink.on]]\nevent = 'transport.submit'\nwhen = { property = { \"tagger.class\" = 'invoice' } }\n",
    );
    let second = second.start();
    let to = second.address(0);
    let first = site(
        &ca,
        &format!(
            "[domains]\nlocal = ['example.net']\nrelay-from = ['127.0.0.0/8']\n[delivery]\n\
             smart-host = {{ smtp = 'localhost:{}', user = 'hub', password = 'secret', ca = 'ca.pem', mechanism = 'PLAIN' }}\n",
            to.port()
        ),
    );
    first.write(
        "sinks.toml",
        "[[sink]]\nname = 'tagger'\nnative = 'policy'\n[[sink.config.rule]]\nevent = 'transport.submit'\nproperty = { class = 'invoice' }\n\
         [[sink]]\nname = 'xexch50'\nnative = 'xexch50'\nconfig = { hosts = ['localhost'] }\nallow = { properties = true }\n",
    );
    let first = first.start();
    let mut client = SmtpClient::greeted(first.address(0));
    client.deliver("bob@client.example", &["alice@example.com"], LETTER).must_be(250);
    let arrived = second.arrived("example.com", "alice", 1);
    let text = String::from_utf8_lossy(&arrived[0]);
    assert!(text.contains("X-Class: seen"), "{text}\n{}\n{}", first.log(), second.log());

    // Whoever has not authenticated hears nothing of it, and nothing of it is read.
    let mut client = SmtpClient::connect(to);
    client.expect(220);
    assert!(!says(&mut client, "XEXCH50"));
    client.command("XEXCH50 999999999 1").must_be(500);
    client.command(&format!("AUTH PLAIN {SITE}")).must_be(235);
    assert!(!says(&mut client, "XEXCH50"), "another user");
    client.command("XEXCH50 5 1").must_be(500);
}

/// A server from which `site` may call for the mail of example.org, by ATRN with this configuration, too; and its authority.
fn provider(atrn: &str) -> (Server, String) {
    let ca = Authority::new("Test CA");
    let provider = site(
        &ca,
        "errors = 10000\n[domains]\nlocal = ['example.com']\nrelay-to = ['example.org']\n[[route]]\ndomain = 'example.org'\nto = 'turn'\n",
    );
    let account = "account = [{ user = 'site', domains = ['example.org'] }]";
    provider.write(
        "sinks.toml",
        &format!(
            "[[sink]]\nname = 'atrn'\nnative = 'atrn'\n[sink.config]\n{account}\n{atrn}\n[sink.allow]\nqueue = true\n\
             [[sink]]\nname = 'turn'\nnative = 'turn'\n[sink.config]\n{account}\n[sink.allow]\nqueue = true\n\
             [[sink]]\nname = 'x-exps'\nnative = 'x-exps'\nconfig = {{ clear-without-tls = true }}\n"
        ),
    );
    (provider.start(), ca.certificate())
}

#[test]
fn a_customer_who_has_authenticated_calls_for_his_mail() {
    let (server, _) = provider("");
    let mut client = SmtpClient::greeted(server.address(0));
    let id = client.deliver("bob@client.example", &["carol@example.org"], LETTER).must_be(250).id().to_owned();
    let mut client = SmtpClient::connect(server.address(0));
    client.expect(220);
    assert!(says(&mut client, "ATRN") && !says(&mut client, "TURN"));
    client.command("ATRN example.org").must_be(530);
    client.command("ATRN \u{7f}").must_be(500);
    client.command("TURN").must_be(502);
    client.command(&format!("AUTH PLAIN {SITE}")).must_be(235);
    client.command("ATRN example.com").must_be(450);
    client.command("ATRN a b").must_be(501);
    eventually("the mail that waits", || (client.command("ATRN").code == 250).then_some(()));
    client.serve_one("bob@client.example", "carol@example.org");
    server.logged("handed over for example.org: 1 delivered, 0 deferred, 0 failed; 0 messages wait");
    assert!(server.told(&["why", &id]).contains("turned connection of 127.0.0.1"));

    let mut client = SmtpClient::greeted(server.address(0));
    client.command(&format!("AUTH PLAIN {SITE}")).must_be(235);
    client.command("ATRN").must_be(453);
    assert!(says(&mut client, "TURN"));
    client.command("TURN").must_be(453);
}

#[test]
fn another_spelling_of_auth() {
    let (server, _) = provider("");
    let mut client = SmtpClient::connect(server.address(0));
    client.expect(220);
    assert!(says(&mut client, "X-EXPS LOGIN") && says(&mut client, "X-EXPS=LOGIN"));
    client.command("X-EXPS NTLM").must_be(504);
    client.command("X-EXPS LOGIN").must_be(334);
    client.command("c2l0ZQ==").must_be(334);
    client.command("d3Jvbmc=").must_be(535);
    client.command("X-EXPS LOGIN c2l0ZQ==").must_be(334);
    client.command("c2VjcmV0").must_be(235);
    assert!(!says(&mut client, "X-EXPS=LOGIN"));
    client.command("X-EXPS LOGIN").must_be(503);
}
