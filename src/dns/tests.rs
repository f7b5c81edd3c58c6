//! The resolver against a name server on loopback.

use super::*;
use crate::event::host::{self, Mx, Resolver, Signed};
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::proto::op::{Message, MessageType};
use hickory_resolver::proto::rr::rdata::{A, AAAA, CNAME, MX, NS, PTR, SRV, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use std::net::IpAddr;
use tokio::net::UdpSocket;

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// What the server knows.
fn zone() -> Vec<Record> {
    let alias = |target: &str| RData::CNAME(CNAME(name(target)));
    let texts = |parts: &[&[u8]]| RData::TXT(TXT::from_bytes(parts.to_vec()));
    let records = [
        ("mx.example.", RData::A(A::new(192, 0, 2, 1))),
        ("mx.example.", RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
        ("example.", RData::MX(MX::new(20, name("b.example.")))),
        ("example.", RData::MX(MX::new(10, name("mx.example.")))),
        ("none.example.", RData::MX(MX::new(0, name(".")))),
        ("example.", texts(&[b"v=spf1 ", b"-all"])),
        ("odd.example.", texts(&[b"\xff"])),
        ("example.", RData::NS(NS(name("ns.example.")))),
        ("_sip._tcp.example.", RData::SRV(SRV::new(0, 5, 5060, name("sip.example.")))),
        ("1.2.0.192.in-addr.arpa.", RData::PTR(PTR(name("mx.example.")))),
        ("www.example.", alias("mx.example.")),
        ("mail.example.", alias("example.")),
        ("ring.example.", alias("other.example.")),
        ("other.example.", alias("ring.example.")),
        ("gone.example.", alias("nobody.example.")),
        ("odd.example.", RData::MX(MX::new(7, name("192.0.2.1.")))),
        ("odd.example.", RData::MX(MX::new(8, Name::from_labels([&b"A b.\xff"[..], b"Example"]).unwrap()))),
        ("half.example.", RData::A(A::new(192, 0, 2, 3))),
        ("xn--bcher-kva.example.", RData::A(A::new(192, 0, 2, 2))),
    ];
    records.into_iter().map(|(at, data)| Record::from_rdata(name(at), 60, data)).collect()
}

/// The answer to one question. `fail.example` is what the server can't say, as are the IPv6 addresses of `half.example` and
/// the IPv4 addresses of `deaf.example`; for `lame.example` it names another server.
fn answer(question: &[u8], zone: &[Record]) -> Vec<u8> {
    let mut message = Message::from_vec(question).unwrap();
    let asked = message.queries[0].clone();
    message.metadata.message_type = MessageType::Response;
    message.metadata.recursion_available = true;
    let at = |at: &Name| zone.iter().filter(move |r| r.name == *at).cloned().collect::<Vec<_>>();
    let mut found = at(asked.name());
    if let Some(RData::CNAME(alias)) = found.first().map(|r| r.data.clone()) {
        found.extend(at(&alias.0));
    }
    message.metadata.response_code = match asked.name() {
        fails if *fails == name("fail.example.") => ResponseCode::ServFail,
        half if *half == name("half.example.") && asked.query_type() == RecordType::AAAA => ResponseCode::ServFail,
        deaf if *deaf == name("deaf.example.") && asked.query_type() == RecordType::A => ResponseCode::ServFail,
        lame if *lame == name("lame.example.") => ResponseCode::NoError,
        _ if found.is_empty() => ResponseCode::NXDomain,
        _ => ResponseCode::NoError,
    };
    found.retain(|r| r.record_type() == asked.query_type() || matches!(r.data, RData::CNAME(_)));
    message.add_answers(found);
    if *asked.name() == name("lame.example.") {
        message.add_authority(Record::from_rdata(name("example."), 60, RData::NS(NS(name("ns.example.")))));
    }
    message.to_vec().unwrap()
}

/// A resolver that asks a server which answers until the test ends.
async fn resolver() -> SystemDns {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let mut udp = ConnectionConfig::udp();
    udp.port = socket.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (zone, mut buf) = (zone(), [0; 512]);
        while let Ok((len, from)) = socket.recv_from(&mut buf).await {
            socket.send_to(&answer(&buf[..len], &zone), from).await.unwrap();
        }
    });
    let server = NameServerConfig::new("127.0.0.1".parse().unwrap(), true, vec![udp]);
    let config = ResolverConfig::from_name_servers(vec![server]);
    let builder = |validate| {
        let mut builder = TokioResolver::builder_with_config(config.clone(), TokioRuntimeProvider::default());
        builder.options_mut().validate = validate;
        build(builder).unwrap()
    };
    let proofs = Proofs::with(OnceCell::new_with(Some(builder(true))), (Name::root(), RecordType::NS));
    SystemDns { resolver: OnceCell::new_with(Some(builder(false))), proofs }
}

