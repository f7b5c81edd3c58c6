//! Held messages: by sinks and by operators; released behind where they were held, or run through all sinks again;
//! tried at once, removed.

use crate::hop::Hop;
use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use mailsluice::intake::{Account, State};
use mailsluice::spool::{MemorySpool, StoreFault};
use mailsluice::transport::Operation;
use std::sync::Arc;

const RELEASE: Operation = Operation::Release { rerun: false };
const RERUN: Operation = Operation::Release { rerun: true };

/// A sink that adds `X-NAME`.
fn marks(name: &str) -> String {
    format!(
        "[[sink]]\nname = \"{name}\"\nnative = \"headers\"\nconfig = {{ add = [{{ name = \"X-{name}\", value = \"1\" }}] }}\n"
    )
}

/// A sink that says this at an event.
fn says(name: &str, event: &str, verdict: &str) -> String {
    let rule = format!("[[sink.config.rule]]\nevent = \"{event}\"\n{verdict}\n");
    format!("[[sink]]\nname = \"{name}\"\nnative = \"policy\"\n{rule}")
}

fn holds(event: &str) -> String {
    says("holds", event, "hold = \"to be seen\"")
}

fn with(manifest: &[String]) -> Inside {
    Plan::new(Site::PLAIN).manifest(&manifest.concat()).start()
}

fn send(server: &Inside, recipients: &[&str]) -> String {
    let mut client = SmtpClient::greeted(server.address(0));
    let accepted = client.deliver("a@client.example", recipients, "Subject: x\r\n\r\ny\r\n").must_be(250);
    // It is in the spool now, and in the queue a moment later.
    server.account(accepted.id());
    accepted.id().to_owned()
}

/// Sends a message, which must be held.
fn send_held(server: &Inside) -> String {
    let id = send(server, &["alice@example.com"]);
    assert_eq!(server.account(&id).state, State::Held);
    id
}

/// What the one delivered message was marked with, in order.
fn marked(server: &Inside) -> Vec<String> {
    let [message] = server.arrived("alice", 1).try_into().expect("one message");
    message.lines().filter_map(|l| l.strip_prefix("X-")?.split(':').next()).map(str::to_owned).collect()
}

#[test]
fn released_it_goes_on_behind_who_held_it() {
    let server = with(&[marks("first"), holds("transport.submit"), marks("after")]);
    let id = send_held(&server);
    let account = server.account(&id);
    assert_eq!(account.hold.as_deref(), Some("to be seen"));
    assert_eq!(account.ledger.entries.len(), 2, "the rest was not asked yet: {account:?}");
    server.operate(&id, &RELEASE).unwrap();
    assert_eq!(marked(&server), ["first", "after"]);
    let asked: Vec<String> = delivered(&server, &id).ledger.entries.iter().map(|e| e.sink.to_string()).collect();
    assert_eq!(asked, ["first", "holds", "after"]);
}

/// Waits until a message is done, and returns its account.
fn delivered(server: &Inside, id: &str) -> Account {
    eventually("the delivery to be recorded", || Some(server.account(id)).filter(|a| a.state == State::Delivered))
}

#[test]
fn released_under_a_manifest_in_which_its_holder_is_gone() {
    let server = with(&[marks("first"), holds("transport.submit"), marks("after")]);
    let id = send_held(&server);
    let early = marks("early") + "[[sink.on]]\nevent = \"transport.submit\"\npriority = 5\n";
    let late = marks("late") + "[[sink.on]]\nevent = \"transport.submit\"\npriority = 30000\n";
    server.put_in_force(&(early + &late));
    server.operate(&id, &RELEASE).unwrap();
    assert_eq!(marked(&server), ["first", "late"]);
}

#[test]
fn run_through_all_sinks_again() {
    let server = with(&[marks("first"), holds("transport.submit"), marks("after")]);
    let id = send_held(&server);
    let again = server.operate(&id, &RERUN).unwrap_err();
    assert!(again.contains("held again by holds: to be seen"), "{again}");
    assert_eq!(server.account(&id).state, State::Held, "held again by the same sink");
    server.put_in_force(&(marks("first") + &marks("after")));
    server.operate(&id, &RERUN).unwrap();
    assert_eq!(marked(&server), ["first", "first", "first", "after"]);
}

#[test]
fn held_before_its_content_came_it_is_heard_by_all_who_judge_content() {
    for event in ["in.mail", "in.rcpt", "in.data", "in.headers", "in.message"] {
        let judge = says("judge", "in.message", "add-header = { name = \"X-judge\", value = \"1\" }");
        let server = with(&[holds(event), judge, marks("submit")]);
        let id = send_held(&server);
        server.operate(&id, &RELEASE).unwrap();
        assert_eq!(marked(&server), ["judge", "submit"], "{event}");
    }
}

