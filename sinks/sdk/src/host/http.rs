//! HTTP to the origins that `allow.http` names. Redirects are not followed.
//!
//! ```
//! # use mailsluice_sink::{Fault, http};
//! fn is_known(address: &str) -> Result<bool, Fault> {
//!     Ok(http::Request::get(format!("https://policy.example.com/{address}")).send()?.status == 200)
//! }
//! # let world = mailsluice_sink::test::World::new().http("https://policy.example.com/alice", 200, "");
//! # assert!(world.here(|| is_known("alice")).unwrap());
//! ```

pub use crate::wit::http::Response;

use crate::catalogue::EventType;
use crate::heard::Heard;
use crate::seam::{Here, HttpBody, HttpRequest, Message, World};
use crate::wit::http;
use crate::wit::types::Field;
use std::fmt;
use std::time::Duration;

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The origin is not in `allow.http`.
    NotAllowed(String),
    /// This is no request.
    Invalid(String),
    /// It took too long.
    Timeout,
    /// The response is too large.
    TooLarge,
    /// There was no response.
    Failed(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed(what) => write!(f, "http: {what} is not in allow.http of the manifest"),
            Self::Invalid(why) => write!(f, "http: {why}"),
            Self::Timeout => f.write_str("http: no response in time"),
            Self::TooLarge => f.write_str("http: the response is over 1 MiB"),
            Self::Failed(why) => write!(f, "http: {why}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<http::Error> for Error {
    fn from(error: http::Error) -> Self {
        match error {
            http::Error::NotAllowed(what) => Self::NotAllowed(what),
            http::Error::Invalid(why) => Self::Invalid(why),
            http::Error::Timeout => Self::Timeout,
            http::Error::TooLarge => Self::TooLarge,
            http::Error::Failed(why) => Self::Failed(why),
        }
    }
}

enum Body<'a> {
    None,
    Octets(Vec<u8>),
    Message(&'a Message),
}

/// A request, made step by step.
#[must_use = "a request does nothing until it is sent"]
pub struct Request<'a> {
    method: String,
    url: String,
    headers: Vec<Field>,
    body: Body<'a>,
    timeout: Option<Duration>,
}

impl<'a> Request<'a> {
    /// A request by any method.
    pub fn new(method: &str, url: impl Into<String>) -> Self {
        Self { method: method.to_owned(), url: url.into(), headers: Vec::new(), body: Body::None, timeout: None }
    }

    /// A GET.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// A POST.
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Adds a header field.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push(Field { name: name.to_owned(), value: value.to_owned() });
        self
    }

    /// Sends these octets.
    pub fn body(mut self, octets: impl Into<Vec<u8>>) -> Self {
        self.body = Body::Octets(octets.into());
        self
    }

    /// Sends the whole message, which the server streams: the sink never holds it.
    pub fn message<E: EventType>(mut self, heard: &Heard<'a, E>) -> Self {
        self.body = heard.message_handle().map_or(Body::None, Body::Message);
        self
    }

    /// Waits so long for the response; ten seconds unless told, and never longer than the deadline of the call.
    pub fn timeout(mut self, time: Duration) -> Self {
        self.timeout = Some(time);
        self
    }

    /// Sends it, and waits for the response.
    pub fn send(self) -> Result<Response, Error> {
        let body = match &self.body {
            Body::None => HttpBody::None,
            Body::Octets(octets) => HttpBody::Octets(octets),
            Body::Message(message) => HttpBody::Message(message),
        };
        let timeout = self.timeout.map(|time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX));
        let request = HttpRequest { method: &self.method, url: &self.url, headers: &self.headers, body, timeout };
        Ok(Here::fetch(&request)?)
    }
}
