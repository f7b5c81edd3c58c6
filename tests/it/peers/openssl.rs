//! OpenSSL's `s_client`: which versions and certificates there are, client certificates, and whose tickets are good where.

use super::peer;
use crate::server::{Server, Site};
use crate::tls::authority::{Authority, Leaf};
use crate::wait::PATIENCE;
use mailsluice::sasl::scram::Keys;
use std::fs::{Permissions, set_permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};

/// Two listeners that differ only in how a session begins, one that wants a certificate of clients, and one for TLS 1.3 alone.
const STARTTLS: usize = 0;
const IMPLICIT: usize = 1;
const CERTIFIED: usize = 2;
const NEWEST: usize = 3;

fn start() -> Server {
    let pair = "certificate = 'mx.pem', key = 'mx.key', certificates = [{ certificate = 'net.pem', key = 'net.key' }]";
    let one = |name: &str, role: &str, tls: &str| {
        format!("[[listener]]\naddress = '127.0.0.1:0'\nname = '{name}'\n{role}tls = {{ {tls}, {pair} }}\n")
    };
    let listeners = one("starttls", "", "mode = 'starttls'")
        + &one("implicit", "", "mode = 'implicit'")
        + &one(
            "certified",
            "role = 'submission'\nauth = ['EXTERNAL']\n",
            "mode = 'implicit', client-certificates = 'required', client-ca = 'ca.pem'",
        )
        + &one("newest", "", "mode = 'implicit', min-version = '1.3'");
    let rest = Site::PLAIN.split_once("[domains]").unwrap().1;
    let site = Site::new(&format!("{listeners}[auth]\nusers = 'users'\n[domains]{rest}"));
    let authority = Authority::new("Test CA");
    let put = |name: &str, leaf: &Leaf| {
        site.write(&format!("{name}.pem"), &leaf.certificate);
        site.write(&format!("{name}.key"), &leaf.key);
        set_permissions(site.path(&format!("{name}.key")), Permissions::from_mode(0o600)).unwrap();
    };
    put("mx", &authority.server(&["mx.example.com"]));
    put("net", &authority.server(&["mail.example.net"]));
    put("client", &authority.client(&["alice"]));
    put("stranger", &Authority::new("Other CA").client(&["alice"]));
    site.write("ca.pem", &authority.certificate());
    let keys = Keys::of_password("pencil", b"0123456789abcdef", 4096);
    site.write("users", &format!("alice:{{SCRAM-SHA-256}}{keys}:alice@example.com\n"));
    set_permissions(site.path("users"), Permissions::from_mode(0o600)).unwrap();
    site.start()
}

/// A running `openssl s_client`. Its output is read by a thread, so that no test waits longer than [`PATIENCE`].
struct Client {
    process: Child,
    lines: Receiver<String>,
    /// All that it has printed on standard output so far.
    seen: String,
}

impl Client {
    /// Connects to a listener and asks for `mx.example.com`, which the certificate has to name.
    fn start(server: &Server, listener: usize, options: &[&str]) -> Self {
        Self::asking(server, listener, "mx.example.com", options)
    }

    fn asking(server: &Server, listener: usize, name: &str, options: &[&str]) -> Self {
        let mut command = Command::new(peer("openssl").expect("openssl"));
        command.args(["s_client", "-ign_eof", "-connect", &server.address(listener).to_string()]);
        if listener == STARTTLS {
            command.args(["-starttls", "smtp", "-name", "client.example"]);
        }
        command.args(["-servername", name, "-verify_hostname", name, "-verify_return_error", "-CAfile", "ca.pem"]);
        command.args(options).current_dir(server.path(""));
        let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut process = child.expect("starting openssl");
        let mut out = BufReader::new(process.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            while out.read_line(&mut line).is_ok_and(|length| length > 0) && sender.send(line).is_ok() {
                line = String::new();
            }
        });
        Self { process, lines, seen: String::new() }
    }

    /// Says a line and waits for the reply, which has to have this in its last line.
    #[track_caller]
    fn say(&mut self, line: &str, wanted: &str) -> &mut Self {
        write!(self.process.stdin.as_ref().unwrap(), "{line}\r\n").unwrap();
        self.hear(wanted)
    }

    /// Waits for this. OpenSSL writes of tickets into the same stream, so that it may stand behind anything.
    #[track_caller]
    fn hear(&mut self, wanted: &str) -> &mut Self {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push_str(&line);
            if line.contains(wanted) {
                return self;
            }
        }
        let _ = self.process.kill();
        let mut errors = String::new();
        let _ = self.process.stderr.take().unwrap().read_to_string(&mut errors);
        panic!("no {wanted:?} in\n{}\n{errors}", self.seen);
    }

    /// Reads the greeting, of which there is none after STARTTLS, and says EHLO.
    #[track_caller]
    fn greeted(mut self, listener: usize) -> Self {
        if listener != STARTTLS {
            self.hear("220 mx.example.com");
        }
        self.say("EHLO client.example", if listener == CERTIFIED { "250 AUTH EXTERNAL" } else { "250 REQUIRETLS" });
        self
    }

    /// Says QUIT; all that was printed.
    #[track_caller]
    fn quit(mut self) -> String {
        self.say("QUIT", "221 2.0.0");
        let (good, said) = self.end();
        assert!(good, "{said}");
        said
    }

    /// Waits for its end: whether that is a good one, and all that was printed.
    fn end(mut self) -> (bool, String) {
        drop(self.process.stdin.take());
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push_str(&line);
        }
        // It has ended by now, or never will.
        let _ = self.process.kill();
        let output = self.process.wait_with_output().unwrap();
        (output.status.success(), self.seen + &String::from_utf8_lossy(&output.stderr))
    }
}

