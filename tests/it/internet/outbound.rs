//! What sinks may do to what our client says to hosts, and what comes of it.

use super::random::Dice;
use super::stages::{NoConfig, Saying, Says, got, net};
use super::{Net, OUTBOUND, Step, What, field, in_virtual_time};
use crate::inside::Plan;
use mailsluice::event::edit::{Bearer, HeaderEdit};
use mailsluice::event::{Answer, Edit, Edits, Env, Event, PlanEdit, Scene, Verdict};
use mailsluice::intake::track::Stage;
use mailsluice::mail::{Class, Domain, EnhancedCode, Reply};
use mailsluice::smtp::client::Next;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

const OUT: [Event; 9] = [
    Event::OutConnect,
    Event::OutHelo,
    Event::OutMessage,
    Event::OutMail,
    Event::OutRcpt,
    Event::OutData,
    Event::OutReply,
    Event::OutQuit,
    Event::OutDisconnect,
];

fn say(edit: PlanEdit) -> Edit {
    Edit::Plan(edit)
}

fn no(code: u16, status: (u8, u16, u16)) -> Option<Reply> {
    Some(Reply::foreign(code, Some(EnhancedCode(status.0, status.1, status.2)), "said the sink"))
}

/// What `mx.far.example` has heard, the content left out.
async fn heard_by_far(net: &Net, to: &[&str]) -> Vec<String> {
    let host = net.host("mx.far.example", "192.0.2.2", false, Vec::new());
    let to: Vec<_> = to.iter().map(|one| (*one, None)).collect();
    net.submit("a@home.example", &to, "m").await;
    net.run_dry(HOUR).await;
    // The connection is kept for a moment, and then left.
    tokio::time::sleep(Duration::from_secs(10)).await;
    host.heard()
}

#[test]
fn every_event_is_heard_in_its_place_with_what_is_known() {
    in_virtual_time(|| async {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        let net = net(OUTBOUND, &OUT, move |scene, _| {
            let leg = scene.leg().unwrap();
            if &*leg.domain == "home.example" {
                return Verdict::Next;
            }
            let host = leg.host.as_deref().unwrap().replace("mx.far.example", "far");
            let verb = scene.verb().unwrap_or("-");
            let reply = leg.reply.as_ref().map(|reply| reply.code().to_string()).unwrap_or_default();
            let size = scene.message().is_some();
            let line = format!("{} {host} {verb} {reply} {:?} {size}", scene.event, leg.recipients);
            noted.lock().unwrap().push(line.replace("  ", " "));
            assert!(scene.session.is_some());
            assert_eq!(scene.transaction.is_some(), !matches!(scene.event, Event::OutQuit | Event::OutDisconnect));
            Verdict::Next
        })
        .await;
        let heard = heard_by_far(&net, &["b@far.example", "nobody@far.example"]).await;
        // Replies are minded: DATA waits for those to RCPT.
        assert_eq!(heard[1], "MAIL FROM:<a@home.example>");
        assert_eq!(heard[2..5], ["RCPT TO:<b@far.example>", "RCPT TO:<nobody@far.example>", "DATA"]);
        let at = "far:25 [192.0.2.2]";
        let seen: Vec<String> = seen.lock().unwrap().iter().map(|line| line.replace("far [192.0.2.2]", at)).collect();
        let wanted = [
            "out.connect far - [0, 1] true".to_owned(),
            format!("out.reply {at} - 220 [0, 1] true"),
            format!("out.helo {at} EHLO [0, 1] true"),
            format!("out.reply {at} EHLO 250 [0, 1] true"),
            format!("out.message {at} - [0, 1] true"),
            format!("out.mail {at} MAIL [0, 1] true"),
            format!("out.rcpt {at} RCPT [0] true"),
            format!("out.rcpt {at} RCPT [1] true"),
            format!("out.reply {at} MAIL 250 [0, 1] true"),
            format!("out.reply {at} RCPT 250 [0] true"),
            format!("out.reply {at} RCPT 553 [1] true"),
            format!("out.data {at} DATA [0, 1] true"),
            format!("out.reply {at} DATA 354 [0, 1] true"),
            format!("out.reply {at} . 250 [0, 1] true"),
            format!("out.quit {at} QUIT [] false"),
            format!("out.disconnect {at} - [] false"),
        ];
        assert_eq!(seen[..wanted.len()], wanted);
    });
}

