//! Every rule over a table of records.

use super::choice::ADDRESSES_MAX;
use super::*;
use crate::event::host::{Mx, RecordKind, ZoneRecord, ZoneTable, ZoneTrouble};
use crate::transport::outcome::Outcome;
use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const US: &str = "us.example";

/// Asks for the hosts of a domain, equals in the order of their names. This server is `us.example`, and listens on 192.0.2.99.
async fn ask(zone: &ZoneTable, domain: &str) -> Result<Vec<Exchange>, NoExchange> {
    let ourselves = Ourselves { hostname: US, addresses: &["192.0.2.99".parse().unwrap()] };
    exchanges(zone, domain, &ourselves, &mut |bound| bound - 1).await
}

/// As `10 mx.example [2001:db8::1 192.0.2.1], …`, or as `failed 5.4.6` or `deferred 4.4.3`.
fn shown(answer: &Result<Vec<Exchange>, NoExchange>) -> String {
    match answer {
        Ok(hosts) => hosts.iter().map(host).collect::<Vec<_>>().join(", "),
        Err(none) => {
            let outcome = Outcome::from(none.clone());
            assert_eq!(outcome.details().reply.code() / 100, u16::from(outcome.status().0), "{outcome}");
            format!("{} {}", outcome.as_str(), outcome.details().reply.status().unwrap())
        }
    }
}

fn host(exchange: &Exchange) -> String {
    let addresses: Vec<String> = exchange.addresses.iter().map(IpAddr::to_string).collect();
    format!("{} {} [{}]", exchange.preference, exchange.host, addresses.join(" "))
}

fn note(answer: Result<Vec<Exchange>, NoExchange>) -> String {
    Outcome::from(answer.unwrap_err()).details().note.clone()
}

/// Runs rows of a name, a zone, and what comes out for `example`.
async fn table(rows: &[(&str, &str, &str)]) {
    for (name, zone, wanted) in rows {
        let answer = ask(&zone.parse().unwrap(), "example").await;
        assert_eq!(shown(&answer), *wanted, "{name}: {answer:?}");
    }
}

#[tokio::test]
async fn hosts_come_by_preference_with_their_addresses() {
    table(&[
        (
            "by preference and not by name",
            "example. MX 20 a.example.\nexample. MX 5 b.example.\nexample. MX 10 c.example.\n\
             a.example. A 192.0.2.1\nb.example. A 192.0.2.2\nc.example. AAAA 2001:db8::3",
            "5 b.example [192.0.2.2], 10 c.example [2001:db8::3], 20 a.example [192.0.2.1]",
        ),
        (
            "families in turn, IPv6 first",
            "example. MX 0 a.example.\na.example. A 192.0.2.1\na.example. A 192.0.2.2\na.example. A 192.0.2.3\n\
             a.example. AAAA 2001:db8::1\na.example. AAAA 2001:db8::2",
            "0 a.example [2001:db8::1 192.0.2.1 2001:db8::2 192.0.2.2 192.0.2.3]",
        ),
        (
            "an address and a host count once",
            "example. MX 10 a.example.\nexample. MX 5 A.Example.\na.example. A 192.0.2.1\na.example. A 192.0.2.1\n\
             a.example. AAAA ::ffff:192.0.2.1",
            "5 a.example [192.0.2.1]",
        ),
        ("no MX record", "example. A 192.0.2.1\nexample. AAAA 2001:db8::1", "0 example [2001:db8::1 192.0.2.1]"),
        (
            "MX records, and an address that nobody asks for",
            "example. MX 10 a.example.\nexample. A 192.0.2.1\na.example. A 192.0.2.2",
            "10 a.example [192.0.2.2]",
        ),
        (
            "the domain is an alias",
            "example. CNAME other.example.\nother.example. MX 10 a.example.\na.example. A 192.0.2.1",
            "10 a.example [192.0.2.1]",
        ),
        ("an alias without MX record", "example. CNAME a.example.\na.example. A 192.0.2.1", "0 example [192.0.2.1]"),
        (
            "the host is an alias",
            "example. MX 10 a.example.\na.example. CNAME b.example.\nb.example. A 192.0.2.1",
            "10 a.example [192.0.2.1]",
        ),
        ("loopback", "example. MX 10 a.example.\na.example. A 127.0.0.1", "10 a.example [127.0.0.1]"),
    ])
    .await;
}

