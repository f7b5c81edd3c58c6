//! What a sink reads, changes and is granted, in the in-memory server.

use mailsluice_sink::test::World;
use mailsluice_sink::{
    Attachment, Bearer, Claims, CommandAnswer, Door, EnhancedCode, Expansion, Fate, Fault, Heard, Identity, Login,
    NextState, On, Proof, Reply, Resolution, Ruling, Standing, Tls, TlsPolicy, VerbClaim, Want, clock, config, dns,
    hears, http, info, kv, metrics, on, queue, random, submit, tables,
};
use serde_json::json;
use std::io::Read;
use std::time::Duration;

/// A sink made of a function, for one event.
struct Doing<F>(F);

impl<E: mailsluice_sink::EventType, F> On<E> for Doing<F>
where
    F: Fn(&mut Heard<'_, E>) -> Result<Ruling<E>, Fault>,
{
    fn on(&self, heard: &mut Heard<'_, E>) -> Result<Ruling<E>, Fault> {
        (self.0)(heard)
    }
}

/// The edits that `call` asks for.
fn edits<E: mailsluice_sink::test::Staged>(
    world: &World,
    call: impl Fn(&mut Heard<'_, E>) -> Result<(), Fault>,
) -> Vec<String> {
    let doing = Doing(|heard: &mut Heard<'_, E>| call(heard).map(|()| Ruling::next()));
    world.raise::<E>(&doing).unwrap().edits()
}

const MIXED: &str = "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nReceived: a\r\nReceived: b\r\n c\r\nMIME-Version: 1.0\r\n\
    Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nHello\r\n--b\r\n\
    Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\
    Content-Disposition: attachment; filename=\"a.pdf\"\r\n\r\nQUJDREU=\r\n--b--\r\n";

#[test]
fn a_message_is_read_by_field_range_and_part() {
    let world = World::new().sender("<>").recipient("alice@example.com").content(MIXED);
    let asked = edits::<on::TransportSubmit>(&world, |heard| {
        assert_eq!((heard.sender(), heard.sender_text().as_deref()), (None, Some("<>")));
        assert_eq!(heard.header("subject").as_deref(), Some("Grüße"));
        assert_eq!(heard.headers("Received"), ["a", "b c"]);
        assert_eq!(heard.fields()[0].value, "=?utf-8?q?Gr=C3=BC=C3=9Fe?=");
        assert_eq!(heard.size(), Some(MIXED.len() as u64));
        assert_eq!(heard.body().range(0, 3)?, b"--b");
        assert_eq!(heard.text()?.as_deref(), Some("Hello"));
        assert_eq!(heard.html()?, None);
        let parts = heard.parts()?;
        let types: Vec<_> = parts.iter().map(|p| (p.content_type.as_str(), p.parent, p.is_attachment)).collect();
        assert_eq!(
            types,
            [("multipart/mixed", None, false), ("text/plain", Some(0), false), ("application/pdf", Some(0), true)]
        );
        assert_eq!(parts[2].file_name.as_deref(), Some("a.pdf"));
        let mut decoded = String::new();
        heard.part(&parts[2]).read_to_string(&mut decoded)?;
        assert_eq!(decoded, "ABCDE");
        assert_eq!(heard.part(&parts[2]).range(3, 10)?, b"DE");
        assert!(heard.part(&parts[2]).whole(4).is_err());
        assert_eq!(heard.body().whole(1 << 20)?.len() as u64, heard.body().size());
        Ok(())
    });
    assert!(asked.is_empty());
}

#[test]
fn a_session_is_read() {
    let world = World::new().client("2001:db8::1").user("carol").door(Door::Lmtp).property("spf.result", "pass");
    edits::<on::InConnect>(&world, |heard| {
        let origin = heard.origin().unwrap();
        assert_eq!((origin.door, origin.user.as_deref()), (Door::Lmtp, Some("carol")));
        assert!(heard.client().is_some_and(|ip| ip.is_ipv6()));
        assert_eq!(heard.property("spf.result"), Some(json!("pass")));
        assert_eq!((heard.sender_text(), heard.size(), heard.header("Subject")), (None, None, None));
        Ok(())
    });
}

#[test]
fn edits_are_noted_in_order() {
    let connect = edits::<on::InConnect>(&World::new(), |heard| {
        heard.delay(Duration::from_secs(2));
        heard.limit_message_size(1000);
        heard.limit_recipients(5);
        heard.greet("Welcome");
        heard.set_property(Bearer::Session, "seen", 1)
    });
    let told = ["delay 2000 ms", "limit message size to 1000", "limit recipients to 5", "greet Welcome"];
    assert_eq!(connect[..4], told);
    assert_eq!(connect[4], "property seen of session: 1");

    let world = World::new().recipient_with("bob@example.com", Standing::Unknown, true);
    let rcpt = edits::<on::InRcpt>(&world, |heard| {
        assert_eq!(heard.recipient().standing(), Standing::Unknown);
        heard.vouch();
        heard.rewrite("alice@example.com")?;
        heard.add_recipient("eve@example.com")
    });
    assert_eq!(rcpt, ["vouch", "rewrite to alice@example.com", "add recipient eve@example.com"]);

    let world =
        World::new().recipient("a@example.com").recipient_with("b@example.com", Standing::Relay, false).content(MIXED);
    let submit = edits::<on::TransportSubmit>(&world, |heard| {
        assert_eq!(heard.matched_recipients().len(), 1);
        for recipient in heard.recipients() {
            heard.set_fate(&recipient, Fate::Held("looked at".into()));
        }
        heard.remove_recipient(&heard.recipients()[1]);
        heard.set_sender(None)?;
        heard.generate(None, &["eve@example.com"], "Subject: x\r\n\r\n")?;
        heard.prepend_text("Hi", None);
        let data = b"x".to_vec();
        heard.add_attachment(&Attachment { file_name: "x.txt".into(), content_type: "text/plain".into(), data });
        Ok(())
    });
    assert_eq!(submit[0], "recipient a@example.com: hold: looked at");
    assert_eq!(world.submitted()[0].recipients, ["eve@example.com"]);
    let rest = ["remove recipient b@example.com", "sender <>", "prepend text: Hi", "add attachment x.txt"];
    assert_eq!(submit[2..], rest);
}

#[test]
fn what_makes_no_sense_is_a_fault_that_changes_nothing() {
    let world = World::new().recipient("a@example.com").content(MIXED);
    for address in ["", "a", "@example.com", "a@"] {
        let doing = Doing(|heard: &mut Heard<'_, on::TransportSubmit>| {
            heard.remove_header("Received");
            heard.add_recipient(address)?;
            Ok(Ruling::next())
        });
        let fault = world.raise::<on::TransportSubmit>(&doing).unwrap_err();
        assert!(fault.text().contains("is no address"), "{fault}");
    }
    let doing = Doing(|heard: &mut Heard<'_, on::InMessage>| {
        heard.set_header("Subject", "a\r\nBcc: everybody")?;
        Ok(Ruling::next())
    });
    assert!(world.raise::<on::InMessage>(&doing).is_err());
}

#[test]
fn verdicts_carry_their_replies() {
    let refuse = Doing(|heard: &mut Heard<'_, on::TransportOversize>| match heard.excess().declared {
        true => Ok(Ruling::answer(heard.excess().size)),
        false => Ok(Ruling::disconnect(Reply::plain(421, "Enough"))),
    });
    let declared = World::new().oversize(5000, true).raise::<on::TransportOversize>(&refuse).unwrap();
    assert_eq!((declared.verdict(), declared.reply().as_str()), ("answer", "5000"));
    let counted = World::new().oversize(5000, false).raise::<on::TransportOversize>(&refuse).unwrap();
    assert_eq!((counted.verdict(), counted.reply().as_str()), ("disconnect", "421 Enough"));
    let defer = Doing(|_: &mut Heard<'_, on::InMail>| Ok(Ruling::defer("later")));
    assert_eq!(World::new().sender("a@example.org").raise::<on::InMail>(&defer).unwrap().reply(), "451 4.7.1 later");
}

#[test]
fn what_our_client_says_is_changed_and_its_session_goes_on_as_is_answered() {
    let world = World::new()
        .recipient("bob@example.net")
        .content(MIXED)
        .leg("example.net", Some("mx.example.net"), 2, Some(Reply::plain(450, "Busy")))
        .outbound("XHELLO", &[NextState::Continue, NextState::Repeat]);
    let terms = edits::<on::OutConnect>(&world, |heard| {
        assert_eq!((heard.leg().domain.as_str(), heard.leg().attempt), ("example.net", 2));
        heard.connect_from("192.0.2.7".parse().unwrap())?;
        heard.say_hello_as("out.example.com")?;
        heard.set_tls_policy(TlsPolicy::Dane);
        heard.authenticate("me", "secret", None);
        Ok(())
    });
    let wanted =
        ["connect from 192.0.2.7", "say hello as out.example.com", "TLS policy TlsPolicy::Dane", "authenticate as me"];
    assert_eq!(terms, wanted);
    let mail = edits::<on::OutMail>(&world, |heard| {
        assert_eq!(heard.verb().as_deref(), Some("XHELLO"));
        heard.add_parameter("X=1")?;
        heard.insert_command("XHELLO")?;
        heard.replace_command("MAIL FROM:<>")
    });
    assert_eq!(mail, ["parameter X=1", "say first: XHELLO", "say instead: MAIL FROM:<>"]);
    let stamped = edits::<on::OutMessage>(&world, |heard| heard.prepend_header("X-Signed", "yes"));
    assert_eq!(stamped, ["prepend X-Signed: yes"]);
    let again = Doing(|heard: &mut Heard<'_, on::OutReply>| {
        assert_eq!(heard.leg().reply.map(|reply| reply.code()), Some(450));
        match heard.next_states().contains(&NextState::Repeat) && heard.may_refuse() {
            true => Ok(Ruling::answer(NextState::Repeat)),
            false => Ok(Ruling::next()),
        }
    });
    assert_eq!(world.raise::<on::OutReply>(&again).unwrap().reply(), "repeat");
    let evil = Doing(|heard: &mut Heard<'_, on::OutRcpt>| {
        heard.add_parameter("X=1\r\nRSET")?;
        Ok(Ruling::next())
    });
    assert!(world.raise::<on::OutRcpt>(&evil).is_err());
    let quit = edits::<on::OutQuit>(&world, |heard| {
        assert_eq!(heard.leg().host.as_deref(), Some("mx.example.net"));
        heard.set_property(Bearer::Session, "seen", true)
    });
    assert_eq!(quit, ["property seen of session: true"]);
}

