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

#[test]
fn what_a_sink_logs_is_followed_and_status_tells_what_it_is() {
    let site = Site::new(Site::PLAIN);
    site.write("talk.js", "export function onArrival(message) { console.log('of', message.subject); }\n");
    site.write("quiet.js", "export function onArrival(message) { console.log('not asked for'); }\n");
    let sinks = "[[sink]]\nname = \"quiet\"\nscript = \"quiet.js\"\n[[sink]]\nname = \"talk\"\nscript = \"talk.js\"\nreuse = \"pool\"\n\
        [[sink]]\nname = \"log\"\nnative = \"log\"\n";
    site.write("sinks.toml", sinks);
    let server = site.start();
    let mut tail = spawn(&server, &["tail", "--json", "--sink", "talk"]);
    let mut errors = BufReader::new(tail.stderr.take().unwrap());
    errors.read_line(&mut String::new()).unwrap();
    let reply =
        SmtpClient::greeted(server.address(0)).deliver("a@client.example", &["bob@example.com"], "Subject: x\r\n\r\n");
    let mut lines = BufReader::new(tail.stdout.take().unwrap()).lines();
    let mut told = || serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap();
    let line = told();
    assert_eq!((&line["sink"], &line["level"], &line["text"]), (&"talk".into(), &"info".into(), &"of x".into()));
    assert_eq!((&line["id"], &told()["id"]), (&reply.id().into(), &reply.id().into()), "and then the account");
    let status = server.status();
    let talk = &status.sinks["talk"];
    assert_eq!((talk.kind.as_str(), talk.reuse.as_deref(), talk.parked), ("script", Some("pool"), Some(1)));
    assert_eq!((status.sinks["log"].kind.as_str(), status.sinks["log"].parked), ("native", None));
    let metrics = server.told(&["status", "--metrics"]);
    assert!(metrics.contains("mailsluice_sink_parked{sink=\"talk\"} 1\n") && metrics.ends_with("# EOF\n"), "{metrics}");
    tail.kill().unwrap();
    tail.wait().unwrap();
}