#[tokio::test]
async fn domains_that_take_no_mail_fail_for_good() {
    table(&[
        ("null MX", "example. MX 0 .\nexample. A 192.0.2.1", "failed 5.1.10"),
        ("null MX with a preference", "example. MX 10 .", "failed 5.1.10"),
        ("null MX twice", "example. MX 0 .\nexample. MX 1 .", "failed 5.1.10"),
        ("no such domain", "", "failed 5.1.2"),
        ("an alias to nowhere", "example. CNAME a.example.", "failed 5.1.2"),
        ("aliases in a ring", "example. CNAME a.example.\na.example. CNAME example.", "failed 5.1.2"),
        ("MX to nowhere", "example. MX 10 a.example.\nexample. A 192.0.2.1", "failed 5.4.4"),
        ("MX to an alias to nowhere", "example. MX 10 a.example.\na.example. CNAME b.example.", "failed 5.4.4"),
        ("only 0.0.0.0", "example. A 0.0.0.0", "failed 5.4.4"),
        ("MX to an address", "example. MX 10 192.0.2.1.\n192.0.2.1. A 192.0.2.1", "failed 5.4.4"),
    ])
    .await;
    let nowhere = ask(&"example. MX 10 192.0.2.1.\nexample. MX 20 a.example.".parse().unwrap(), "example").await;
    let why = note(nowhere);
    assert_eq!(why, "MX 10 \"192.0.2.1\": that is an address and not a name; a.example has no address");
}

#[tokio::test]
async fn what_is_odd_is_left_out() {
    table(&[
        (
            "a null MX beside others",
            "example. MX 0 .\nexample. MX 10 a.example.\na.example. A 192.0.2.1",
            "10 a.example [192.0.2.1]",
        ),
        (
            "no names of hosts",
            "example. MX 0 192.0.2.7.\nexample. MX 1 a..example.\nexample. MX 2 *.example.\nexample. MX 3 a@b.example.\n\
             example. MX 10 a.example.\na.example. A 192.0.2.1",
            "10 a.example [192.0.2.1]",
        ),
        (
            "addresses of nobody, of all and of many",
            "example. MX 10 a.example.\nexample. MX 20 b.example.\n\
             a.example. A 0.0.0.0\na.example. A 0.1.2.3\na.example. A 255.255.255.255\na.example. A 224.0.0.1\n\
             a.example. AAAA ::\na.example. AAAA ff02::1\na.example. AAAA ::ffff:0.0.0.0\nb.example. A 192.0.2.1",
            "20 b.example [192.0.2.1]",
        ),
        (
            "a host without address",
            "example. MX 10 a.example.\nexample. MX 20 b.example.\nb.example. A 192.0.2.1",
            "20 b.example [192.0.2.1]",
        ),
    ])
    .await;
    let zone = ZoneTable::new();
    for host in ["a b.example", "mx\u{0}.example", "-\u{fffd}", &"a".repeat(64), &"a.".repeat(2000)] {
        zone.add("example", ZoneRecord::Mx(Mx::new(10, host)));
    }
    let answer = ask(&zone, "example").await;
    assert_eq!(shown(&answer), "failed 5.4.4");
    let why = note(answer);
    assert!(why.contains("\"a b.example\": a name is of letters") && why.len() < 1000, "{why}");
    assert_eq!(zone.questions(), 1, "they are not asked for");
}

