//! Fetching a policy: over HTTPS alone, without following a redirect (RFC 8461 3.3).

use super::policy::Policy;
use crate::event::host::{Http, HttpFault, HttpRequest, HttpResponse};
use crate::tls::client::{Failure, Kind};
use std::time::Duration;

/// For everything; RFC 8461 3.3 suggests a minute.
const PATIENCE: Duration = Duration::from_secs(60);
/// The largest policy, in octets (RFC 8461 3.3 suggests 64 kilobytes).
const OCTETS_MAX: usize = 64 * 1024;

/// The policy that a domain has now.
pub(super) async fn fetch(http: &dyn Http, domain: &str) -> Result<Policy, Failure> {
    let mut request = HttpRequest::new("GET", format!("https://mta-sts.{domain}/.well-known/mta-sts.txt"));
    (request.timeout, request.response_max) = (PATIENCE, OCTETS_MAX);
    let response = http.fetch(request).await.map_err(|fault| not_fetched(&fault))?;
    let text = body(response)?;
    Policy::parse(&text)
        .map_err(|why| Failure::new(Kind::StsPolicyInvalid, format!("the policy makes no sense: {why}")))
}

fn body(response: HttpResponse) -> Result<String, Failure> {
    let invalid = |why: String| Failure::new(Kind::StsPolicyFetchError, why);
    if response.status != 200 {
        // A redirect is none of ours to follow.
        return Err(invalid(format!("the server of the policy answered with status {}", response.status)));
    }
    let kind = response.headers.iter().find(|(name, _)| name == "content-type").map(|(_, value)| value.as_str());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("text/plain") {
        return Err(invalid("what the server gave for the policy is no plain text".to_owned()));
    }
    String::from_utf8(response.body.to_vec()).map_err(|_| invalid("the policy is not UTF-8".to_owned()))
}

fn not_fetched(fault: &HttpFault) -> Failure {
    let kind = match fault {
        HttpFault::Failed(why) if why.contains("certificate") => Kind::StsWebpkiInvalid,
        _ => Kind::StsPolicyFetchError,
    };
    Failure::new(kind, format!("the policy can't be fetched: {fault}"))
}
