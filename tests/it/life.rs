//! The life of the server's process: ready, reload, stop, start again, and what keeps it from starting.

use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use nix::unistd::{User, geteuid, mkfifo};
use std::fs::{Permissions, metadata, set_permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

#[test]
fn ready_names_every_listener_in_order() {
    let two = Site::PLAIN.replace("[domains]", "[[listener]]\naddress = \"[::1]:0\"\nrole = \"lmtp\"\n[domains]");
    let server = Site::new(&two).start();
    assert_eq!(server.listeners(), 2);
    assert!(server.address(0).is_ipv4() && server.address(1).is_ipv6());
    SmtpClient::greeted(server.address(0)).quit();
    let mut lmtp = SmtpClient::connect(server.address(1));
    lmtp.expect(220);
    lmtp.command("LHLO client.example").must_be(250);
    lmtp.quit();
    assert!(server.socket().exists());
}

#[test]
fn a_message_arrives_and_a_stopped_server_starts_again() {
    let server = Site::new(Site::PLAIN).start();
    let mut client = SmtpClient::greeted(server.address(0));
    let reply = client.deliver("a@client.example", &["alice@example.com"], "Subject: x\r\n\r\n.y\r\n").must_be(250);
    client.quit();
    let [message] = server.arrived("example.com", "alice", 1).try_into().expect("one message");
    assert!(message.ends_with(b"\nSubject: x\n\n.y\n"), "{}", String::from_utf8_lossy(&message));
    assert!(server.told(&["why", reply.id()]).contains(reply.id()));
    server.logged(reply.id());
    let server = server.stop().start();
    SmtpClient::greeted(server.address(0)).quit();
    assert_eq!(server.arrived("example.com", "alice", 1).len(), 1, "delivered again");
}

#[test]
fn sighup_puts_another_configuration_in_force() {
    let config = |users: &str| Site::PLAIN.replace("\"bob\"", users) + "[reload]\nwatch = false\n";
    let server = Site::new(&config("\"bob\"")).start();
    let rcpt = || {
        let mut client = SmtpClient::greeted(server.address(0));
        client.command("MAIL FROM:<>").must_be(250);
        client.command("RCPT TO:<carol@example.com>").code
    };
    assert_eq!(rcpt(), 550);
    server.configure(&config("\"bob\", \"carol\""));
    server.reload();
    eventually("carol", || (rcpt() == 250).then_some(()));
}

#[test]
fn a_data_directory_has_one_server() {
    let server = Site::new(Site::PLAIN).start();
    let second = server.cli(&["serve"]);
    assert_eq!(second.status.code(), Some(1), "{}", String::from_utf8_lossy(&second.stderr));
    SmtpClient::greeted(server.address(0)).quit();
}

#[test]
fn a_wrong_configuration_is_told_instead_of_ready() {
    let (status, log) = Site::new("[domains]\nlocl = []\n").try_start().err().expect("it must not start");
    assert_eq!(status.code(), Some(1));
    assert!(log.contains("did you mean `local`?"), "{log}");
}

#[test]
fn sigterm_is_heard_during_a_reload() {
    let server = Site::new(&format!("{}[reload]\nwatch = false\n", Site::PLAIN)).start();
    let path = server.path("sinks.toml");
    mkfifo(&path, Mode::S_IRWXU).unwrap();
    server.reload();
    // There is a writer only once the reload reads; it never gets an octet.
    let writer = eventually("a reload", || open(&path, OFlag::O_WRONLY | OFlag::O_NONBLOCK, Mode::empty()).ok());
    server.stop();
    drop(writer);
}

/// Needs to be root, as does the server that it is about.
#[test]
fn what_only_root_can_read_and_make_is_read_and_made_before_root_is_given_up() {
    let Some(user) = User::from_name("nobody").unwrap().filter(|_| geteuid().is_root()) else { return };
    let config = |run: &str| format!("{}[admin]\nsocket = \"run/m/admin.sock\"\n{run}", Site::PLAIN);
    let site = Site::new(&config("[run]\nuser = \"nobody\"\n"));
    set_permissions(site.path(""), Permissions::from_mode(0o755)).unwrap();
    assert_eq!(metadata(site.path("mailsluice.toml")).unwrap().mode() & 0o777, 0o600);
    let server = site.start();
    let of = |name: &str| metadata(server.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"));
    assert_eq!(metadata(format!("/proc/{}", server.pid())).unwrap().uid(), user.uid.as_raw());
    for name in ["var", "var/lock", "var/history", "var/run/m", "var/run/m/admin.sock"] {
        assert_eq!(of(name).uid(), user.uid.as_raw(), "{name}");
    }
    assert_eq!(of("var/history").mode() & 0o777, 0o700);
    assert_eq!(of("var/run/m/admin.sock").mode() & 0o777, 0o600);
    assert!(server.told(&["status"]).contains("generation"), "{}", server.told(&["status"]));
    server.logged("run.user can't read this file");
    let site = server.stop();
    assert!(!site.path("var/run/m/admin.sock").exists());
    site.start().stop();
}
