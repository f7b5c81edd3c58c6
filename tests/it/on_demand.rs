//! Verbs with conditions, sinks that want more than a line, and mail on demand: ETRN, and connections that are turned round.

use crate::hop::Hop;
use crate::inside::{Inside, Plan};
use crate::own_sinks::Own;
use crate::smtp_client::SmtpClient;
use crate::wait::eventually;
use mailsluice::event::host::{Scope, Turned};
use mailsluice::event::{Claims, CommandAnswer, Conditions, Event, Hearing, Scene, VerbClaim, Verdict, View, Want};
use mailsluice::mail::{Door, EnhancedCode, Id, Origin, Reply};
use mailsluice::spool::Outline;
use std::time::Duration;
use tokio::net::TcpStream;

/// Mail for example.org waits to be called for; that for example.net goes to the hop.
fn config(hop: Option<&Hop>) -> String {
    let hop = hop.map_or_else(|| "127.0.0.1:9".to_owned(), |hop| hop.address.to_string());
    format!(
        "data-dir = 'var'\n[[listener]]\naddress = '127.0.0.1:0'\nname = 'one'\n[domains]\nlocal = ['example.com']\n\
         relay-to = ['example.org', 'sub.example.org', 'example.net']\n[recipients]\nusers = ['alice']\n\
         [limits]\nfree-space = '0 B'\n[[route]]\ndomain = 'example.net'\nto = {{ smtp = '{hop}' }}\n\
         [[route]]\ndomain = 'example.org'\nto = 'turn'\n[[route]]\ndomain = '*.example.org'\nto = 'turn'\n"
    )
}

fn etrn(clients: &str) -> String {
    format!(
        "[[sink]]\nname = 'etrn'\nnative = 'etrn'\n[sink.config]\nallow = [{{ domains = ['@example.net'], clients = ['{clients}'] }}]\n\
         [sink.allow]\nqueue = true\n"
    )
}

fn offers(server: &Inside, keyword: &str) -> bool {
    let mut client = SmtpClient::connect(server.address(0));
    client.expect(220);
    client.command("EHLO client.example").lines.iter().any(|line| line == keyword)
}

fn deliver(server: &Inside, recipients: &[&str]) -> String {
    let mut client = SmtpClient::greeted(server.address(0));
    let accepted = client.deliver("bob@client.example", recipients, "Subject: x\r\n\r\nwait\r\n");
    accepted.id().to_owned()
}

#[test]
fn etrn_has_what_was_deferred_tried_again() {
    let hop = Hop::start();
    let server = Plan::new(&config(Some(&hop))).manifest(&etrn("127.0.0.0/8")).start();
    assert!(offers(&server, "ETRN"));
    let id = deliver(&server, &["carol@example.net"]);
    hop.next().answer("451 4.7.1 later");
    eventually("the deferral", || server.account(&id).recipients[0].attempts.checked_sub(1));
    assert!(hop.at_once().is_none());
    let mut client = SmtpClient::greeted(server.address(0));
    assert_eq!(
        client.command("ETRN example.net").to_string(),
        "253 2.0.0 OK, 1 pending messages for node example.net started"
    );
    let again = hop.next();
    assert!(again.message.contains("wait"));
    again.answer("250 ok");
    assert!(client.command("ETRN example.net").to_string().starts_with("458 "));
    assert!(client.command("ETRN example.org").to_string().starts_with("459 "));
    assert_eq!(
        client.command("ETRN @sub.example.net").to_string(),
        "251 2.0.0 OK, no messages waiting for node @sub.example.net"
    );
    client.command("ETRN").must_be(501);
    client.command("MAIL FROM:<a@client.example>").must_be(250);
    client.command("ETRN example.net").must_be(503);
}