#[test]
fn what_a_later_sink_says_counts() {
    // Refused: it stays where it is.
    let refuses = says("refuses", "transport.submit", "reject = \"Not this\"");
    let server = with(&[holds("transport.submit"), marks("between"), refuses]);
    let id = send_held(&server);
    let why = server.operate(&id, &RELEASE).unwrap_err();
    assert!(why.contains("550 5.7.1 Not this") && why.contains("it stays held"), "{why}");
    assert_eq!(server.account(&id).state, State::Held);
    server.put_in_force(&(holds("transport.submit") + &marks("between")));
    server.operate(&id, &RELEASE).unwrap();
    assert_eq!(marked(&server), ["between"], "what was refused has changed nothing");
    // Held again, elsewhere.
    let again = says("again", "transport.submit", "hold = \"once more\"");
    let server = with(&[holds("transport.submit"), again, marks("after")]);
    let id = send_held(&server);
    let why = server.operate(&id, &RELEASE).unwrap_err();
    assert!(why.contains("held again by again: once more"), "{why}");
    assert_eq!(server.account(&id).hold.as_deref(), Some("once more"));
    server.operate(&id, &RELEASE).unwrap();
    assert_eq!(marked(&server), ["after"]);
}

#[test]
fn what_a_later_sink_says_of_single_recipients_counts() {
    let refused = "when = { recipient = \"bob@*\" }\nper-recipient = true\nreject = \"Not bob\"";
    let server = with(&[holds("transport.submit"), says("refuses", "transport.submit", refused)]);
    let id = send(&server, &["alice@example.com", "bob@example.com"]);
    server.operate(&id, &RELEASE).unwrap();
    server.arrived("alice", 1);
    let bob = || server.account(&id).recipients.remove(1);
    eventually("the failure of the one refused", || (bob().state == "rejected").then_some(()));
    assert_eq!(bob().last.unwrap()["reply"]["text"], "Not bob");
}

#[test]
fn whom_a_sink_has_refused_stays_refused_when_the_whole_is_released() {
    let refused = "when = { recipient = \"bob@*\" }\nper-recipient = true\nreject = \"Not bob\"";
    let server = with(&[says("refuses", "transport.submit", refused), holds("transport.submit")]);
    let id = send(&server, &["alice@example.com", "bob@example.com"]);
    server.operate(&id, &RELEASE).unwrap();
    server.arrived("alice", 1);
    let state = || server.account(&id).recipients.remove(1).state;
    eventually("alice's part to be recorded", || (server.account(&id).recipients[0].state == "done").then_some(()));
    eventually("the failure of the one refused", || (state() == "rejected").then_some(()));
    assert!(!server.data_dir().join("mail/example.com/bob/new").exists(), "bob got what was refused for him");
}

#[test]
fn an_operator_does_not_take_the_place_of_the_sink_that_holds() {
    let server = with(&[holds("transport.submit"), marks("after")]);
    let id = send_held(&server);
    let why = server.operate(&id, &Operation::Hold("me too".into())).unwrap_err();
    assert!(why.contains("held already, by holds: to be seen"), "{why}");
    server.operate(&id, &RELEASE).unwrap();
    assert_eq!(marked(&server), ["after"]);
}

#[test]
fn a_sink_that_is_bound_twice_at_one_priority_holds_once_at_each() {
    let on = "[[sink.on]]\nevent = \"transport.submit\"\n";
    let server = with(&[holds("transport.submit") + on + on, marks("after")]);
    let id = send_held(&server);
    let why = server.operate(&id, &RELEASE).unwrap_err();
    assert!(why.contains("held again by holds"), "{why}");
    server.operate(&id, &RELEASE).unwrap();
    assert_eq!(marked(&server), ["after"]);
}

#[test]
fn a_trap_for_unknown_recipients_takes_nothing_from_the_others() {
    let trap = "when = { standing = \"unknown\" }\ndiscard = true";
    let server = with(&[says("trap", "in.rcpt", trap)]);
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("EHLO client.example").must_be(250);
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("RCPT TO:<nobody@example.com>").must_be(550);
    client.command("RCPT TO:<alice@example.com>").must_be(250);
    client.command("DATA").must_be(354);
    client.command("Subject: x\r\n\r\ny\r\n.").must_be(250);
    server.arrived("alice", 1);
}

#[test]
fn discarded_at_its_release_but_not_before_that_is_durable() {
    let spool = Arc::new(MemorySpool::new());
    let discards = says("discards", "transport.submit", "discard = true");
    let manifest = holds("transport.submit") + &discards;
    let server = Plan::new(Site::PLAIN).manifest(&manifest).spool(spool.clone()).start();
    let id = send_held(&server);
    spool.refuse_with(Some(StoreFault::Full("no room".into())));
    let why = server.operate(&id, &RELEASE).unwrap_err();
    assert!(why.contains("no room"), "{why}");
    assert_eq!(server.account(&id).state, State::Held, "it is still there");
    spool.refuse_with(None);
    server.operate(&id, &RELEASE).unwrap();
    assert_eq!(server.account(&id).state, State::Discarded);
    assert_eq!(server.queue.count(), 0);
}

