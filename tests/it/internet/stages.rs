//! What sinks may say at each stage of the transport, and aliases and lists on the way.

use super::{Net, OUTBOUND, Step, Taken, What, field, in_virtual_time};
use crate::inside::Plan;
use mailsluice::event::edit::{Bearer, HeaderEdit};
use mailsluice::event::{
    Answer, Edit, Edits, Env, Event, Hearing, Interest, Resolution, RouteHop, Scene, Sink, SinkOutcome, Verdict,
};
use mailsluice::intake::track::Stage;
use mailsluice::mail::{EnhancedCode, Notify, Reply};
use mailsluice::transport::Operation;
use serde::Deserialize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

/// A sink that is one function.
pub(super) struct Says(pub(super) Vec<Event>, pub(super) Saying);

pub(super) type Saying = Arc<dyn Fn(&Scene<'_>, &mut Edits) -> Verdict + Send + Sync>;

impl Sink for Says {
    fn interest(&self) -> Interest {
        Interest::in_events(self.0.clone())
    }

    fn hear<'a>(&'a self, scene: Scene<'a>, edits: &'a mut Edits) -> Hearing<'a> {
        Hearing::Now(Ok((self.1)(&scene, edits)))
    }
}

#[derive(Deserialize)]
pub(super) struct NoConfig {}

