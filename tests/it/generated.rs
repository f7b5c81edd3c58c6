//! Messages that sinks make: they enter with what they were made of or not at all, and never without end.

use crate::inside::{Inside, Plan};
use crate::server::Site;
use crate::smtp_client::{Reply, SmtpClient};
use bytes::Bytes;
use mailsluice::event::{Edit, Edits, Env, Event, Hearing, Interest, NewMessage, Scene, Sink, Verdict};
use mailsluice::intake::{Account, State};
use mailsluice::mail::{ForwardPath, Id, ReversePath};
use mailsluice::spool::{MemorySpool, StoreFault};
use mailsluice::transport::Operation;
use serde::Deserialize;
use std::sync::Arc;

/// Makes `count` messages to `to` of every message that it hears.
#[derive(Clone, Deserialize)]
struct Maker {
    to: Vec<ForwardPath>,
    #[serde(default = "one")]
    count: usize,
    #[serde(default)]
    body: String,
}

fn one() -> usize {
    1
}

impl Sink for Maker {
    fn interest(&self) -> Interest {
        Interest::in_events([Event::InMessage, Event::TransportSubmit])
    }

    fn hear<'a>(&'a self, _: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        for _ in 0..self.count {
            let content =
                Bytes::from(format!("Subject: made\r\nAuto-Submitted: auto-generated\r\n\r\n{}\r\n", self.body));
            let (sender, recipients) = (ReversePath::Null, self.to.clone());
            edits.push(Edit::Generate(Arc::new(NewMessage { sender, recipients, content: content.into() })));
        }
        Hearing::Now(Ok(Verdict::Next))
    }
}

fn plan(manifest: &[String]) -> Plan {
    let open = |config: Maker, _: &mut Env| Ok::<_, String>(config);
    Plan::new(Site::PLAIN).natives(|natives| natives.with("maker", open)).manifest(&manifest.concat())
}

fn with(manifest: &[String]) -> Inside {
    plan(manifest).start()
}

/// A maker of messages to bob, at `transport.submit`.
fn maker(name: &str) -> String {
    maker_of(name, "to = ['bob@example.com']", "")
}

fn maker_of(name: &str, config: &str, on: &str) -> String {
    format!(
        "[[sink]]\nname = '{name}'\nnative = 'maker'\nallow = {{ submit = true }}\nconfig = {{ {config} }}\n\
         [[sink.on]]\nevent = 'transport.submit'\n{on}\n"
    )
}

/// A sink that says this at `transport.submit` of messages to alice.
fn says(verdict: &str) -> String {
    format!(
        "[[sink]]\nname = 'says'\nnative = 'policy'\n[[sink.config.rule]]\nevent = 'transport.submit'\n\
         when = {{ recipient = 'alice@*' }}\n{verdict}\n"
    )
}

fn marks() -> String {
    "[[sink]]\nname = 'marks'\nnative = 'headers'\nconfig = { add = [{ name = 'X-Mark', value = '1' }] }\n".to_owned()
}

fn send(server: &Inside) -> Reply {
    let mut client = SmtpClient::greeted(server.address(0));
    client.deliver("a@client.example", &["alice@example.com"], "Subject: x\r\n\r\ny\r\n")
}

/// The account of what was sent, and those of what was made of it.
fn family(server: &Inside, sent: &Reply) -> (Account, Vec<Account>) {
    let parent = server.account(sent.id());
    let children = parent.ledger.generated.iter().map(|id| server.account(&id.to_string())).collect();
    (parent, children)
}

fn asked(account: &Account) -> Vec<&str> {
    account.ledger.entries.iter().map(|entry| &*entry.sink).collect()
}

#[test]
fn what_is_made_is_a_message_like_any_other() {
    let server = with(&[maker("maker"), marks()]);
    let sent = send(&server).must_be(250);
    let [made] = server.arrived("bob", 1).try_into().unwrap();
    let [original] = server.arrived("alice", 1).try_into().unwrap();
    assert!(original.contains("Subject: x\r\n") || original.contains("Subject: x\n"), "{original}");
    assert!(made.contains("Subject: made") && made.contains("X-Mark: 1"), "{made}");
    assert!(made.contains("(Mailsluice) with local id ") && made.contains("Return-Path: <>"), "{made}");
    let (parent, children) = family(&server, &sent);
    assert_eq!(asked(&parent), ["maker", "marks"]);
    assert_eq!(parent.ledger.entries[0].edits, ["a new message to <bob@example.com>"]);
    let [child] = &children[..] else { panic!("{children:?}") };
    let of = child.origin.made.as_ref().unwrap();
    assert_eq!((&*of.by, of.parent, of.depth), ("maker", parent.id, 1));
    assert_eq!(asked(child), ["marks"], "who has made it does not hear it");
}

#[test]
fn what_was_made_of_a_refused_message_is_gone() {
    for (verdict, code) in [("reject = 'no'", 550), ("defer = 'later'", 451)] {
        let server = with(&[maker("maker"), says(verdict)]);
        let refused = send(&server);
        assert_eq!(refused.code, code);
        assert_eq!(server.account(refused.id()).ledger.generated, []);
        assert!(server.wait(server.kept()).is_empty());
    }
}