#[test]
fn single_recipients_are_released() {
    let parked = "when = { recipient = \"bob@*\" }\nper-recipient = true\nhold = \"not bob\"";
    let refused = "when = { recipient = \"postmaster@*\" }\nper-recipient = true\nreject = \"Not here\"";
    let server = with(&[says("parks", "transport.submit", parked), says("refuses", "transport.submit", refused)]);
    let id = send(&server, &["alice@example.com", "bob@example.com", "postmaster@example.com"]);
    server.arrived("alice", 1);
    let states = || server.account(&id).recipients.into_iter().map(|r| r.state).collect::<Vec<_>>();
    eventually("alice's part to be recorded", || (states()[0] == "done").then_some(()));
    eventually("the failure of the one refused", || (states()[2] == "rejected").then_some(()));
    assert_eq!(states(), ["done", "held", "rejected"]);
    server.operate(&id, &RELEASE).unwrap();
    server.arrived("bob", 1);
    assert_eq!(server.arrived("alice", 1).len(), 1, "delivered again");
    eventually("its end", || (server.account(&id).state == State::Failed).then_some(()));
    assert_eq!(states(), ["done", "done", "rejected"]);
    assert!(!server.data_dir().join("mail/example.com/postmaster/new").exists(), "refused is refused");
}

/// A server that relays to a hop, and a message that the hop is about to take.
fn at_a_hop() -> (Inside, Hop, String) {
    let hop = Hop::start();
    let route = format!("[[route]]\ndomain = \"uni.example\"\nto = {{ smtp = \"{}\" }}\n", hop.address);
    let config = Site::PLAIN.replace("[recipients]", "relay-to = [\"uni.example\"]\n[recipients]") + &route;
    let server = Plan::new(&config).start();
    let id = send(&server, &["x@uni.example"]);
    (server, hop, id)
}

/// Does something to a message once nobody else has it.
fn operate_when_idle(server: &Inside, id: &str, operation: &Operation) {
    let done = eventually("the message to be idle", || match server.operate(id, operation) {
        Err(busy) if busy.contains("being delivered at this moment") => None,
        other => Some(other),
    });
    done.unwrap();
}

#[test]
fn an_operator_holds_releases_and_retries() {
    let (server, hop, id) = at_a_hop();
    let arrival = hop.next();
    let busy = server.operate(&id, &Operation::Remove).unwrap_err();
    assert!(busy.contains("is being delivered at this moment; try again"), "{busy}");
    arrival.answer("451 later");
    operate_when_idle(&server, &id, &Operation::Hold("wait for me".into()));
    let account = server.account(&id);
    assert_eq!((account.state, account.hold.as_deref()), (State::Held, Some("wait for me")));
    assert_eq!(account.recipients[0].attempts, 1);
    let held = server.operate(&id, &Operation::Retry).unwrap_err();
    assert!(held.contains("release it"), "{held}");
    server.operate(&id, &RELEASE).unwrap();
    hop.next().answer("451 later still");
    // Its time would come in a quarter of an hour.
    operate_when_idle(&server, &id, &Operation::Retry);
    hop.next().answer("250 mine");
    assert_eq!(delivered(&server, &id).recipients[0].attempts, 3);
    let gone = server.operate(&id, &Operation::Retry).unwrap_err();
    assert!(gone.contains("is not in the queue"), "{gone}");
}

#[test]
fn an_operator_removes() {
    let (server, hop, id) = at_a_hop();
    hop.next().answer("451 later");
    operate_when_idle(&server, &id, &Operation::Remove);
    assert_eq!(server.account(&id).state, State::Removed);
    assert_eq!(server.queue.count(), 0);
}

#[test]
fn what_failed_for_good_is_over_and_said_to_be_so() {
    let (server, hop, id) = at_a_hop();
    hop.next().answer("550 never");
    let failed = eventually("the failure", || Some(server.account(&id)).filter(|a| a.state == State::Failed));
    let last = failed.recipients[0].last.as_ref().unwrap();
    assert_eq!((&last["outcome"], &last["reply"]["text"]), (&"failed".into(), &"never".into()), "{last}");
    let nothing = server.operate(&id, &Operation::Retry).unwrap_err();
    assert!(nothing.contains("is not in the queue"), "to say yes and do nothing would be a lie: {nothing}");
}

#[test]
fn over_a_restart_and_by_the_command_line() {
    let site = Site::new(Site::PLAIN);
    site.write("sinks.toml", &[marks("first"), holds("transport.submit"), marks("after")].concat());
    let server = site.start();
    let send = |server: &crate::server::Server| {
        let mut client = SmtpClient::greeted(server.address(0));
        let message = "Subject: x\r\n\r\ny\r\n";
        client.deliver("a@client.example", &["alice@example.com"], message).must_be(250).id().to_owned()
    };
    let (released, removed) = (send(&server), send(&server));
    let server = server.stop().start();
    assert_eq!((server.status().queue.messages, server.status().queue.held), (2, 2));
    server.told(&["queue", "release", &released]);
    let [message] = server.arrived("example.com", "alice", 1).try_into().unwrap();
    let message = String::from_utf8(message).unwrap();
    assert!(message.contains("\nX-first: 1\nX-after: 1\n") && message.contains(&released), "{message}");
    server.told(&["queue", "remove", &removed]);
    assert_eq!(server.account(&removed).state, State::Removed);
    eventually("an empty queue", || (server.status().queue.messages == 0).then_some(()));
}