#[test]
fn a_reply_gets_another_text() {
    let world = World::new().replying(Reply::new(250, EnhancedCode(2, 1, 0), "OK"));
    let asked = edits::<on::InReply>(&world, |heard| {
        heard.set_reply_text(&format!("{} indeed", heard.reply().text()));
        Ok(())
    });
    assert_eq!(asked, ["reply text OK indeed"]);
}

#[test]
fn what_is_granted_answers_as_told() {
    let world = World::new()
        .table("vips", [("*@example.com", "silver"), ("Alice@example.com", "gold")])
        .dns("example.com", dns::Kind::Mx, &["10 mx.example.com."])
        .http("https://a.example/x", 204, "")
        .keeping("count", "41")
        .time(5000);
    world.here(|| {
        assert_eq!(tables::lookup("vips", "alice@EXAMPLE.com").unwrap().as_deref(), Some("gold"));
        assert_eq!(tables::lookup("vips", "bob@example.com").unwrap().as_deref(), Some("silver"));
        assert_eq!(tables::lookup("vips", "bob@example.org").unwrap(), None);
        assert_eq!(dns::lookup("EXAMPLE.com", dns::Kind::Mx).unwrap(), ["10 mx.example.com."]);
        assert_eq!(dns::lookup("example.com", dns::Kind::A), Err(dns::Error::NotFound));
        assert_eq!(http::Request::post("https://a.example/x").header("A", "b").body("xyz").send().unwrap().status, 204);
        assert!(matches!(http::Request::get("https://b.example/").send(), Err(http::Error::NotAllowed(_))));
        assert_eq!(kv::increment("count", 1, None), Ok(42));
        assert_eq!(kv::compare_and_set("count", Some(b"42"), Some(b"x"), None), Ok(true));
        assert_eq!(kv::compare_and_set("count", Some(b"42"), None, None), Ok(false));
        assert_eq!(kv::increment("count", 1, None), Err(kv::Error::NotACounter));
        assert_eq!(kv::set("k", vec![0; (64 << 10) + 1], None), Err(kv::Error::TooLong));
        assert_eq!(clock::now(), Duration::from_secs(5));
        assert_ne!(random::number(), random::number());
        submit::submit(None, &["bob@example.com"], "Subject: x\r\n\r\n").unwrap();
        metrics::count("seen", 2);
        metrics::count("seen", 1);
        info!("{} done", 3);
    });
    assert_eq!(world.kept("count").as_deref(), Some(&b"x"[..]));
    assert_eq!(world.submitted()[0].recipients, ["bob@example.com"]);
    assert_eq!(world.metric("seen"), Some(3.0));
    assert_eq!(world.logs()[0].text, "3 done");
    let request = &world.requests()[0];
    assert_eq!((request.method.as_str(), request.octets, &request.headers[0].1[..]), ("POST", 3, "b"));
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    verb: String,
}