#[test]
fn openssl_speaks_the_versions_that_we_do_and_no_other() {
    if peer("openssl").is_none() {
        return;
    }
    let server = start();
    for listener in [STARTTLS, IMPLICIT] {
        for (option, version) in [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")] {
            let mut client = Client::start(&server, listener, &[option]).greeted(listener);
            client.say("MAIL FROM:<a@client.example>", "250 2.1.0").say("RCPT TO:<alice@example.com>", "250 2.1.5");
            client.say("DATA", "354 Send").say("Subject: x\r\n\r\ny\r\n.", "250 2.0.0");
            let said = client.quit();
            assert!(
                said.contains(&format!("New, {version}, Cipher is")) && said.contains("Verification: OK"),
                "{said}"
            );
        }
        // Its own rules would keep it from trying.
        for (option, level) in [("-tls1_1", "DEFAULT@SECLEVEL=0"), ("-tls1", "DEFAULT@SECLEVEL=0")] {
            let (good, said) = Client::start(&server, listener, &[option, "-cipher", level]).end();
            assert!(!good && said.contains("alert number 40"), "{option}: {said}");
            server.logged("reason=peer is incompatible");
        }
    }
    let (good, said) = Client::start(&server, NEWEST, &["-tls1_2"]).end();
    assert!(!good && said.contains("alert protocol version"), "{said}");
    Client::start(&server, NEWEST, &[]).greeted(NEWEST).quit();
    for message in server.arrived("example.com", "alice", 4) {
        assert!(String::from_utf8_lossy(&message).contains("with ESMTPS (TLSv1."));
    }
}

#[test]
fn openssl_is_shown_the_certificate_that_it_asks_for() {
    if peer("openssl").is_none() {
        return;
    }
    let server = start();
    for listener in [STARTTLS, IMPLICIT] {
        for name in ["mx.example.com", "mail.example.net"] {
            Client::asking(&server, listener, name, &[]).greeted(listener).quit();
        }
        // Who asks for what nobody has is shown the first.
        let (good, said) = Client::asking(&server, listener, "other.example", &[]).end();
        assert!(!good && said.contains("hostname mismatch") && said.contains("mx.example.com"), "{said}");
    }
}

#[test]
fn openssl_shows_its_own_certificate_and_is_the_user_whose_it_is() {
    if peer("openssl").is_none() {
        return;
    }
    let server = start();
    for version in ["-tls1_2", "-tls1_3"] {
        let own = ["-cert", "client.pem", "-key", "client.key", version];
        let mut client = Client::start(&server, CERTIFIED, &own).greeted(CERTIFIED);
        client.say("AUTH EXTERNAL =", "235 2.7.0").say("MAIL FROM:<alice@example.com>", "250 2.1.0");
        client.quit();
        let other = ["-cert", "stranger.pem", "-key", "stranger.key", version];
        for without in [&[version][..], &other] {
            let (good, said) = Client::start(&server, CERTIFIED, without).end();
            assert!(!good && !said.contains("220 mx.example.com"), "{without:?}: {said}");
            assert!(said.contains("alert"), "{said}");
        }
    }
}

#[test]
fn tickets_of_openssl_are_good_only_where_they_are_from() {
    if peer("openssl").is_none() {
        return;
    }
    let server = start();
    let own = ["-cert", "client.pem", "-key", "client.key"];
    for version in ["-tls1_2", "-tls1_3"] {
        let talk = |listener: usize, options: &[&str]| {
            let options = [&own[..], &[version], options].concat();
            Client::start(&server, listener, &options).greeted(listener).quit()
        };
        for giver in [STARTTLS, IMPLICIT, CERTIFIED] {
            assert!(talk(giver, &["-sess_out", "ticket"]).contains("New, TLSv1."));
            let again = talk(giver, &["-sess_in", "ticket"]);
            assert!(again.contains("Reused, TLSv1."), "{version} at {giver}: {again}");
            for taker in [STARTTLS, IMPLICIT, CERTIFIED].into_iter().filter(|taker| *taker != giver) {
                let elsewhere = talk(taker, &["-sess_in", "ticket"]);
                assert!(elsewhere.contains("New, TLSv1."), "{version}, of {giver} at {taker}: {elsewhere}");
            }
        }
    }
}