#[test]
fn a_large_queue_is_counted_without_reading_it() {
    let server = Plan::new(&config(None)).manifest(&etrn("127.0.0.0/8")).start();
    // Nothing of these lies in the spool, and none is due today.
    let due = server.server.intake.clock.now().plus(Duration::from_secs(1_000_000));
    let outline = |n: u64, domains: &[&str]| Outline {
        id: Id(n),
        due: Some(due),
        until: None,
        domains: domains.iter().map(|domain| (*domain).into()).collect(),
    };
    let many = (1..=100_000).map(|n| match n % 4 {
        0 => outline(n, &["example.net", "a.example.net"]),
        1 => outline(n, &["b.example.net"]),
        2 => outline(n, &["badexample.net"]),
        _ => Outline { until: Some(due), ..outline(n, &["example.net"]) },
    });
    server.queue.add(many.collect());
    let mut client = SmtpClient::greeted(server.address(0));
    for (node, count) in [("example.net", 25_000), ("@example.net", 50_000), ("b.example.net", 25_000)] {
        let reply = client.command(&format!("ETRN {node}")).to_string();
        assert_eq!(reply, format!("253 2.0.0 OK, {count} pending messages for node {node} started"));
    }
}

#[test]
fn who_is_not_meant_does_not_hear_of_the_verb() {
    let server = Plan::new(&config(None)).manifest(&etrn("192.0.2.0/24")).start();
    assert!(!offers(&server, "ETRN"));
    let mut client = SmtpClient::connect(server.address(0));
    client.expect(220);
    // Before EHLO too, when nobody has been told of anything.
    client.command("ETRN example.net").must_be(502);
    client.command("EHLO client.example").must_be(250);
    client.command("ETRN example.net").must_be(502);
    // A rule on the binding is a condition as well.
    let rule = |listener: &str| {
        let on = format!("[[sink.on]]\nevent = 'in.command'\nwhen = {{ listener = '{listener}' }}\n");
        format!("{}{on}", etrn("127.0.0.0/8"))
    };
    server.put_in_force(&rule("two"));
    assert!(!offers(&server, "ETRN"));
    server.put_in_force(&rule("one"));
    assert!(offers(&server, "ETRN"));
}

/// Claims XBLOB, which takes a counted blob, XLINES, which takes lines up to an empty one, XTURN, and XTLS, which nobody gets here.
fn greedy() -> Own {
    let mut own = Own::at(&[Event::InCommand], |scene, _| {
        Hearing::Now(Ok(match scene.view {
            View::Verb { verb: "NOOP" | "QUIT", .. } => Verdict::Next,
            _ => Verdict::Answer(greedy_answer(scene).into()),
        }))
    });
    let tls = Conditions { tls: true, ..Conditions::default() };
    let early = VerbClaim::new("XEARLY").announced("XEARLY").under(tls.clone());
    let early = early.early(Reply::new(550, EnhancedCode(5, 7, 1), "never"));
    own.claims = Claims {
        verbs: vec![
            VerbClaim::new("XBLOB").announced("XBLOB"),
            "XLINES".into(),
            "XTURN".into(),
            VerbClaim::new("XTLS").announced("XTLS").under(tls),
            early,
        ],
        ..Claims::default()
    };
    own
}

fn greedy_answer(scene: Scene<'_>) -> CommandAnswer {
    let View::Verb { verb, argument, further } = scene.view else { panic!("{scene:?}") };
    let ok = |text: String| Reply::foreign(250, Some(EnhancedCode(2, 0, 0)), &text).into();
    match (verb, further) {
        ("XBLOB", None) => CommandAnswer::More {
            reply: Reply::plain(354, "go on"),
            want: Want::Octets { count: argument.parse().expect("a number") },
        },
        ("XBLOB", Some(more)) => ok(format!("{} of {argument} in step {}", more.octets.escape_ascii(), more.step)),
        ("XLINES", Some(more)) if more.octets.is_empty() => ok(format!("{} lines", more.step - 1)),
        ("XLINES", _) => CommandAnswer::More { reply: Reply::plain(334, ""), want: Want::Line { max: 20 } },
        ("XTURN", _) => CommandAnswer::Turn {
            reply: Reply::new(250, EnhancedCode(2, 0, 0), "over to you"),
            domains: vec!["@example.org".to_owned()],
        },
        other => panic!("{other:?}"),
    }
}

fn with_greedy() -> Inside {
    let natives = greedy().named("own");
    Plan::new(&config(None)).natives(natives).manifest("[[sink]]\nname = 'own'\nnative = 'own'\n").start()
}