impl On<on::InCommand> for Hello {
    fn on(&self, heard: &mut Heard<'_, on::InCommand>) -> Result<Ruling<on::InCommand>, Fault> {
        let said = &heard.command().argument;
        Ok(Ruling::answer(Reply::new(250, EnhancedCode(2, 0, 0), format!("Hello {said}"))))
    }
}

hears!(Hello { InCommand } open = config, claims = |sink| Claims { verbs: vec![sink.verb.as_str().into()], ..Claims::default() },
    self_test = |sink| if sink.verb.is_empty() { Err(Fault::error("no verb")) } else { Ok(()) });

#[test]
fn a_sink_is_opened_claims_and_tests_itself() {
    let world = World::new().config(json!({ "verb": "XHELLO" })).command("XHELLO", "world");
    let sink: Hello = world.open().unwrap();
    assert_eq!(world.claims(&sink).verbs, [VerbClaim::new("xhello")]);
    assert_eq!(world.self_test(&sink), Ok(()));
    assert_eq!(world.raise::<on::InCommand>(&sink).unwrap().reply(), "250 2.0.0 Hello world");
    let fault = World::new().config(json!({ "verbs": 1 })).open::<Hello>().err().unwrap();
    assert!(fault.text().starts_with("[sink.config]: unknown field `verbs`"), "{fault}");
    assert!(world.self_test(&Hello { verb: String::new() }).is_err());
}