fn owned(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| (*text).to_owned()).collect()
}

#[tokio::test]
async fn every_kind_comes_in_its_form() {
    let dns = resolver().await;
    for (asked, kind, texts) in [
        ("mx.example", RecordKind::A, &["192.0.2.1"][..]),
        ("MX.example.", RecordKind::Aaaa, &["2001:db8::1"]),
        ("example", RecordKind::Mx, &["20 b.example.", "10 mx.example."]),
        ("none.example", RecordKind::Mx, &["0 ."]),
        ("example", RecordKind::Txt, &["v=spf1 -all"]),
        ("odd.example", RecordKind::Txt, &["\u{fffd}"]),
        ("example", RecordKind::Ns, &["ns.example."]),
        ("_sip._tcp.example", RecordKind::Srv, &["0 5 5060 sip.example."]),
        ("192.0.2.1", RecordKind::Ptr, &["mx.example."]),
        ("www.example", RecordKind::A, &["192.0.2.1"]),
        ("www.example", RecordKind::Cname, &["mx.example."]),
        ("bücher.example", RecordKind::A, &["192.0.2.2"]),
    ] {
        assert_eq!(dns.lookup(asked, kind).await.as_deref(), Ok(&owned(texts)[..]), "{kind} {asked}");
    }
}

#[tokio::test]
async fn nothing_there_is_not_the_same_as_no_answer() {
    let dns = resolver().await;
    for (asked, kind) in [("nobody.example", RecordKind::A), ("mx.example", RecordKind::Mx)] {
        assert_eq!(dns.lookup(asked, kind).await, Err(DnsFault::NotFound), "{kind} {asked}");
    }
    let failed = dns.lookup("fail.example", RecordKind::A).await;
    assert!(matches!(&failed, Err(DnsFault::Temporary(why)) if !why.is_empty()), "{failed:?}");
    assert!(matches!(dns.lookup("a b", RecordKind::A).await, Err(DnsFault::Invalid(_))));
}

#[tokio::test]
async fn routes_have_values() {
    let dns = resolver().await;
    let example = || vec![Mx::new(20, "b.example"), Mx::new(10, "mx.example")];
    for (asked, wanted) in [
        ("example", Ok(example())),
        ("EXAMPLE.", Ok(example())),
        ("mail.example", Ok(example())),
        ("none.example", Ok(vec![Mx { preference: 0, host: String::new() }])),
        ("mx.example", Err(DnsFault::NotFound)),
        ("gone.example", Err(DnsFault::NotFound)),
        ("ring.example", Err(DnsFault::NotFound)),
    ] {
        assert_eq!(dns.mx(asked).await, wanted.map(Signed::insecure), "{asked}");
    }
    let odd = dns.mx("odd.example").await.unwrap().data;
    assert!(
        odd.len() == 2 && odd.iter().all(|mx| host::name::host(&mx.host).is_err()),
        "no dot in a label parts it: {odd:?}"
    );
    let both = || ["2001:db8::1", "192.0.2.1"].map(|ip| ip.parse::<IpAddr>().unwrap()).to_vec();
    for (asked, wanted) in [
        ("mx.example", Ok(both())),
        ("www.example", Ok(both())),
        ("half.example", Ok(vec!["192.0.2.3".parse().unwrap()])),
        ("example", Err(DnsFault::NotFound)),
        ("192.0.2.1", Err(DnsFault::NotFound)),
    ] {
        assert_eq!(dns.addresses(asked).await, wanted.map(Signed::insecure), "{asked}");
    }
}

#[tokio::test]
async fn routes_wait_for_what_nobody_has_said() {
    let dns = resolver().await;
    for asked in ["fail.example", "lame.example"] {
        let (mx, addresses) = (dns.mx(asked).await, dns.addresses(asked).await);
        assert!(matches!(&mx, Err(DnsFault::Temporary(why)) if !why.is_empty()), "{asked}: {mx:?}");
        assert!(matches!(&addresses, Err(DnsFault::Temporary(_))), "{asked}: {addresses:?}");
    }
    let deaf = dns.addresses("deaf.example").await;
    assert!(matches!(&deaf, Err(DnsFault::Temporary(_))), "no IPv6 address, and IPv4 unknown: {deaf:?}");
    assert!(matches!(dns.mx("a b").await, Err(DnsFault::Invalid(_))));
}