#[test]
fn the_terms_of_a_connection_are_those_of_the_message() {
    in_virtual_time(|| async {
        let net = net(OUTBOUND, &[Event::OutConnect], |scene, edits| {
            if scene.sender_text() == Some("vip@home.example") {
                edits.push(say(PlanEdit::Source("192.0.2.77".parse().unwrap())));
                edits.push(say(PlanEdit::Helo(Domain::parse("vip.example").unwrap())));
            }
            Verdict::Next
        })
        .await;
        let host = net.host("mx.far.example", "192.0.2.2", false, Vec::new());
        for sender in ["a@home.example", "vip@home.example", "a@home.example", "vip@home.example"] {
            net.submit(sender, &[("b@far.example", None)], "m").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        net.run_dry(HOUR).await;
        let heard = host.heard();
        let count = |line: &str| heard.iter().filter(|heard| *heard == line).count();
        // Two connections, each used twice.
        assert_eq!((count("EHLO mx.example.com"), count("EHLO vip.example"), count("from 192.0.2.77")), (1, 1, 1));
        assert_eq!(heard.iter().filter(|line| line.starts_with("MAIL")).count(), 4);
    });
}

#[test]
fn parameters_and_commands_reach_the_host_and_replies_the_sink() {
    in_virtual_time(|| async {
        let replies = Arc::new(Mutex::new(Vec::new()));
        let noted = replies.clone();
        let net = net(
            OUTBOUND,
            &[Event::OutHelo, Event::OutMail, Event::OutRcpt, Event::OutData, Event::OutReply],
            move |scene, edits| {
                match scene.event {
                    Event::OutHelo => edits.push(say(PlanEdit::Replace("EHLO odd.example".into()))),
                    Event::OutMail => {
                        edits.push(say(PlanEdit::Parameter("XTENANT=7".into())));
                        edits.push(say(PlanEdit::Insert("XHELLO mail".into())));
                    }
                    Event::OutRcpt => edits.push(say(PlanEdit::Parameter("XRCPT".into()))),
                    Event::OutData => edits.push(say(PlanEdit::Insert("XDATA".into()))),
                    _ => {
                        let text = scene.leg().and_then(|leg| leg.reply.as_ref()).map(ToString::to_string);
                        noted.lock().unwrap().push(format!("{}: {}", scene.verb().unwrap_or("-"), text.unwrap()));
                    }
                }
                Verdict::Next
            },
        )
        .await;
        let heard = heard_by_far(&net, &["b@far.example"]).await;
        assert_eq!(
            heard,
            [
                "EHLO odd.example",
                "XHELLO mail",
                "MAIL FROM:<a@home.example> XTENANT=7",
                "RCPT TO:<b@far.example> XRCPT",
                "XDATA",
                "DATA",
                "QUIT"
            ]
        );
        let replies = replies.lock().unwrap();
        assert!(replies.contains(&"XHELLO: 250 2.0.0 you too".to_owned()), "{replies:?}");
        assert!(replies.contains(&"XDATA: 500 5.5.1 what?".to_owned()), "{replies:?}");
        assert_eq!(got(&net), ["mx.far.example: <b@far.example> XRCPT"]);
    });
}

#[test]
fn a_field_is_put_on_top_of_what_this_hop_gets_and_of_that_alone() {
    in_virtual_time(|| async {
        let net = net(OUTBOUND, &[Event::OutMessage], |scene, edits| {
            let to = scene.leg().unwrap().domain.to_string();
            edits.push(Edit::Header(HeaderEdit::Prepend("X-Signed-For".into(), to)));
            Verdict::Next
        })
        .await;
        net.submit("a@home.example", &[("b@far.example", None), ("c@other.example", None)], "m").await;
        net.run_dry(HOUR).await;
        let mut signed: Vec<(String, String)> =
            net.taken().iter().map(|t| (t.host.clone(), field(&t.text, "X-Signed-For: ").to_owned())).collect();
        signed.sort();
        let pair = |domain: &str| (format!("mx.{domain}"), domain.to_owned());
        assert_eq!(signed, [pair("far.example"), pair("other.example")]);
        assert!(net.taken().iter().all(|taken| taken.text.matches("X-Signed-For").count() == 1));
        assert!(net.taken().iter().all(|taken| taken.text.starts_with("X-Signed-For")));
    });
}

#[test]
fn a_veto_is_the_outcome_of_whom_it_is_about() {
    in_virtual_time(|| async {
        for event in
            [Event::OutConnect, Event::OutHelo, Event::OutMessage, Event::OutMail, Event::OutRcpt, Event::OutData]
        {
            let net = net(OUTBOUND, &[event], move |scene, _| {
                let about: Vec<&str> = scene.recipients().map(|(_, r)| r.path.as_str()).collect();
                match about.contains(&"bad@far.example") {
                    true => Verdict::Reject(no(550, (5, 7, 9))),
                    false => Verdict::Next,
                }
            })
            .await;
            let to = [("bad@far.example", None), ("good@far.example", None), ("c@other.example", None)];
            let id = net.submit("a@home.example", &to, "m").await;
            net.run_dry(HOUR).await;
            let far = if event == Event::OutRcpt { vec!["mx.far.example: <good@far.example>"] } else { vec![] };
            let mut got = got(&net);
            got.sort();
            assert_eq!(got, [far, vec!["mx.other.example: <c@other.example>"]].concat(), "{event}");
            let failed = net.steps(id).iter().filter(|step| step.step == Stage::Failed).count();
            assert_eq!(failed, if event == Event::OutRcpt { 1 } else { 2 }, "{event}");
            let reports = net.taken().into_iter().filter(|taken| taken.sender.starts_with("<>"));
            let reports: Vec<String> = reports.map(|taken| taken.text).collect();
            assert!(reports.len() == 1 && reports[0].contains("Status: 5.7.9"), "{event}: {reports:?}");
        }
    });
}

#[test]
fn a_deferral_by_a_sink_comes_back_when_it_says() {
    in_virtual_time(|| async {
        let times = Arc::new(Mutex::new(0));
        let net = net(OUTBOUND, &[Event::OutMail], move |_, _| {
            let mut times = times.lock().unwrap();
            *times += 1;
            if *times == 1 { Verdict::Defer(None, Some(Duration::from_secs(42))) } else { Verdict::Next }
        })
        .await;
        let start = net.now();
        let id = net.submit("a@home.example", &[("b@far.example", None)], "m").await;
        net.run_dry(HOUR).await;
        let delivered = net.steps(id).into_iter().find(|step| step.step == Stage::Delivered).unwrap();
        assert_eq!((delivered.time.0 - start.0) / 1000, 42);
    });
}

#[test]
fn a_reply_is_taken_for_another_in_the_host_s_words() {
    in_virtual_time(|| async {
        let net = net(OUTBOUND, &[Event::OutReply], |scene, _| {
            match scene.leg().and_then(|leg| leg.reply.as_ref()).map(Reply::code) {
                Some(450..=451) => Verdict::Reject(None),
                Some(553) => Verdict::Defer(None, Some(6 * HOUR)),
                _ => Verdict::Next,
            }
        })
        .await;
        let script = vec![None, Some((Step::Dot, What::Tempfail))];
        net.host("mx.far.example", "192.0.2.2", false, vec![Some((Step::Rcpt, What::Tempfail))]);
        net.host("mx.other.example", "192.0.2.3", false, script);
        let id = net.submit("a@home.example", &[("b@far.example", None), ("nobody@other.example", None)], "m").await;
        net.run_dry(6 * 24 * HOUR).await;
        let steps = net.steps(id);
        let of = |recipient: &str| {
            let of = |step: &&_| {
                let step: &mailsluice::intake::Step = step;
                step.recipient.as_deref() == Some(recipient) && step.step != Stage::Routed
            };
            steps.iter().filter(of).map(|step| step.step).collect::<Vec<_>>()
        };
        assert_eq!(of("b@far.example").last(), Some(&Stage::Failed));
        assert!(of("nobody@other.example").iter().filter(|step| **step == Stage::Deferred).count() > 5, "{steps:#?}");
        let reports: Vec<_> = net.taken().into_iter().filter(|taken| taken.sender.starts_with("<>")).collect();
        assert!(reports.iter().any(|report| report.text.contains("later")), "the host's words: {reports:?}");
        assert!(reports.iter().any(|report| report.text.contains("5.3.0")), "in the other class: {reports:?}");
    });
}

#[test]
fn the_session_goes_on_as_a_sink_chooses_and_an_illegal_choice_is_its_fault() {
    in_virtual_time(|| async {
        for (next, verb, wanted) in [
            (Next::Quit, "RCPT", "QUIT"),
            // RSET would come before the next message.
            (Next::Reset, "RCPT", "QUIT"),
            (Next::Repeat, "XHELLO", "XHELLO"),
            (Next::Hello, "XHELLO", "EHLO mx.example.com"),
            // These can't be, so that the session goes on by its policy, which is to continue.
            (Next::Repeat, "RCPT", "DATA"),
            (Next::Reset, "DATA", "QUIT"),
        ] {
            let done = Arc::new(Mutex::new(false));
            let net = net(OUTBOUND, &[Event::OutMail, Event::OutReply], move |scene, edits| {
                if scene.event == Event::OutMail && verb == "XHELLO" {
                    edits.push(say(PlanEdit::Insert("XHELLO".into())));
                }
                let mut done = done.lock().unwrap();
                if scene.event == Event::OutReply && scene.verb() == Some(verb) && !*done {
                    *done = true;
                    return Verdict::Answer(Answer::Step(next));
                }
                Verdict::Next
            })
            .await;
            let heard = heard_by_far(&net, &["b@far.example"]).await;
            let at = heard.iter().position(|line| line.starts_with(verb)).unwrap();
            assert_eq!(heard[at + 1], wanted, "{next} after {verb}: {heard:?}");
            // A transaction that was left is tried again.
            assert_eq!(got(&net).len(), 1, "{next} after {verb}: {heard:?}");
        }
    });
}

#[test]
fn what_can_not_be_said_is_the_sink_s_fault() {
    in_virtual_time(|| async {
        for edit in [
            PlanEdit::Parameter("X=1\r\nRCPT TO:<evil@far.example>".into()),
            PlanEdit::Insert("RCPT TO:<evil@far.example>".into()),
            PlanEdit::Insert("XA\r\nXB".into()),
            PlanEdit::Replace("QUIT".into()),
            PlanEdit::Source("192.0.2.9".parse().unwrap()),
        ] {
            let told = edit.to_string();
            let net = net(OUTBOUND, &[Event::OutMail], move |_, edits| {
                edits.push(say(edit.clone()));
                Verdict::Next
            })
            .await;
            let host = net.host("mx.far.example", "192.0.2.2", false, Vec::new());
            let id = net.submit("a@home.example", &[("b@far.example", None)], "m").await;
            tokio::time::sleep(Duration::from_secs(5)).await;
            assert!(net.taken().is_empty(), "{told}");
            assert!(host.heard().iter().all(|line| !line.contains("MAIL") && !line.contains('X')), "{told}");
            // By default a fault defers.
            assert!(net.steps(id).iter().any(|step| step.step == Stage::Deferred), "{told}");
        }
    });
}

#[test]
fn a_property_of_the_connection_lasts_as_long_as_it() {
    in_virtual_time(|| async {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let noted = seen.clone();
        let net = net(OUTBOUND, &[Event::OutConnect, Event::OutMail, Event::OutQuit], move |scene, edits| {
            match scene.event {
                Event::OutConnect => edits.push(Edit::Property(Bearer::Session, "n".into(), 7.into())),
                event => noted.lock().unwrap().push((event.name(), scene.property("s.n").cloned())),
            }
            Verdict::Next
        })
        .await;
        heard_by_far(&net, &["b@far.example"]).await;
        assert_eq!(*seen.lock().unwrap(), [("out.mail", Some(7.into())), ("out.quit", Some(7.into()))]);
    });
}

/// A server whose sink does to hosts, by the dice, whatever it may, but to that of the sender.
pub(super) fn meddled(plan: Plan, seed: u64) -> Plan {
    let dice = Mutex::new(Dice(seed.wrapping_mul(77) | 1));
    let says: Saying = Arc::new(move |scene: &Scene<'_>, edits: &mut Edits| {
        let mut dice = dice.lock().unwrap();
        let home = scene.leg().is_none_or(|leg| &*leg.domain == "home.example");
        if home || !dice.one_in(4) { Verdict::Next } else { meddle(scene, edits, &mut dice) }
    });
    plan.natives(|natives| {
        let open = move |NoConfig {}, _: &mut Env| Ok::<_, String>(Says(OUT.to_vec(), says.clone()));
        natives.with("says", open)
    })
    .manifest("[[sink]]\nname = 's'\nnative = 'says'\n")
}