/// What `ruling` says at an event, in words.
fn said<E: mailsluice_sink::test::Staged>(
    world: &World,
    ruling: impl Fn(&mut Heard<'_, E>) -> Result<Ruling<E>, Fault>,
) -> String {
    world.raise::<E>(&Doing(ruling)).unwrap().reply()
}

#[test]
fn the_transport_is_answered_in_its_own_types() {
    let refused = Reply::new(450, EnhancedCode(4, 2, 0), "Not yet");
    let world = World::new()
        .recipient("a@example.com")
        .recipient("list@example.com")
        .leg("example.com", Some("mx.example.com:25 [192.0.2.1]"), 3, Some(refused.clone()))
        .question("example.net", dns::Kind::A)
        .step(json!({ "step": "accepted" }));
    let expanded = said::<on::TransportCategorize>(&world, |heard| {
        assert_eq!((heard.recipient().path().as_str(), heard.recipient().place()), ("list@example.com", None));
        let (members, sender) = (vec!["b@example.net".into(), "c@example.net".into()], Some(String::new()));
        Ok(Ruling::answer(Resolution::Expanded(Expansion { members, sender })))
    });
    assert_eq!(expanded, "to b@example.net, c@example.net from <>");
    let rewritten = edits::<on::TransportCategorize>(&world, |heard| heard.rewrite("owner@example.com"));
    assert_eq!(rewritten, ["rewrite to owner@example.com"]);
    let route = said::<on::TransportRoute>(&world, |heard| {
        let hop = format!("smtp:relay.{}:25", heard.leg().domain);
        Ok(Ruling::answer(vec![hop, "local".into()]))
    });
    assert_eq!(route, "smtp:relay.example.com:25, local");
    let outcomes = said::<on::TransportDeliver>(&world, |heard| {
        let places: Vec<_> = heard.recipients().iter().filter_map(mailsluice_sink::Recipient::place).collect();
        assert_eq!(places, heard.leg().recipients);
        Ok(Ruling::answer(heard.leg().all(&Reply::new(250, EnhancedCode(2, 0, 0), "Kept"))))
    });
    assert_eq!(outcomes, "0: 250 2.0.0 Kept, 1: 250 2.0.0 Kept");
    let deferred = said::<on::TransportDeferred>(&world, |heard| {
        assert_eq!((heard.leg().attempt, heard.leg().reply.as_ref()), (3, Some(&refused)));
        Ok(Ruling::reject(5, 4, 7, "Given up"))
    });
    assert_eq!(deferred, "550 5.4.7 Given up");
    let records = said::<on::DnsResolve>(&world, |heard| {
        assert_eq!((heard.question().name.as_str(), heard.question().kind), ("example.net", dns::Kind::A));
        Ok(Ruling::answer(vec!["192.0.2.7".into()]))
    });
    assert_eq!(records, "192.0.2.7");
    let told = said::<on::Track>(&world, |heard| {
        assert_eq!(heard.step()?["step"], "accepted");
        Ok(Ruling::next())
    });
    assert_eq!(told, "next");
}

#[test]
fn a_command_asks_for_more_and_hears_what_has_come() {
    let ask = Doing(|heard: &mut Heard<'_, on::InCommand>| {
        Ok(match heard.further() {
            None => {
                Ruling::answer(CommandAnswer::More { reply: Reply::plain(354, "Go"), want: Want::Octets { count: 5 } })
            }
            Some(further) => Ruling::answer(Reply::plain(250, String::from_utf8(further.octets.clone())?)),
        })
    });
    let world = World::new().command("XBLOB", "5");
    assert_eq!(world.raise::<on::InCommand>(&ask).unwrap().reply(), "354 Go, octets 5");
    let world = world.further(1, "hello");
    assert_eq!(world.raise::<on::InCommand>(&ask).unwrap().reply(), "250 hello");
}

