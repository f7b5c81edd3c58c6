//! Single cases, each a story of some days.

use super::{Net, OUTBOUND, Step, What, field, in_virtual_time};
use mailsluice::event::host::{RecordKind, ZoneTrouble};
use mailsluice::intake::track::Stage;
use mailsluice::mail::{Glob, Notify};
use mailsluice::transport::Operation;
use mailsluice::transport::traffic::Suspended;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);
const DAY: Duration = Duration::from_secs(86_400);

async fn home(net: &Net) {
    net.mx("home.example", 10, "mail.home.example");
    net.host("mail.home.example", "192.0.2.1", false, Vec::new());
}

#[test]
fn a_host_that_is_down_for_a_day_gets_its_mail_and_the_sender_hears_of_the_delay() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        home(&net).await;
        net.mx("slow.example", 10, "mx.slow.example");
        net.host("mx.slow.example", "192.0.2.9", false, vec![Some((Step::Connect, What::Refuse)); 8]);
        let id = net.submit("a@home.example", &[("b@slow.example", None)], "late").await;
        net.run_dry(2 * DAY).await;
        let taken = net.taken();
        let hosts: Vec<&str> = taken.iter().map(|taken| taken.host.as_str()).collect();
        assert_eq!(hosts, ["mail.home.example", "mx.slow.example"]);
        assert_eq!(field(&taken[0].text, "Action: "), "delayed");
        assert!(!field(&taken[0].text, "Will-Retry-Until: ").is_empty(), "{}", taken[0].text);
        let deferred = net.steps(id).iter().filter(|step| step.step == Stage::Deferred).count();
        assert_eq!(deferred, 8);
    });
}

#[test]
fn a_domain_that_takes_no_mail_fails_at_once_and_one_whose_dns_is_down_does_not() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        home(&net).await;
        net.mx("null.example", 0, ".");
        net.mx("shaky.example", 10, "mx.shaky.example");
        net.host("mx.shaky.example", "192.0.2.9", false, Vec::new());
        net.zone.fail("shaky.example", RecordKind::Mx, ZoneTrouble::ServFail);
        let gone = net.submit("a@home.example", &[("b@null.example", None)], "null").await;
        let shaky = net.submit("a@home.example", &[("b@shaky.example", None)], "shaky").await;
        tokio::time::sleep(HOUR).await;
        assert_eq!(net.steps(gone).last().map(|step| step.step), Some(Stage::Failed));
        assert_eq!(field(&net.taken()[0].text, "Status: "), "5.1.10");
        assert_eq!(net.steps(shaky).last().map(|step| step.step), Some(Stage::Deferred));
        net.zone.mend("shaky.example", RecordKind::Mx);
        net.run_dry(DAY).await;
        assert_eq!(net.steps(shaky).last().map(|step| step.step), Some(Stage::Delivered));
    });
}

#[test]
fn what_expires_fails_once_and_says_what_the_host_said_last() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        home(&net).await;
        net.mx("full.example", 10, "mx.full.example");
        net.host("mx.full.example", "192.0.2.9", false, vec![Some((Step::Rcpt, What::Tempfail)); 1000]);
        let never = Some(Notify { success: false, failure: true, delay: false });
        let id = net.submit("a@home.example", &[("b@full.example", never)], "old").await;
        net.run_dry(6 * DAY).await;
        let taken = net.taken();
        assert_eq!(taken.len(), 1, "{taken:?}");
        assert_eq!((field(&taken[0].text, "Action: "), field(&taken[0].text, "Status: ")), ("failed", "5.4.7"));
        assert_eq!(net.steps(id).last().map(|step| step.step), Some(Stage::Expired));
    });
}

#[test]
fn mail_with_the_null_reverse_path_makes_no_report_and_is_kept() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        net.mx("nowhere.example", 0, ".");
        net.submit("<>", &[("b@nowhere.example", None)], "lost").await;
        net.run_dry(HOUR).await;
        assert!(net.taken().is_empty());
        let kept = std::fs::read_dir(net.inside.data_dir().join("badmail")).unwrap().count();
        assert_eq!(kept, 2, "the message and a note");
    });
}