fn meddle(scene: &Scene<'_>, edits: &mut Edits, dice: &mut Dice) -> Verdict {
    let refusal = |dice: &mut Dice| match dice.below(6) {
        0 => Verdict::Reject(no(550, (5, 7, 1))),
        1 => Verdict::Defer(no(450, (4, 7, 1)), None),
        _ => Verdict::Next,
    };
    match scene.event {
        Event::OutConnect => edits.push(say(PlanEdit::Helo(Domain::parse("other.example").unwrap()))),
        Event::OutMessage => edits.push(Edit::Header(HeaderEdit::Prepend("X-Seen".into(), "1".into()))),
        Event::OutHelo | Event::OutMail | Event::OutRcpt | Event::OutData => {
            for _ in 0..dice.below(3) {
                let verb = ["XHELLO", "XWHAT"][dice.below(2)];
                edits.push(say(PlanEdit::Insert(verb.into())));
            }
            if matches!(scene.event, Event::OutMail | Event::OutRcpt) && dice.one_in(2) {
                edits.push(say(PlanEdit::Parameter("X=1".into())));
            }
        }
        Event::OutReply => {
            let choices = scene.plan().unwrap().choices;
            let refused = scene.leg().and_then(|leg| leg.reply.as_ref()).map(Reply::class);
            if choices.refuse && dice.one_in(3) && refused != Some(Class::Positive) {
                return if dice.one_in(4) { Verdict::Reject(None) } else { Verdict::Defer(None, None) };
            }
            return Verdict::Answer(Answer::Step(choices.next[dice.below(choices.next.len())]));
        }
        _ => return Verdict::Next,
    }
    refusal(dice)
}
