//! Policies against a web server and a DNS in tables.

use super::policy::announced;
use super::*;
use crate::event::host::{
    Http, HttpFault, HttpRequest, HttpResponse, ManualClock, RecordKind, Resolver, ZoneRecord, ZoneTable, ZoneTrouble,
};
use crate::kv::MemoryKv;
use crate::mail::Timestamp;
use std::sync::{Arc, Mutex};
use std::time::Duration;

const POLICY: &str = "version: STSv1\r\nmode: enforce\r\nmx: mx.example\r\nmx: *.mail.example\r\nmax_age: 604800\r\n";

#[test]
fn policies_are_read() {
    let policy = Policy::parse(POLICY).unwrap();
    assert_eq!((policy.mode, policy.max_age.as_secs()), (Mode::Enforce, 604_800));
    for (host, listed) in [
        ("mx.example", true),
        ("MX.example.", true),
        ("a.mail.example", true),
        ("mail.example", false),
        ("a.b.mail.example", false),
        ("x.example", false),
        ("xmx.example", false),
    ] {
        assert_eq!(policy.lists(host), listed, "{host}");
    }
    assert_eq!(
        Policy::parse("version: STSv1\nmode: none\nmax_age: 0\nunknown: x\nmode: enforce").unwrap().mode,
        Mode::None
    );
}

#[test]
fn what_makes_no_sense_is_no_policy() {
    for (from, to) in [
        ("STSv1", "STSv2"),
        ("mode: enforce", "mode: strict"),
        ("mode: enforce\r\n", ""),
        ("604800", "-1"),
        ("604800", "31557601"),
        ("604800", "99999999999999999999"),
        ("max_age: 604800\r\n", ""),
        ("mx: mx.example\r\nmx: *.mail.example\r\n", ""),
        ("mx: mx.example", "mx: a b"),
        ("mx: mx.example", "mx: *"),
        ("mx: mx.example", "mx"),
    ] {
        let text = POLICY.replace(from, to);
        assert!(Policy::parse(&text).is_err(), "{text}");
    }
    assert!(Policy::parse(&(POLICY.to_owned() + &"mx: a.example\n".repeat(1000))).is_err());
}

