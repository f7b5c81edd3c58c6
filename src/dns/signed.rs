//! The resolver against a signed zone: a root of its own, whose key it trusts, with everything in it.

use super::*;
use crate::event::host::{Resolver, Signed, Tlsa};
use hickory_resolver::proto::dnssec::crypto::Ed25519SigningKey;
use hickory_resolver::proto::dnssec::rdata::{DNSKEY, DNSSECRData, RRSIG};
use hickory_resolver::proto::dnssec::{DnssecSigner, SigningKey};
use hickory_resolver::proto::op::{Message, MessageType};
use hickory_resolver::proto::rr::rdata::{A, AAAA, MX, NS, TLSA, tlsa};
use hickory_resolver::proto::rr::{DNSClass, Record, RecordSet};
use rcgen::date_time_ymd;
use std::time::Duration;
use tokio::net::UdpSocket;

/// Twenty years.
const LONG: Duration = Duration::from_secs(20 * 365 * 86_400);

fn name(text: &str) -> Name {
    Name::from_ascii(text).unwrap()
}

/// The sets of the zone, each with its signature, and the key.
struct Zone {
    sets: Vec<(Name, RecordType, Vec<Record>)>,
    key: Ed25519SigningKey,
}

fn zone() -> Zone {
    let pkcs8 = Ed25519SigningKey::generate_pkcs8().unwrap();
    let key = Ed25519SigningKey::from_pkcs8(&pkcs8).unwrap();
    let dnskey = DNSKEY::new(true, true, false, key.to_public_key().unwrap());
    let signing = Box::new(Ed25519SigningKey::from_pkcs8(&pkcs8).unwrap());
    let signer = DnssecSigner::new(dnskey.clone(), signing, Name::root(), LONG);
    let record = TLSA::new(tlsa::CertUsage::DaneEe, tlsa::Selector::Spki, tlsa::Matching::Sha256, vec![7; 32]);
    let data = [
        (".", RData::DNSSEC(DNSSECRData::DNSKEY(dnskey))),
        (".", RData::NS(NS(name("ns.")))),
        ("good.", RData::MX(MX::new(10, name("mx.good.")))),
        ("mx.good.", RData::A(A::new(192, 0, 2, 1))),
        ("mx.good.", RData::AAAA(AAAA::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1))),
        ("_25._tcp.mx.good.", RData::TLSA(record)),
        ("forged.", RData::MX(MX::new(10, name("mx.good.")))),
        ("stripped.", RData::MX(MX::new(10, name("mx.good.")))),
    ];
    let sets = data.into_iter().map(|(at, data)| set(&name(at), data, &signer)).collect();
    Zone { sets, key }
}

fn set(at: &Name, data: RData, signer: &DnssecSigner) -> (Name, RecordType, Vec<Record>) {
    let kind = data.record_type();
    let record = Record::from_rdata(at.clone(), 60, data);
    let mut set = RecordSet::new(at.clone(), kind, 0);
    set.insert(record.clone(), 0);
    let signature = RRSIG::from_rrset(&set, DNSClass::IN, date_time_ymd(2025, 1, 1), signer).unwrap();
    let signature = Record::from_rdata(at.clone(), 60, RData::DNSSEC(DNSSECRData::RRSIG(signature)));
    let mut records = vec![record, signature];
    if *at == name("forged.") {
        records[0].data = RData::MX(MX::new(10, name("mx.evil.")));
    }
    if *at == name("stripped.") {
        records.pop();
    }
    (at.clone(), kind, records)
}

/// A resolver that asks a server with this zone. `strips`: what is between them lets no signature through.
async fn resolver(zone: Zone, strips: bool) -> SystemDns {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let server = socket.local_addr().unwrap();
    let mut keys = TrustAnchors::empty();
    keys.insert(&zone.key.to_public_key().unwrap());
    tokio::spawn(async move {
        let mut buf = [0; 4096];
        while let Ok((len, from)) = socket.recv_from(&mut buf).await {
            let mut message = Message::from_vec(&buf[..len]).unwrap();
            let asked = message.queries[0].clone();
            message.metadata.message_type = MessageType::Response;
            message.metadata.recursion_available = true;
            let found = zone.sets.iter().find(|(at, kind, _)| at == asked.name() && *kind == asked.query_type());
            let records = found.map(|(.., records)| records.clone()).unwrap_or_default();
            message.add_answers(records.into_iter().filter(|r| !strips || r.record_type() != RecordType::RRSIG));
            socket.send_to(&message.to_vec().unwrap(), from).await.unwrap();
        }
    });
    SystemDns::believing(server, keys).unwrap()
}

#[tokio::test]
async fn what_is_signed_is_proven() {
    let dns = resolver(zone(), false).await;
    assert!(dns.validates().await);
    let secure = |answer: Result<bool, DnsFault>| assert_eq!(answer, Ok(true));
    secure(dns.mx("good").await.map(|found| found.secure));
    secure(dns.addresses("mx.good").await.map(|found| found.secure && found.data.len() == 2));
    let wanted = Tlsa { usage: 3, selector: 1, matching: 1, data: vec![7; 32] };
    assert_eq!(dns.tlsa("_25._tcp.mx.good").await, Ok(Signed { data: vec![wanted], secure: true }));
}

#[tokio::test]
async fn what_is_forged_or_has_lost_its_signature_is_no_answer() {
    let dns = resolver(zone(), false).await;
    for bogus in ["forged", "stripped"] {
        let answer = dns.mx(bogus).await;
        assert!(matches!(&answer, Err(DnsFault::Temporary(_))), "{bogus}: {answer:?}");
    }
    // That there is nothing has to be proven as well.
    let nothing = dns.tlsa("_25._tcp.elsewhere").await;
    assert!(matches!(&nothing, Err(DnsFault::Temporary(_))), "{nothing:?}");
}

#[tokio::test]
async fn behind_a_forwarder_that_strips_signatures_nothing_is_proven_and_all_is_found() {
    let dns = resolver(zone(), true).await;
    assert!(!dns.validates().await);
    assert_eq!(dns.mx("good").await.map(|found| found.secure), Ok(false));
    assert_eq!(dns.tlsa("_25._tcp.mx.good").await.map(|found| found.secure), Ok(false));
}