#[tokio::test]
async fn mail_does_not_come_back() {
    table(&[
        (
            "better hosts only",
            "example. MX 5 a.example.\nexample. MX 10 us.example.\nexample. MX 10 b.example.\nexample. MX 20 c.example.\n\
             a.example. A 192.0.2.1\nb.example. A 192.0.2.2\nc.example. A 192.0.2.3",
            "5 a.example [192.0.2.1]",
        ),
        (
            "by address",
            "example. MX 5 a.example.\nexample. MX 10 mx.example.\nexample. MX 10 b.example.\nexample. MX 20 c.example.\n\
             a.example. A 192.0.2.1\nmx.example. A 192.0.2.99\nb.example. A 192.0.2.2\nc.example. A 192.0.2.3",
            "5 a.example [192.0.2.1]",
        ),
        (
            "by address, better than by name",
            "example. MX 5 mx.example.\nexample. MX 7 a.example.\nexample. MX 10 us.example.\n\
             mx.example. A 192.0.2.99\na.example. A 192.0.2.1",
            "failed 5.4.6",
        ),
        (
            "we are the best",
            "example. MX 10 US.example.\nexample. MX 20 a.example.\na.example. A 192.0.2.1",
            "failed 5.4.6",
        ),
        ("we are the only one", "example. MX 10 mx.example.\nmx.example. A 192.0.2.99", "failed 5.4.6"),
        ("the domain is our address", "example. A 192.0.2.99", "failed 5.4.6"),
        (
            "better hosts that lead nowhere",
            "example. MX 5 a.example.\nexample. MX 10 us.example.",
            "failed 5.4.6",
        ),
        (
            "a better host that nobody knows of yet",
            "example. MX 5 a.example.\nexample. MX 10 us.example.\na.example. A SERVFAIL",
            "deferred 4.4.3",
        ),
        (
            "a host that is us and others is the others",
            "example. MX 10 a.example.\nexample. MX 20 b.example.\na.example. A 192.0.2.99\na.example. A 192.0.2.1\n\
             b.example. A 192.0.2.2",
            "10 a.example [192.0.2.1], 20 b.example [192.0.2.2]",
        ),
    ])
    .await;
    assert_eq!(shown(&ask(&ZoneTable::new(), US).await), "failed 5.4.6");
    let zone: ZoneTable = "example. MX 10 us.example.".parse().unwrap();
    for n in 0..2 * HOSTS_MAX {
        zone.add("example", ZoneRecord::Mx(Mx::new(10, &format!("a{n}.example"))));
    }
    assert_eq!(shown(&ask(&zone, "example").await), "failed 5.4.6", "among however many");
    assert_eq!(zone.questions(), 1, "hosts that would send it back are not looked up");
    let why = note(ask(&"example. MX 7 us.example.".parse().unwrap(), "example").await);
    assert!(why.starts_with("this server is named with preference 7;") && why.contains("`domains.local`"), "{why}");
}

#[tokio::test(start_paused = true)]
async fn trouble_of_the_dns_never_fails_mail_for_good() {
    table(&[
        ("MX", "example. MX SERVFAIL\nexample. A 192.0.2.1", "deferred 4.4.3"),
        ("MX, nobody answers", "example. MX TIMEOUT 5", "deferred 4.4.3"),
        ("MX of an alias", "example. CNAME a.example.\na.example. MX SERVFAIL", "deferred 4.4.3"),
        ("the domain's addresses", "example. A SERVFAIL\nexample. AAAA TIMEOUT 9", "deferred 4.4.3"),
        ("one family, and nothing of the other", "example. AAAA SERVFAIL", "deferred 4.4.3"),
        (
            "one family, and an address of the other",
            "example. AAAA SERVFAIL\nexample. A 192.0.2.1",
            "0 example [192.0.2.1]",
        ),
        ("the only host", "example. MX 10 a.example.\na.example. A SERVFAIL", "deferred 4.4.3"),
        (
            "the best host",
            "example. MX 10 a.example.\nexample. MX 20 b.example.\na.example. A SERVFAIL\nb.example. A 192.0.2.2",
            "20 b.example [192.0.2.2]",
        ),
        (
            "the best host, and nothing at the other",
            "example. MX 10 a.example.\nexample. MX 20 b.example.\na.example. A TIMEOUT 5",
            "deferred 4.4.3",
        ),
        (
            "the worst host, and no address at the other",
            "example. MX 10 a.example.\nexample. MX 20 b.example.\na.example. A 0.0.0.0\nb.example. AAAA SERVFAIL",
            "deferred 4.4.3",
        ),
    ])
    .await;
    let zone: ZoneTable = "example. MX SERVFAIL".parse().unwrap();
    assert_eq!(note(ask(&zone, "example").await), "MX of example: the server said SERVFAIL");
    zone.mend("example", RecordKind::Mx);
    assert_eq!(shown(&ask(&zone, "example").await), "failed 5.1.2");
}