#[test]
fn the_second_host_takes_what_the_first_will_not_within_one_attempt() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        net.mx("two.example", 10, "mx1.two.example");
        net.mx("two.example", 20, "mx2.two.example");
        for what in [What::Tempfail, What::Close, What::Garbage] {
            net.host("mx1.two.example", "192.0.2.8", false, vec![Some((Step::Greeting, what))]);
            net.host("mx2.two.example", "192.0.2.9", false, Vec::new());
            let id = net.submit("a@home.example", &[("b@two.example", None)], "m").await;
            net.run_dry(HOUR).await;
            let stages: Vec<Stage> = net.steps(id).iter().map(|step| step.step).collect();
            assert_eq!(stages, [Stage::Routed, Stage::Delivered], "{what:?}");
        }
        assert!(net.taken().iter().all(|taken| taken.host == "mx2.two.example"));
    });
}

#[test]
fn what_an_operator_returns_is_reported_in_his_words() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        home(&net).await;
        net.mx("down.example", 10, "mx.down.example");
        net.host("mx.down.example", "192.0.2.9", false, vec![Some((Step::Connect, What::Refuse)); 99]);
        let id = net.submit("a@home.example", &[("b@down.example", None)], "m").await;
        tokio::time::sleep(HOUR).await;
        let bounce = Operation::Bounce("that company is no more".to_owned());
        assert_eq!(net.inside.queue.operate(&[id], &bounce).await, [(id, Ok(()))]);
        net.run_dry(HOUR).await;
        let taken = net.taken();
        assert_eq!(taken.len(), 1);
        assert!(taken[0].text.contains("that company is no more"), "{}", taken[0].text);
        let last = net.steps(id).into_iter().rfind(|step| step.step.is_end()).unwrap();
        assert_eq!((last.step, last.by.as_deref()), (Stage::Failed, Some("an operator has given it up")));
    });
}

#[test]
fn a_suspended_domain_waits_and_the_others_do_not() {
    in_virtual_time(|| async {
        let net = Net::new(OUTBOUND, |plan| plan).await;
        for (domain, ip) in [("one.example", "192.0.2.8"), ("two.example", "192.0.2.9")] {
            net.mx(domain, 10, &format!("mx.{domain}"));
            net.host(&format!("mx.{domain}"), ip, false, Vec::new());
        }
        let governor = net.inside.queue.governor.clone();
        let one = Suspended::Domain(Glob::new("one.example"));
        governor.suspend(one.clone(), None, "they asked for it");
        net.submit("a@home.example", &[("b@one.example", None), ("c@two.example", None)], "m").await;
        tokio::time::sleep(5 * HOUR).await;
        let hosts = |net: &Net| net.taken().iter().map(|taken| taken.host.clone()).collect::<Vec<_>>();
        assert_eq!(hosts(&net), ["mx.two.example"]);
        assert!(governor.resume(&one, net.now()));
        net.run_dry(HOUR).await;
        assert_eq!(hosts(&net), ["mx.two.example", "mx.one.example"]);
    });
}

#[test]
fn a_domain_gets_no_more_messages_a_period_than_it_may_have() {
    in_virtual_time(|| async {
        let config = format!("{OUTBOUND}[[traffic]]\ndomain = 'slow.example'\nconnections = 1\nmessages = '60/1h'\n");
        let net = Net::new(&config, |plan| plan).await;
        net.mx("slow.example", 10, "mx.slow.example");
        net.host("mx.slow.example", "192.0.2.9", false, Vec::new());
        for n in 0..30 {
            net.submit("a@home.example", &[("b@slow.example", None)], &format!("m{n}")).await;
        }
        tokio::time::sleep(HOUR / 6).await;
        let taken = net.taken().len();
        assert!((10..=11).contains(&taken), "one a minute: {taken}");
        net.run_dry(HOUR).await;
        assert_eq!(net.taken().len(), 30);
    });
}
