//! A certificate, those that lead to its authority, and its key: read, fitted together, and looked at for what would surprise.

use super::authorities::certificates;
use super::certificate::Certificate;
use super::{key, provider};
use crate::config::listener::tls::Pair;
use crate::config::{Diagnostics, Span};
use rustls::sign::CertifiedKey;
use rustls::{Error, InconsistentKeys};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

const DAY: i64 = 86_400;
/// A certificate that ends within so many days should have been renewed by now.
const SOON: i64 = 14;

/// A certificate that can be shown, and the names by which it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    pub(super) certified: Arc<CertifiedKey>,
    pub(super) names: Vec<String>,
}

/// Loads a pair. What is wrong is noted. `fetched`: the server has it from an authority, and renews it by itself.
pub(super) fn load(pair: &Pair, fetched: bool, found: &mut Diagnostics) -> Option<Loaded> {
    // Both are read, so that one run tells what is wrong with either.
    let chain = certificates(&pair.certificate, found);
    let key = key::read(&pair.key, found);
    let (chain, key) = (chain?, key?);
    check_order(&chain, found)?;
    check_times(&chain, now(), fetched, found);
    let ders = chain.iter().map(|(certificate, _)| certificate.der.clone()).collect();
    let names = chain.first().map(|(own, _)| own.server_names()).unwrap_or_default();
    match CertifiedKey::from_der(ders, key.der, &provider()) {
        Ok(certified) => Some(Loaded { certified: Arc::new(certified), names }),
        Err(Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) => {
            let shown = pair.certificate.path.display();
            let told = found.error(key.span, format!("this key is not the one of the certificate in `{shown}`"));
            told.help(match fetched {
                true => "remove the file: the server fetches another one",
                false => "was one of them renewed without the other? name the two that were made together",
            });
            None
        }
        Err(error) => {
            found.error(key.span, format!("the key can't be used: {error}")).help(key::KINDS);
            None
        }
    }
}

/// The server's own certificate comes first (RFC 8446 4.4.2); the others should follow each other.
fn check_order(chain: &[(Certificate, Span)], found: &mut Diagnostics) -> Option<()> {
    let (own, span) = chain.first()?;
    if own.is_ca
        && let Some((_, other)) = chain.iter().find(|(certificate, _)| !certificate.is_ca)
    {
        let line = found.sources.line_column(*other).map_or(0, |(line, _)| line);
        let told = found.error(*span, "the first certificate is one of an authority");
        told.help(format!("put the server's own first, the one on line {line}; its issuers follow it"));
        return None;
    }
    for pair in chain.windows(2) {
        if let [(before, _), (after, span)] = pair
            && before.issuer_raw != after.subject_raw
        {
            let told = found.warning(*span, "this certificate is not that of the issuer of the one before it");
            told.help(
                "after the server's own each one is followed by its issuer's; leave out what has no part in that",
            );
        }
    }
    Some(())
}

fn check_times(chain: &[(Certificate, Span)], now: i64, fetched: bool, found: &mut Diagnostics) {
    for (certificate, span) in chain {
        let left = (certificate.not_after - now).div_euclid(DAY);
        let days = |n: i64| if n == 1 { "1 day".to_owned() } else { format!("{n} days") };
        let message = if certificate.not_before > now {
            "the certificate does not count yet".to_owned()
        } else if certificate.not_after < now {
            format!("the certificate has expired {} ago", days((now - certificate.not_after).div_euclid(DAY)))
        } else if left < SOON && !fetched {
            format!("the certificate expires in {}", days(left))
        } else {
            continue;
        };
        let told = found.warning(*span, message);
        told.help(match fetched {
            true => "`mailsluice status` says why there is no newer one, if the machine's clock is right",
            false => "renew it, or set the machine's clock: clients that check certificates won't talk to this server",
        });
    }
}

/// Seconds after 1970.
fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| i64::try_from(d.as_secs()).unwrap_or(i64::MAX))
}