#[test]
fn credentials_are_decided_and_a_mechanism_takes_steps() {
    let known = Doing(|heard: &mut Heard<'_, on::InAuth>| {
        Ok(match &heard.credentials().proof {
            Proof::Password(password) if password == "sesame" => {
                Ruling::answer(Identity { user: "ann".into(), senders: Some(vec!["*@example.com".into()]) })
            }
            Proof::Step(step) if step.number == 0 => Ruling::answer(Login::Challenge(b"who?".to_vec())),
            Proof::Step(_) => Ruling::answer(Identity::of("bob")),
            _ => Ruling::reject(5, 7, 8, "No"),
        })
    });
    let raised = |world: World| world.raise::<on::InAuth>(&known).unwrap().reply();
    let password = |text: &str| World::new().credentials("PLAIN", Some("ann"), Proof::Password(text.into()));
    assert_eq!(raised(password("sesame")), "ann, from *@example.com");
    assert_eq!(raised(password("x")), "550 5.7.8 No");
    assert_eq!(raised(World::new().auth_step("X-KEY", 0, None)), "who?");
    assert_eq!(raised(World::new().auth_step("X-KEY", 1, Some(b"me"))), "bob");
}

#[test]
fn a_handshake_is_seen() {
    let tls =
        Tls { version: "TLSv1.3".into(), cipher: None, server_name: Some("mx.example.com".into()), certificate: None };
    let strict = Doing(|heard: &mut Heard<'_, on::InTls>| {
        let named = heard.origin().and_then(|origin| origin.tls).is_some_and(|tls| tls.server_name.is_some());
        Ok(if named { Ruling::next() } else { Ruling::reject(5, 7, 0, "Name?") })
    });
    assert_eq!(World::new().tls(tls).raise::<on::InTls>(&strict).unwrap().verdict(), "next");
    assert_eq!(World::new().raise::<on::InTls>(&strict).unwrap().reply(), "550 5.7.0 Name?");
}

#[test]
fn the_queue_is_steered() {
    let world = World::new().waits("example.com", 2).waits("a.example.com", 3);
    world.here(|| {
        assert_eq!(queue::waiting(&["example.com"]), Ok(2));
        assert_eq!(queue::start(&["@example.com"]), Ok(5));
        assert!(matches!(queue::start(&["#x"]), Err(queue::Error::Invalid(_))));
    });
    assert_eq!(world.started(), ["@example.com", "#x"]);
}

#[test]
fn recipients_are_split_off() {
    let world =
        World::new().recipient("ann@example.com").recipient("bob@example.net").content("Subject: x\r\n\r\nHi\r\n");
    let edits = edits::<on::TransportPostCategorize>(&world, |heard| {
        let other: Vec<_> = heard.recipients().into_iter().filter(|who| who.path().ends_with(".net")).collect();
        heard.split(&other);
        Ok(())
    });
    assert_eq!(edits, ["split off bob@example.net"]);
}

#[test]
fn claimed_parameters_are_read() {
    let world = World::new().recipient("ann@example.com").mail_parameter("xtag", "blue").rcpt_parameter("XFOR", "");
    let read = Doing(|heard: &mut Heard<'_, on::InRcpt>| {
        assert_eq!((heard.parameter("XTAG").as_deref(), heard.parameter("XFOR")), (Some("blue"), None));
        assert_eq!(heard.recipient().parameter("xfor").as_deref(), Some(""));
        Ok(Ruling::next())
    });
    assert_eq!(world.raise::<on::InRcpt>(&read).unwrap().verdict(), "next");
}