#[tokio::test]
async fn literals_are_their_address() {
    let zone = ZoneTable::new();
    for (domain, wanted) in [
        ("[192.0.2.1]", "0 [192.0.2.1] [192.0.2.1]"),
        ("[ipv6:2001:db8::1]", "0 [ipv6:2001:db8::1] [2001:db8::1]"),
        ("[ipv6:::ffff:192.0.2.1]", "0 [ipv6:::ffff:192.0.2.1] [192.0.2.1]"),
        ("[192.0.2.99]", "failed 5.4.6"),
        ("[ipv6:::ffff:192.0.2.99]", "failed 5.4.6"),
        ("[0.0.0.0]", "failed 5.4.4"),
        ("[x-net:abc]", "failed 5.1.2"),
        ("[300.1.1.1]", "failed 5.1.2"),
        ("a b", "failed 5.1.2"),
        ("", "failed 5.1.2"),
    ] {
        assert_eq!(shown(&ask(&zone, domain).await), wanted, "{domain}");
    }
    assert_eq!(zone.questions(), 0);
}

#[tokio::test(start_paused = true)]
async fn hostile_zones_cost_little() {
    let zone = ZoneTable::new();
    for n in 0..1000_u16 {
        let host = format!("mx{n}.example");
        zone.add("example", ZoneRecord::Mx(Mx::new(n / 2, &host)));
        zone.fail(&host, RecordKind::Aaaa, ZoneTrouble::Timeout(Duration::from_secs(10)));
        for k in 0..30 {
            zone.add(&host, ZoneRecord::A(Ipv4Addr::new(198, 51, k, (n % 200) as u8)));
        }
    }
    let before = tokio::time::Instant::now();
    let hosts = ask(&zone, "example").await.unwrap();
    assert_eq!(zone.questions(), 1 + 2 * HOSTS_MAX);
    assert_eq!(before.elapsed().as_secs(), 10, "hosts are looked up at once");
    let counts: Vec<usize> = hosts.iter().map(|host| host.addresses.len()).collect();
    assert_eq!((counts.iter().sum(), &counts[..]), (ADDRESSES_MAX, &[30, 30, 30, 10][..]));
}

#[tokio::test]
async fn equals_are_shuffled_and_others_are_not() {
    let zone = ZoneTable::new();
    for (preference, host) in
        [(10, "a.example"), (10, "b.example"), (10, "c.example"), (5, "d.example"), (20, "e.example")]
    {
        zone.add("example", ZoneRecord::Mx(Mx::new(preference, host)));
        zone.add(host, ZoneRecord::A(Ipv4Addr::new(192, 0, 2, 1)));
    }
    let (mut shuffle, mut orders) = (Shuffle::new(1), BTreeSet::new());
    let ourselves = Ourselves { hostname: US, addresses: &[] };
    for _ in 0..100 {
        let hosts = exchanges(&zone, "example", &ourselves, &mut |bound| shuffle.below(bound)).await.unwrap();
        assert!(hosts.is_sorted_by_key(|host| host.preference));
        orders.insert(hosts.into_iter().map(|host| host.host).collect::<Vec<_>>());
    }
    assert_eq!(orders.len(), 6, "every order of three: {orders:?}");
    let beyond = exchanges(&zone, "example", &ourselves, &mut |bound| bound + 7).await;
    assert_eq!(beyond.map(|hosts| hosts.len()), Ok(5), "a number that is too large does no harm");
}

/// Deliveries run as tasks, which move between threads.
#[test]
fn a_look_up_can_move_between_threads() {
    fn moves<T: Send>(_: &T) {}
    let (zone, ourselves) = (ZoneTable::new(), Ourselves { hostname: US, addresses: &[] });
    moves(&exchanges(&zone, "example", &ourselves, &mut |_| 0));
}