#[test]
fn discarded_or_held_what_was_made_enters() {
    for (verdict, state) in [("discard = true", State::Discarded), ("hold = 'x'", State::Held)] {
        let server = with(&[maker("maker"), says(verdict)]);
        let sent = send(&server).must_be(250);
        assert_eq!(server.arrived("bob", 1).len(), 1, "{verdict}");
        assert_eq!(server.account(sent.id()).state, state);
    }
}

#[test]
fn released_what_sinks_make_then_enters_with_the_release() {
    let server = with(&[says("hold = 'x'"), maker("maker")]);
    let sent = send(&server).must_be(250);
    assert_eq!(family(&server, &sent).1, []);
    server.operate(sent.id(), &Operation::Release { rerun: false }).unwrap();
    assert_eq!((server.arrived("alice", 1).len(), server.arrived("bob", 1).len()), (1, 1));
    assert_eq!(family(&server, &sent).1.len(), 1);
}

#[test]
fn all_are_durable_or_none_is() {
    let spool = Arc::new(MemorySpool::new());
    let server = plan(&[maker("maker")]).spool(spool.clone()).delivers_nothing().start();
    let mut client = SmtpClient::greeted(server.address(0));
    for line in ["MAIL FROM:<a@client.example>", "RCPT TO:<alice@example.com>"] {
        client.command(line).must_be(250);
    }
    client.command("DATA").must_be(354);
    spool.refuse_with(Some(StoreFault::Full("no room".into())));
    client.content("Subject: x\r\n\r\ny\r\n");
    client.expect(452);
    spool.refuse_with(None);
    assert_eq!(server.queue.count(), 0);
    send(&server).must_be(250);
    assert_eq!(server.wait(server.kept()).len(), 2);
}

#[test]
fn nothing_is_made_without_the_right_to() {
    let server = with(&[maker("maker").replace("submit = true", "submit = false")]);
    let refused = send(&server);
    assert_eq!(refused.code, 451);
    let fault = server.account(refused.id()).ledger.entries[0].fault.clone().unwrap();
    assert!(fault.contains("needs `allow.submit = true`"), "{fault}");
}

#[test]
fn a_refused_one_does_not_hold_up_its_parent() {
    let no_bob = "[[sink]]\nname = 'no-bob'\nnative = 'policy'\n[[sink.config.rule]]\nevent = 'transport.submit'\n\
                  when = { recipient = 'bob@*' }\nreject = 'not to bob'\n";
    let nobody = maker_of("maker", "to = ['nobody@example.com']", "");
    let bare = maker_of("maker", "to = ['bob@example.com'], body = \"a\\nb\"", "");
    for (manifest, why) in [
        (vec![maker("maker"), no_bob.to_owned()], "not to bob"),
        (vec![nobody], "No such user here"),
        (vec![bare], "CR or LF"),
    ] {
        let server = with(&manifest);
        let sent = send(&server).must_be(250);
        assert_eq!(server.arrived("alice", 1).len(), 1);
        let (parent, children) = family(&server, &sent);
        let [child] = &children[..] else { panic!("{children:?}") };
        assert_eq!(child.state, State::Refused);
        assert!(child.reply.as_ref().unwrap().contains(why), "{child:?}");
        let told = parent.ledger.entries.iter().find(|entry| &*entry.sink == "(guard)").unwrap();
        assert_eq!(told.about.as_deref(), Some(&*format!("{}, made by maker", child.id)));
        assert!(told.said.as_ref().unwrap().contains(why), "{told:?}");
    }
}

#[test]
fn two_makers_do_not_answer_each_other_for_ever() {
    let server = plan(&[maker_of("a", "to = ['bob@example.com']", "on-fault = 'continue'"), maker("b")]);
    let server = server.delivers_nothing().start();
    let sent = send(&server).must_be(250);
    // a makes one, of which b makes one, of which a makes one; and the other way round, where b's fault refuses the last.
    let mut depths: Vec<u8> = server.wait(server.kept()).iter().map(|(entry, _)| entry.origin.depth()).collect();
    depths.sort_unstable();
    assert_eq!(depths, [0, 1, 1, 2, 2, 3]);
    let (_, children) = family(&server, &sent);
    assert_eq!(children.iter().map(|child| child.ledger.generated.len()).collect::<Vec<_>>(), [1, 1]);
}

#[test]
fn so_many_of_one_transaction_and_no_more() {
    let makers: Vec<String> = (0..4)
        .map(|n| maker_of(&format!("m{n}"), "to = ['bob@example.com'], count = 10", "on-fault = 'continue'"))
        .collect();
    let server = plan(&makers).delivers_nothing().start();
    let sent = send(&server).must_be(250);
    assert_eq!(server.wait(server.kept()).len(), 101);
    let parent = server.account(sent.id());
    assert!(parent.ledger.generated.len() <= 40);
    let one = parent.ledger.generated.iter().collect::<std::collections::BTreeSet<&Id>>();
    assert_eq!(one.len(), parent.ledger.generated.len());
    let too_many = with(&[maker_of("maker", "to = ['bob@example.com'], count = 11", "")]);
    assert_eq!(send(&too_many).code, 451);
}
