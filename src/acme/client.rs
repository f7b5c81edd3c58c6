//! The HTTP below ACME: the server's own client, within bounds, with an ear for how long the authority wants to be left alone.

use super::failure::Failure;
use crate::config::acme::Acme;
use crate::event::host::{Http, HttpBody, HttpRequest};
use crate::http::HttpClient;
use crate::mail::Timestamp;
use bytes::Bytes;
use http_types::header::{CONTENT_TYPE, RETRY_AFTER};
use http_types::{Request, Response};
use instant_acme::{BodyWrapper, BytesResponse, Error};
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

/// For one request.
const TIMEOUT: Duration = Duration::from_secs(60);
/// Octets of a response: the longest is a chain of certificates.
const RESPONSE_MAX: usize = 256 * 1024;

/// The way to one authority. Cheap to clone.
#[derive(Clone)]
pub(super) struct Client {
    http: Arc<dyn Http>,
    /// When it wants to be asked again, by the last refusal that said so.
    after: Arc<Mutex<Option<Patience>>>,
}

/// What stands in a Retry-After field (RFC 9110 10.2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Patience {
    For(Duration),
    Until(Timestamp),
}

impl Client {
    /// The way to the authority of the settings.
    pub(super) fn to(acme: &Acme) -> Self {
        let http = acme.ca.as_ref().map_or_else(HttpClient::new, |ca| HttpClient::believing(ca.0.clone()));
        Self { http: Arc::new(http), after: Arc::default() }
    }

    /// The failure, with the time before which the authority does not want to be asked.
    pub(super) fn note(&self, failure: Failure, now: Timestamp) -> Failure {
        let after = self.after.lock().unwrap_or_else(PoisonError::into_inner).take();
        let after = after.map(|patience| match patience {
            Patience::For(time) => now.plus(time),
            Patience::Until(time) => time,
        });
        Failure { after, ..failure }
    }

    async fn exchange(self, request: Request<BodyWrapper<Bytes>>) -> Result<BytesResponse, Error> {
        let (parts, body) = request.into_parts();
        let mut ours = HttpRequest::new(parts.method.as_str(), parts.uri.to_string());
        if let Some(kind) = parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()) {
            ours.headers.push((CONTENT_TYPE.to_string(), kind.to_owned()));
        }
        // Only what is in a response can be taken out again.
        let octets = BytesResponse::from(Response::new(body)).body.into_bytes().await.map_err(Error::Other)?;
        ours.body = if octets.is_empty() { HttpBody::None } else { HttpBody::Bytes(octets) };
        (ours.timeout, ours.response_max) = (TIMEOUT, RESPONSE_MAX);
        let response = self.http.fetch(ours).await.map_err(|fault| Error::Other(Box::new(fault)))?;
        if response.status >= 400 {
            tracing::debug!(status = response.status, said = %String::from_utf8_lossy(&response.body), "the authority refuses");
            let field = response.headers.iter().find(|(name, _)| name == RETRY_AFTER.as_str());
            let patience = field.and_then(|(_, value)| patience(value));
            *self.after.lock().unwrap_or_else(PoisonError::into_inner) = patience;
            // Of a refusal of its own an authority says why (RFC 8555 6.7); what stands before it need not.
            if serde_json::from_slice::<serde_json::Value>(&response.body).is_err() {
                return Err(Error::Other(format!("the authority answers with HTTP status {}", response.status).into()));
            }
        }
        let mut theirs = Response::builder().status(response.status);
        for (name, value) in &response.headers {
            theirs = theirs.header(name, value);
        }
        let (parts, body) = theirs.body(response.body)?.into_parts();
        Ok(BytesResponse { parts, body: Box::new(body) })
    }
}

impl instant_acme::HttpClient for Client {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        Box::pin(self.clone().exchange(request))
    }
}

/// Seconds, or a date.
fn patience(value: &str) -> Option<Patience> {
    let value = value.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Patience::For(Duration::from_secs(seconds)));
    }
    let date = jiff::fmt::rfc2822::parse(value).ok()?;
    u64::try_from(date.timestamp().as_millisecond()).ok().map(|ms| Patience::Until(Timestamp(ms)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_retry_after() {
        assert_eq!(patience(" 120 "), Some(Patience::For(Duration::from_secs(120))));
        let date = patience("Tue, 14 Nov 2023 22:13:20 GMT");
        assert_eq!(date, Some(Patience::Until(Timestamp(1_700_000_000_000))));
        for none in ["", "-1", "soon", "1.5"] {
            assert_eq!(patience(none), None, "{none}");
        }
    }
}
