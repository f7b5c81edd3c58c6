//! `queue sites`, `suspend`, `resume` and `bounce`, and the track that `why` tells, by the command line of the real binary.

use crate::hop::Hop;
use crate::server::{Server, Site};
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;

/// A server that relays one domain to this hop.
fn relaying(hop: &Hop) -> Server {
    let route = format!("[[route]]\ndomain = \"uni.example\"\nto = {{ smtp = \"{}\" }}\n", hop.address);
    let config = Site::PLAIN.replace("[recipients]", "relay-to = [\"uni.example\"]\n[recipients]");
    Site::new(&(config + &route)).start()
}

fn send(server: &Server) -> String {
    let mut client = SmtpClient::greeted(server.address(0));
    let message = "Subject: x\r\n\r\ny\r\n";
    client.deliver("alice@example.com", &["x@uni.example"], message).must_be(250).id().to_owned()
}

#[test]
fn a_domain_is_stopped_and_let_go_on() {
    let hop = Hop::start();
    let server = relaying(&hop);
    server.told(&["queue", "suspend", "--domain", "uni.example", "--reason", "they move"]);
    let id = send(&server);
    eventually("the site to be waited for", || {
        let sites: serde_json::Value = serde_json::from_str(&server.told(&["queue", "sites", "--json"])).unwrap();
        (sites["sites"][0]["waiting"] == 1).then_some(())
    });
    let sites = server.told(&["queue", "sites"]);
    assert!(sites.contains("domain `uni.example` is suspended until it is resumed: they move"), "{sites}");
    assert!(hop.at_once().is_none(), "what is suspended gets nothing");
    server.told(&["queue", "resume", "--domain", "uni.example"]);
    hop.next().answer("250 mine");
    eventually("the track's end", || server.told(&["why", &id]).contains("delivered").then_some(()));
    let why: serde_json::Value = serde_json::from_str(&server.told(&["why", &id, "--json"])).unwrap();
    let steps: Vec<&str> = why["track"].as_array().unwrap().iter().map(|step| step["step"].as_str().unwrap()).collect();
    assert_eq!(steps.first(), Some(&"received"), "{why}");
    assert_eq!(steps.last(), Some(&"delivered"), "{why}");
}

#[test]
fn what_an_operator_gives_up_goes_back_to_its_sender() {
    let hop = Hop::start();
    let server = relaying(&hop);
    let id = send(&server);
    hop.next().answer("451 later");
    eventually("the deferral", || server.told(&["queue", "list", "--why", "451*later*"]).contains(&id).then_some(()));
    let would = server.told(&["queue", "bounce", "--why", "*later*", "--dry-run"]);
    assert!(would.contains(&format!("{id} would be returned")), "{would}");
    server.told(&["queue", "bounce", &id, "--text", "that faculty is closed"]);
    let [report] = server.arrived("example.com", "alice", 1).try_into().unwrap();
    let report = String::from_utf8(report).unwrap();
    assert!(report.contains("Action: failed") && report.contains("that faculty is closed"), "{report}");
}

#[test]
fn what_is_stopped_stays_so_over_a_restart_and_the_queue_says_why_a_message_waits() {
    let hop = Hop::start();
    let server = relaying(&hop);
    server.told(&["queue", "suspend", "--domain", "uni.example", "--reason", "they move"]);
    let server = server.kill().start();
    let sites = server.told(&["queue", "sites"]);
    assert!(sites.contains("domain `uni.example` is suspended until it is resumed: they move"), "{sites}");
    let id = send(&server);
    let waits = eventually("the message to wait", || {
        let shown = server.told(&["queue", "show", &id]);
        shown.lines().find(|line| line.trim_start().starts_with("waits ")).map(str::to_owned)
    });
    assert!(waits.contains("for a turn at ") && waits.contains("suspended: they move"), "{waits}");
    server.told(&["queue", "resume", "--domain", "uni.example"]);
    hop.next().answer("250 mine");
    let server = server.kill().start();
    assert!(!server.told(&["queue", "sites"]).contains("suspended"), "it was resumed");
}
