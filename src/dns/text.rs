//! Records as text in presentation form.

use hickory_resolver::proto::rr::RData;

/// The text of a record of one of the kinds that a sink can ask for.
pub(super) fn of(data: &RData) -> Option<String> {
    Some(match data {
        RData::A(ip) => ip.to_string(),
        RData::AAAA(ip) => ip.to_string(),
        RData::MX(mx) => format!("{} {}", mx.preference, mx.exchange.to_ascii()),
        RData::TXT(txt) => String::from_utf8_lossy(&txt.txt_data.concat()).into_owned(),
        RData::PTR(name) => name.0.to_ascii(),
        RData::NS(name) => name.0.to_ascii(),
        RData::CNAME(name) => name.0.to_ascii(),
        RData::SRV(srv) => format!("{} {} {} {}", srv.priority, srv.weight, srv.port, srv.target.to_ascii()),
        _ => return None,
    })
}
