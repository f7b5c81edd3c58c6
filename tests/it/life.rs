//! The life of the server's process: ready, reload, stop, start again, and what keeps it from starting.

use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;

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
