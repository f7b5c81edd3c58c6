//! A submission server for foreign programs: STARTTLS, implicit TLS, every mechanism, one user, and what arrived from whom.

use super::{added, letter};
use crate::server::{Server, Site};
use crate::tls::authority::{Authority, Leaf};
use mailsluice::sasl::scram::Keys;
use std::fs::{Permissions, set_permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// The listener where a session begins in the clear.
pub(super) const STARTTLS: usize = 0;
/// The listener where the handshake comes first.
pub(super) const IMPLICIT: usize = 1;

/// What delivery to a Maildir puts on top of a message, in this order.
pub(super) const TRACE: [&str; 3] = ["Return-Path", "Delivered-To", "Received"];

pub(super) struct Submission {
    pub(super) server: Server,
    pub(super) authority: Authority,
}

/// Listeners for submission of both kinds; clients may show a certificate.
fn listeners() -> String {
    let one = |mode: &str| {
        format!(
            "[[listener]]\naddress = '127.0.0.1:0'\nname = '{mode}'\nrole = 'submission'\n\
             auth = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256', 'PLAIN', 'LOGIN', 'EXTERNAL', 'OAUTHBEARER', 'XOAUTH2']\n\
             tls = {{ mode = '{mode}', certificate = 'c.pem', key = 'k.pem', client-certificates = 'optional', client-ca = 'ca.pem' }}\n"
        )
    };
    one("starttls") + &one("implicit")
}

impl Submission {
    /// Starts one whose user `alice` has the password `pencil`, or the certificate of [`Self::certificate`].
    pub(super) fn start() -> Self {
        Self::with("", |_| {})
    }

    /// The same, with more under `[auth]`, and more files.
    pub(super) fn with(auth: &str, files: impl FnOnce(&Site)) -> Self {
        let rest = Site::PLAIN.split_once("[domains]").unwrap().1;
        let site = Site::new(&format!("{}[auth]\nusers = 'users'\n{auth}\n[domains]{rest}", listeners()));
        let authority = Authority::new("Test CA");
        let leaf = authority.server(&["mx.example.com"]);
        let keys = Keys::of_password("pencil", b"0123456789abcdef", 4096);
        let users = format!("alice:{{SCRAM-SHA-256}}{keys}:alice@example.com\n");
        for (name, text) in [("k.pem", &leaf.key), ("c.pem", &leaf.certificate), ("users", &users)] {
            private(&site, name, text);
        }
        site.write("ca.pem", &authority.certificate());
        files(&site);
        Self { server: site.start(), authority }
    }

    /// Writes the certificate of this user, and its key; their paths.
    pub(super) fn certificate(&self, user: &str) -> (PathBuf, PathBuf) {
        let Leaf { certificate, key } = self.authority.client(&[user]);
        private(&self.server, "client.pem", &certificate);
        private(&self.server, "client.key", &key);
        (self.server.path("client.pem"), self.server.path("client.key"))
    }

    /// Waits for the given number of messages to bob, one of which has to be this letter; how it came in, and as whose.
    pub(super) fn came(&self, count: usize, letter: &str) -> (String, Option<String>) {
        let arrived = self.server.arrived("example.com", "bob", count);
        assert_eq!(arrived.len(), count, "{}", self.server.log());
        // Of those of one second, the names do not say which came last.
        let subject = letter.lines().find(|line| line.starts_with("Subject: ")).unwrap();
        let named = |message: &&Vec<u8>| String::from_utf8_lossy(message).lines().any(|line| line == subject);
        let message = arrived.iter().find(named).unwrap_or_else(|| panic!("no `{subject}`"));
        let top = added(letter, message);
        // What handed it on for alice has left a trace as well.
        assert!(top.starts_with(&TRACE.map(str::to_owned)) && top.iter().skip(3).all(|f| f == "Received"), "{top:?}");
        let text = String::from_utf8_lossy(message).replace("\n ", " ").replace("\n\t", " ");
        let word_behind = |what: &str| {
            let rest = text.split_once(what).unwrap_or_else(|| panic!("no `{what}` in {text}")).1;
            rest.split([' ', ';']).next().unwrap().to_owned()
        };
        let account = self.server.account(&word_behind(" id "));
        (word_behind(" with "), account.origin.auth.as_deref().map(str::to_owned))
    }

    /// That what [`Self::came`] says is what it has to be for somebody who has authenticated under TLS.
    #[track_caller]
    pub(super) fn came_from_alice(&self, count: usize, letter: &str) {
        assert_eq!(self.came(count, letter), ("ESMTPSA".to_owned(), Some("alice".to_owned())));
    }
}

fn private(site: &Site, name: &str, text: &str) {
    site.write(name, text);
    set_permissions(site.path(name), Permissions::from_mode(0o600)).unwrap();
}

/// A letter from alice to bob with lines that end in LF, as programs read it from files, and without the empty lines at its end, which
/// they treat in ways of their own.
pub(super) fn from_alice(subject: &str) -> String {
    let letter = letter(subject).replace("Sender <sender@client.example>", "Alice <alice@example.com>");
    letter.replace("\r\n", "\n").trim_end().to_owned() + "\n"
}
