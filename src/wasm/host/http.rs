//! `http`: requests to the origins that the manifest names.

use super::super::state::{State, trap};
use crate::event::host::{HttpBody, HttpFault, HttpRequest};
use mailsluice_wit::mailsluice::sink::http::{Body, Error, Host, Request, Response};
use mailsluice_wit::mailsluice::sink::types::Field;
use std::time::Duration;

/// The largest body of a response.
const RESPONSE_MAX: usize = 1 << 20;
const TIMEOUT: Duration = Duration::from_secs(10);

impl Host for State {
    async fn fetch(&mut self, request: Request) -> wasmtime::Result<Result<Response, Error>> {
        let Some(http) = self.terms.grants.http.clone() else {
            return Err(trap("http needs `allow.http` in the manifest, with the origins that may be reached"));
        };
        let body = match request.body {
            Body::None => HttpBody::None,
            Body::Octets(octets) => HttpBody::Bytes(octets.into()),
            Body::Message(_) => match self.lent()?.message() {
                Some(message) => HttpBody::Content(message.content()),
                None => HttpBody::None,
            },
        };
        let request = HttpRequest {
            headers: request.headers.into_iter().map(|field| (field.name, field.value)).collect(),
            body,
            timeout: request.timeout.map_or(TIMEOUT, |millis| Duration::from_millis(millis.into())),
            response_max: RESPONSE_MAX,
            ..HttpRequest::new(request.method, request.url)
        };
        Ok(match http.fetch(request).await {
            Ok(response) => Ok(Response {
                status: response.status,
                headers: response.headers.into_iter().map(|(name, value)| Field { name, value }).collect(),
                body: response.body.to_vec(),
            }),
            Err(HttpFault::NotAllowed(origin)) => Err(Error::NotAllowed(origin.to_string())),
            Err(HttpFault::Invalid(why)) => Err(Error::Invalid(why.to_string())),
            Err(HttpFault::Timeout) => Err(Error::Timeout),
            Err(HttpFault::TooLarge(_)) => Err(Error::TooLarge),
            Err(HttpFault::Failed(why)) => Err(Error::Failed(why.to_string())),
        })
    }
}