#[test]
fn one_record_announces() {
    let id = |records: &[&str]| announced(&records.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
    assert_eq!(id(&["v=spf1 -all", "v=STSv1; id=20260101T00;"]).as_deref(), Some("20260101T00"));
    assert_eq!(id(&["v=STSv1;id=a"]).as_deref(), Some("a"));
    for none in [
        &["v=STSv1; id=a", "v=STSv1; id=b"][..],
        &["v=STSv10; id=a"],
        &["v=STSv1"],
        &["v=STSv1; id="],
        &["v=STSv1; id=a-b"],
        &[],
    ] {
        assert_eq!(id(none), None, "{none:?}");
    }
}

/// A web that answers with what lies here, and counts.
struct Web(Mutex<(Result<HttpResponse, HttpFault>, Vec<String>)>);

#[async_trait::async_trait]
impl Http for Web {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, HttpFault> {
        let mut state = self.0.lock().unwrap();
        state.1.push(request.url);
        state.0.clone()
    }
}

fn page(status: u16, kind: &str, body: &str) -> Result<HttpResponse, HttpFault> {
    let headers = vec![("content-type".to_owned(), kind.to_owned())];
    Ok(HttpResponse { status, headers, body: body.to_owned().into() })
}

struct World {
    web: Arc<Web>,
    zone: Arc<ZoneTable>,
    clock: Arc<ManualClock>,
    kv: Arc<MemoryKv>,
    sts: Sts,
}

fn world() -> World {
    let web = Arc::new(Web(Mutex::new((page(200, "text/plain; charset=utf-8", POLICY), Vec::new()))));
    let clock = Arc::new(ManualClock::new(Timestamp(1_800_000_000_000)));
    let kv = Arc::new(MemoryKv::new(clock.clone(), crate::kv::Quota::default()));
    let sts = Sts::new(web.clone(), kv.clone(), clock.clone());
    let zone = Arc::new(ZoneTable::new());
    zone.add("_mta-sts.example", ZoneRecord::Txt("v=STSv1; id=1;".into()));
    World { web, zone, clock, kv, sts }
}

impl World {
    async fn mode(&self) -> Option<Mode> {
        let resolver: Arc<dyn Resolver> = self.zone.clone();
        self.sts.policy(&resolver, "example").await.0.map(|policy| policy.mode)
    }

    fn serve(&self, answer: Result<HttpResponse, HttpFault>) {
        self.web.0.lock().unwrap().0 = answer;
    }

    fn fetched(&self) -> usize {
        self.web.0.lock().unwrap().1.len()
    }
}

#[tokio::test]
async fn a_policy_is_fetched_once_and_kept_over_a_restart() {
    let world = world();
    assert_eq!(
        (world.mode().await, world.mode().await, world.fetched()),
        (Some(Mode::Enforce), Some(Mode::Enforce), 1)
    );
    assert_eq!(world.web.0.lock().unwrap().1, ["https://mta-sts.example/.well-known/mta-sts.txt"]);
    let again = World { sts: Sts::new(world.web.clone(), world.kv.clone(), world.clock.clone()), ..world };
    again.serve(Err(HttpFault::Timeout));
    assert_eq!((again.mode().await, again.fetched()), (Some(Mode::Enforce), 1));
}

#[tokio::test]
async fn a_kept_policy_outlives_its_record_and_server_until_its_time_is_over() {
    let world = world();
    world.mode().await;
    world.serve(Err(HttpFault::Timeout));
    world.zone.fail("_mta-sts.example", RecordKind::Txt, ZoneTrouble::ServFail);
    assert_eq!(world.mode().await, Some(Mode::Enforce));
    world.zone.mend("_mta-sts.example", RecordKind::Txt).remove("_mta-sts.example");
    assert_eq!(world.mode().await, Some(Mode::Enforce));
    // A new id whose policy can't be had changes nothing.
    world.zone.add("_mta-sts.example", ZoneRecord::Txt("v=STSv1; id=2;".into()));
    assert_eq!(world.mode().await, Some(Mode::Enforce));
    world.clock.advance(Duration::from_secs(604_801));
    assert_eq!(world.mode().await, None);
}

#[tokio::test]
async fn a_new_id_brings_a_new_policy() {
    let world = world();
    world.mode().await;
    world.zone.remove("_mta-sts.example").add("_mta-sts.example", ZoneRecord::Txt("v=STSv1; id=2;".into()));
    world.serve(page(200, "text/plain", &POLICY.replace("enforce", "testing")));
    assert_eq!(world.mode().await, Some(Mode::Testing));
}

#[tokio::test]
async fn what_can_not_be_fetched_is_left_alone_for_a_while() {
    for answer in [
        page(301, "text/plain", POLICY),
        page(404, "text/plain", POLICY),
        page(200, "text/html", POLICY),
        page(200, "text/plain", "version: STSv1"),
        Err(HttpFault::TooLarge(64 * 1024)),
    ] {
        let world = world();
        world.serve(answer.clone());
        assert_eq!((world.mode().await, world.mode().await, world.fetched()), (None, None, 1), "{answer:?}");
        world.serve(page(200, "text/plain", POLICY));
        world.clock.advance(Duration::from_secs(301));
        assert_eq!(world.mode().await, Some(Mode::Enforce));
    }
}

#[tokio::test]
async fn past_half_of_its_time_a_policy_is_fetched_anew() {
    let world = world();
    world.mode().await;
    world.clock.advance(Duration::from_secs(400_000));
    assert_eq!(world.mode().await, Some(Mode::Enforce));
    while world.fetched() < 2 {
        tokio::task::yield_now().await;
    }
    world.clock.advance(Duration::from_secs(300_000));
    assert_eq!(world.mode().await, Some(Mode::Enforce), "past the end of the first");
}