/// A server with this sink, called `s`, and the hosts of two domains.
pub(super) async fn net(
    config: &str,
    events: &[Event],
    says: impl Fn(&Scene<'_>, &mut Edits) -> Verdict + Send + Sync + 'static,
) -> Net {
    let says: Saying = Arc::new(says);
    let events = events.to_vec();
    let plan = move |plan: Plan| {
        plan.natives(|natives| {
            natives.with("says", move |NoConfig {}, _: &mut Env| Ok::<_, String>(Says(events.clone(), says.clone())))
        })
        .manifest("[[sink]]\nname = 's'\nnative = 'says'\n")
    };
    let net = Net::new(config, plan).await;
    for (domain, ip) in [("home.example", "192.0.2.1"), ("far.example", "192.0.2.2"), ("other.example", "192.0.2.3")] {
        let host = format!("mx.{domain}");
        net.mx(domain, 10, &host);
        net.host(&host, ip, false, Vec::new());
    }
    net
}

/// `host: recipients` of all that was taken, without reports.
pub(super) fn got(net: &Net) -> Vec<String> {
    let told = |taken: &Taken| format!("{}: {}", taken.host, taken.recipients.join(" "));
    net.taken().iter().filter(|taken| !taken.sender.starts_with("<>")).map(told).collect()
}

#[test]
fn an_edit_before_categorization_is_made_once_however_often_it_is_tried() {
    in_virtual_time(|| async {
        let net = net(OUTBOUND, &[Event::TransportPreCategorize], |_, edits| {
            edits.push(Edit::Header(HeaderEdit::Append("X-Seen".into(), "1".into())));
            Verdict::Next
        })
        .await;
        net.host("mx.far.example", "192.0.2.2", false, vec![Some((Step::Rcpt, What::Tempfail)); 3]);
        net.submit("a@home.example", &[("b@far.example", None)], "m").await;
        net.run_dry(24 * HOUR).await;
        let taken = net.taken();
        assert_eq!(taken.len(), 1);
        assert_eq!(taken[0].text.matches("X-Seen").count(), 1, "{}", taken[0].text);
    });
}

#[test]
fn each_answer_at_categorization() {
    in_virtual_time(|| async {
        let net = net(OUTBOUND, &[Event::TransportCategorize], |scene, _| {
            let path = |text: &str| mailsluice::mail::ForwardPath::parse(text).unwrap();
            let reply = |code, status| Some(Reply::foreign(code, Some(status), "said the sink"));
            match scene.recipient().map(|r| r.path.as_str().split('@').next().unwrap().to_owned()).as_deref() {
                Some("moved") => Verdict::Answer(Answer::Resolution(Resolution::Rewritten(path("new@other.example")))),
                Some("team") => Verdict::Answer(Answer::Resolution(Resolution::Expanded {
                    members: vec![path("x@far.example"), path("y@other.example")],
                    sender: None,
                })),
                Some("gone") => Verdict::Reject(reply(550, EnhancedCode(5, 1, 6))),
                Some("void") => Verdict::Discard,
                _ => Verdict::Next,
            }
        })
        .await;
        let success = Some(Notify { success: true, failure: true, delay: true });
        let to = [
            ("moved@far.example", None),
            ("team@far.example", success),
            ("gone@far.example", None),
            ("void@far.example", None),
            ("plain@far.example", None),
        ];
        let id = net.submit("a@home.example", &to, "m").await;
        net.run_dry(HOUR).await;
        let mut got = got(&net);
        got.sort();
        assert_eq!(
            got,
            [
                "mx.far.example: <plain@far.example> <x@far.example>",
                "mx.other.example: <new@other.example> <y@other.example>",
            ]
        );
        let reports: Vec<Taken> = net.taken().into_iter().filter(|taken| taken.sender.starts_with("<>")).collect();
        let [report] = reports.as_slice() else { panic!("{reports:?}") };
        assert!(report.text.contains("Final-Recipient: rfc822; gone@far.example\r\nAction: failed\r\nStatus: 5.1.6"));
        assert!(report.text.contains("Final-Recipient: rfc822; team@far.example\r\nAction: expanded"));
        let ends = net.steps(id).iter().filter(|step| step.step.is_end()).count();
        assert_eq!(ends, 7, "{:#?}", net.steps(id));
    });
}

#[test]
fn a_route_of_a_sink_s_and_a_delivery_by_it() {
    in_virtual_time(|| async {
        let elsewhere = net(OUTBOUND, &[Event::TransportRoute], |scene, _| match scene.leg().map(|leg| &*leg.domain) {
            Some("far.example") => Verdict::Answer(Answer::Route(vec![RouteHop::Mx("other.example".into())])),
            _ => Verdict::Next,
        })
        .await;
        elsewhere.submit("a@home.example", &[("b@far.example", None), ("c@home.example", None)], "m").await;
        elsewhere.run_dry(HOUR).await;
        let mut got = got(&elsewhere);
        got.sort();
        assert_eq!(got, ["mx.home.example: <c@home.example>", "mx.other.example: <b@far.example>"]);
    });
}

#[test]
fn what_a_sink_makes_of_a_deferral_and_of_a_failure() {
    in_virtual_time(|| async {
        let deferred = net(OUTBOUND, &[Event::TransportDeferred], |_, _| {
            Verdict::Reject(Some(Reply::foreign(554, Some(EnhancedCode(5, 4, 0)), "not worth another try")))
        })
        .await;
        deferred.host("mx.far.example", "192.0.2.2", false, vec![Some((Step::Mail, What::Tempfail)); 9]);
        let id = deferred.submit("a@home.example", &[("b@far.example", None)], "m").await;
        deferred.run_dry(HOUR).await;
        assert_eq!(deferred.steps(id).iter().filter(|step| step.step == Stage::Failed).count(), 1);
        assert_eq!(field(&deferred.taken()[0].text, "Status: "), "5.4.0");

        let tries = Arc::new(AtomicUsize::new(0));
        let counted = tries.clone();
        let failed = net(OUTBOUND, &[Event::TransportFailed], move |_, _| match counted.fetch_add(1, SeqCst) {
            0 => Verdict::Defer(None, Some(Duration::from_secs(30))),
            _ => Verdict::Discard,
        })
        .await;
        failed.host("mx.far.example", "192.0.2.2", false, vec![Some((Step::Rcpt, What::Refuse)); 2]);
        failed.submit("a@home.example", &[("b@far.example", None)], "m").await;
        failed.run_dry(HOUR).await;
        assert_eq!(tries.load(SeqCst), 2, "once more, after half a minute");
        assert!(failed.taken().is_empty(), "and nobody is told");
    });
}

#[test]
fn a_report_is_changed_or_suppressed() {
    in_virtual_time(|| async {
        for suppress in [false, true] {
            let net = net(OUTBOUND, &[Event::TransportDsn], move |_, edits| {
                edits.push(Edit::Header(HeaderEdit::Set("X-Help".into(), "https://help.example/".into())));
                if suppress { Verdict::Discard } else { Verdict::Next }
            })
            .await;
            net.mx("null.example", 0, ".");
            net.submit("a@home.example", &[("b@null.example", None)], "m").await;
            net.run_dry(HOUR).await;
            let helped = net.taken().iter().filter(|t| field(&t.text, "X-Help: ") == "https://help.example/").count();
            assert_eq!((net.taken().len(), helped), if suppress { (0, 0) } else { (1, 1) });
        }
    });
}

#[test]
fn held_in_the_transport_it_goes_on_behind_who_held_it() {
    in_virtual_time(|| async {
        for (event, lone) in [
            (Event::TransportPreCategorize, false),
            (Event::TransportCategorize, true),
            (Event::TransportPostCategorize, false),
            (Event::TransportRoute, true),
        ] {
            let net = net(OUTBOUND, &[event], |_, edits| {
                if edits.is_empty() {
                    edits.push(Edit::Property(Bearer::Message, "queue:tenant".into(), "acme".into()));
                }
                Verdict::Hold("to be seen".into())
            })
            .await;
            let id = net.submit("a@home.example", &[("b@far.example", None)], "m").await;
            tokio::time::sleep(HOUR).await;
            let account = net.inside.queue.account(id).unwrap();
            let reason = account.hold.clone().or_else(|| account.recipients[0].reason.clone());
            assert_eq!((reason.as_deref(), account.hold.is_none()), (Some("to be seen"), lone), "{event}");
            assert_eq!(account.properties.lookup("queue.tenant"), Some(&"acme".into()), "{event}: edits are kept");
            let released = net.inside.queue.operate(&[id], &Operation::Release { rerun: false }).await;
            assert_eq!(released, [(id, Ok(()))], "{event}");
            net.run_dry(HOUR).await;
            assert_eq!(got(&net), ["mx.far.example: <b@far.example>"], "{event}");
        }
    });
}

#[test]
fn a_sink_delivers_by_itself_what_is_routed_to_it() {
    in_virtual_time(|| async {
        let net = net(OUTBOUND, &[Event::TransportRoute, Event::TransportDeliver], |scene, _| {
            let leg = scene.leg().unwrap();
            if scene.event == Event::TransportRoute {
                return match &*leg.domain {
                    "far.example" => Verdict::Answer(Answer::Route(vec![RouteHop::Sink("s".into())])),
                    _ => Verdict::Next,
                };
            }
            let outcome = |at: &usize| {
                let code = match scene.envelope().unwrap().recipients[*at].path.as_str() {
                    "gone@far.example" => 550,
                    "later@far.example" if leg.attempt == 1 => 450,
                    _ => 250,
                };
                SinkOutcome { recipient: *at, reply: Reply::foreign(code, None, "said the sink") }
            };
            Verdict::Answer(Answer::Outcomes(leg.recipients.iter().map(outcome).collect()))
        })
        .await;
        let to = [("b@far.example", None), ("gone@far.example", None), ("later@far.example", None)];
        let id = net.submit("a@home.example", &to, "m").await;
        net.run_dry(HOUR).await;
        assert!(got(&net).is_empty());
        let [report] = net.taken().try_into().unwrap();
        assert!(report.text.contains("gone@far.example\r\nAction: failed"), "{}", report.text);
        let stages: Vec<Stage> = net.steps(id).iter().map(|step| step.step).collect();
        let wanted = [Stage::Routed, Stage::Delivered, Stage::Failed, Stage::Deferred, Stage::Routed, Stage::Delivered];
        let told: Vec<Stage> = stages.into_iter().filter(|stage| *stage != Stage::Reported).collect();
        assert_eq!(told, wanted);
    });
}

#[test]
fn aliases_and_lists_lead_where_they_say() {
    in_virtual_time(|| async {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("aliases");
        std::fs::write(
            &file,
            "team: x@far.example, sub\nsub: y@other.example, team2@other.example\nowner-team: boss@home.example\n\
             one: z@far.example\n",
        )
        .unwrap();
        let config = format!(
            "{OUTBOUND}local = ['here.example']\n[recipients]\nusers = ['boss']\naliases = '{}'\n",
            file.display()
        );
        let net = net(&config, &[Event::Track], |_, _| Verdict::Next).await;
        net.host("mx.other.example", "192.0.2.3", false, vec![Some((Step::Rcpt, What::Refuse))]);
        net.submit("a@home.example", &[("team@here.example", None), ("one@here.example", None)], "m").await;
        net.run_dry(HOUR).await;
        let mut taken: Vec<String> =
            net.taken().iter().map(|t| format!("{} {} {}", t.host, t.sender, t.recipients.join(" "))).collect();
        taken.sort();
        assert_eq!(
            taken,
            [
                "mx.far.example <a@home.example> <z@far.example>",
                "mx.far.example <owner-team@here.example> <x@far.example>",
                "mx.home.example <> <boss@home.example>",
            ],
            "the list's owner hears of what failed, the sender of nothing"
        );
    });
}

#[test]
fn held_before_its_recipients_are_known_it_still_finds_them() {
    in_virtual_time(|| async {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("aliases");
        std::fs::write(&file, "one: z@far.example\n").unwrap();
        let config = format!(
            "{OUTBOUND}local = ['here.example']\n[recipients]\nusers = ['boss']\naliases = '{}'\n",
            file.display()
        );
        for event in [Event::TransportPreCategorize, Event::TransportPostCategorize] {
            let net = net(&config, &[event], |_, _| Verdict::Hold("to be seen".into())).await;
            let id = net.submit("a@home.example", &[("one@here.example", None)], "m").await;
            tokio::time::sleep(HOUR).await;
            assert!(net.inside.queue.account(id).unwrap().hold.is_some());
            net.inside.queue.operate(&[id], &Operation::Release { rerun: false }).await.remove(0).1.unwrap();
            net.run_dry(HOUR).await;
            assert_eq!(got(&net), ["mx.far.example: <z@far.example>"], "{event}: {:#?}", net.steps(id));
        }
    });
}
