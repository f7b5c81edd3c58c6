//! `mailsluice tail`, and readers that go away.

use crate::server::Site;
use crate::smtp_client::SmtpClient;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// The verb as a process of its own, with its output to be read.
fn spawn(site: &Site, args: &[&str]) -> Child {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mailsluice"));
    command.args(args).arg("--config").arg(site.path("mailsluice.toml"));
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("starting mailsluice")
}

#[test]
fn tail_tells_as_it_happens_until_the_server_stops() {
    let server = Site::new(Site::PLAIN).start();
    let mut tail = spawn(&server, &["tail", "--json", "--recipient", "bob@*"]);
    let mut errors = BufReader::new(tail.stderr.take().unwrap());
    let mut following = String::new();
    errors.read_line(&mut following).unwrap();
    assert_eq!(following, "following; end with Ctrl-C\n");
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("a@client.example", &["alice@example.com"], "Subject: x\r\n\r\n").must_be(250);
    let id =
        client.deliver("a@client.example", &["bob@example.com"], "Subject: x\r\n\r\n").must_be(250).id().to_owned();
    client.quit();
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut told = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
    for state in ["queued", "delivered"] {
        let account = told();
        assert_eq!((&account["id"], &account["state"]), (&id.as_str().into(), &state.into()));
    }
    server.stop();
    assert!(tail.wait().unwrap().success());
    let mut rest = String::new();
    errors.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "the server has stopped\n");
}

#[test]
fn a_reader_that_goes_away_ends_a_verb_quietly() {
    let site = Site::new(Site::PLAIN);
    let mut events = spawn(&site, &["events", "--json"]);
    drop(events.stdout.take());
    let mut errors = String::new();
    events.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
    assert_eq!((events.wait().unwrap().code(), errors.as_str()), (Some(0), ""));
}