#[test]
fn a_sink_may_want_lines_or_a_counted_blob() {
    let server = with_greedy();
    let mut client = SmtpClient::greeted(server.address(0));
    client.command("XBLOB 7").must_be(354);
    client.send(b"a\r\n.\r\nbNOOP\r\n");
    assert_eq!(client.reply().to_string(), "250 2.0.0 a\\r\\n.\\r\\nb of 7 in step 1");
    client.expect(250);
    client.command("XLINES").must_be(334);
    client.command("one").must_be(334);
    client.command("QUIT").must_be(334);
    assert_eq!(client.command("").to_string(), "250 2.0.0 2 lines");
    client.command("XLINES").must_be(334);
    client.command("over twenty octets of a line").must_be(500);
    client.command("XBLOB 0").must_be(354);
    client.expect(250);
    // Over the cap of the core it is the sink's fault, and nothing is read.
    client.command("XBLOB 1048577").must_be(451);
    client.command("NOOP").must_be(250);
}

#[test]
fn nothing_is_read_before_the_conditions_hold() {
    let server = with_greedy();
    assert!(offers(&server, "XBLOB") && offers(&server, "XEARLY") && !offers(&server, "XTLS"));
    let mut client = SmtpClient::greeted(server.address(0));
    // The sink would panic.
    assert_eq!(client.command("XEARLY x").to_string(), "530 5.7.0 Must issue a STARTTLS command first");
    client.command("XTLS x").must_be(500);
}

/// Turns a connection to the hop round, for example.org and below, and waits until that is over.
fn call(server: &Inside, hop: &Hop) -> std::thread::JoinHandle<()> {
    let (turnaround, address) = (server.server.turnaround.clone().unwrap(), hop.address);
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let stream = Box::new(TcpStream::connect(address).await.unwrap());
            let scopes = vec![Scope::parse("@example.org").unwrap()];
            turnaround.turn(Turned { stream, scopes, session: Id(1), origin: Origin::door(Door::Smtp) }).await;
        });
    })
}

fn waiting(server: &Inside) -> usize {
    server.steered().waiting(&[Scope::parse("@example.org").unwrap()])
}

#[test]
fn a_queue_is_handed_over_and_nothing_is_lost_when_that_breaks() {
    let (hop, receiver) = (Hop::start(), Hop::start());
    let server = Plan::new(&config(Some(&hop))).start();
    let one = deliver(&server, &["a@example.org", "b@sub.example.org", "carol@example.net"]);
    hop.next().answer("250 ok");
    let two = deliver(&server, &["c@example.org", "gone@example.org", "alice@example.com"]);
    server.arrived("alice", 1);
    eventually("two that wait", || (waiting(&server) == 2).then_some(()));

    // The receiver takes the first and breaks off at the end of the second.
    let calling = call(&server, &receiver);
    receiver.next().answer("250 ok");
    drop(receiver.next());
    calling.join().unwrap();
    let done = |id: &str| server.account(id).recipients.iter().filter(|r| r.state == "done").count();
    assert_eq!((done(&one), done(&two)), (3, 2), "{:#?}", (server.account(&one), server.account(&two)));
    assert_eq!(waiting(&server), 1);

    // It calls again at once, and gets what it has not acknowledged.
    let calling = call(&server, &receiver);
    receiver.next().answer("250 ok");
    calling.join().unwrap();
    eventually("nobody who waits", || (waiting(&server) == 0).then_some(()));
    eventually("the end of both", || (done(&one) == 3 && done(&two) == 3).then_some(()));
    assert!(receiver.at_once().is_none() && hop.at_once().is_none(), "nobody gets a message twice");
}

#[test]
fn on_a_session_the_client_becomes_the_server() {
    let server = with_greedy();
    let id = deliver(&server, &["a@example.org"]);
    eventually("one that waits", || (waiting(&server) == 1).then_some(()));
    let mut client = SmtpClient::greeted(server.address(0));
    client.send(b"XTURN\r\nNOOP\r\n");
    client.expect(503);
    client.closed();

    let mut client = SmtpClient::greeted(server.address(0));
    client.command("XTURN").must_be(250);
    client.serve_one("bob@client.example", "a@example.org");
    eventually("the end of it", || (server.account(&id).recipients[0].state == "done").then_some(()));
}
