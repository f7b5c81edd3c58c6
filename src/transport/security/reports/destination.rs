//! Who wants reports on a domain: the record at `_smtp._tls` (RFC 8460 3).

use crate::event::host::WebOrigin;
use crate::mail::Mailbox;

/// More places than any domain needs.
const PLACES_MAX: usize = 5;

/// Where a report goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Destination {
    /// By mail, to this address.
    Mail(Mailbox),
    /// By POST, to this URL; HTTPS.
    Web(String),
}

/// The places that the records name; none unless exactly one of them is a record of TLSRPTv1.
pub fn destinations(records: &[String]) -> Vec<Destination> {
    let mut ours = records.iter().filter(|text| text.split(';').next().is_some_and(|tag| tag.trim() == "v=TLSRPTv1"));
    let (Some(only), None) = (ours.next(), ours.next()) else { return Vec::new() };
    let rua = only.split(';').skip(1).find_map(|tag| tag.trim().strip_prefix("rua=")).unwrap_or_default();
    rua.split(',').filter_map(|uri| destination(uri.trim())).take(PLACES_MAX).collect()
}

fn destination(uri: &str) -> Option<Destination> {
    if let Some(address) = uri.strip_prefix("mailto:") {
        // What stands behind a question mark are header fields, of which none is ours to set.
        return Mailbox::parse(address.split('?').next()?).ok().map(Destination::Mail);
    }
    let origin = WebOrigin::of_url(uri).ok()?;
    origin.is_https().then(|| Destination::Web(uri.to_owned()))
}
