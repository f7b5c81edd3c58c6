//! Requests that sinks make over HTTP.
//!
//! A sink has an [`HttpOf`]: the one client of the server, behind the list of origins that `allow.http` grants. Everything
//! that a sink could use to reach further, or to say something else than it seems to, is refused before anything is
//! connected. The client follows no redirect, keeps no cookies and asks no proxy of the environment.
//!
//! Requests and faults never show header values or the query: tokens stand there.

use super::web_origin::WebOrigin;
use crate::mail::Content;
use async_trait::async_trait;
use bytes::Bytes;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The most header fields of a request.
pub const FIELDS_MAX: usize = 100;
/// The most octets of a request's header fields, names and values together.
pub const HEADER_MAX: usize = 32 * 1024;
/// The longest that a request may take. What asks for more gets this.
pub const TIMEOUT_MAX: Duration = Duration::from_secs(300);
/// The largest body of a response, in octets. What asks for more gets this.
pub const RESPONSE_MAX: usize = 16 * 1024 * 1024;

/// Makes requests. What stands behind it trusts that [`HttpOf`] has checked them.
#[async_trait]
pub trait Http: Send + Sync {
    /// One request and its response, of whatever status.
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, HttpFault>;
}

/// One request.
#[derive(Clone)]
pub struct HttpRequest {
    /// In upper case, such as `GET`.
    pub method: String,
    /// `https://host/path?query` or `http://…`, percent-encoded.
    pub url: String,
    /// Header fields, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: HttpBody,
    /// For everything: connecting, sending and the response with its body. More than nothing, [`TIMEOUT_MAX`] at most.
    pub timeout: Duration,
    /// The largest body of the response, in octets, [`RESPONSE_MAX`] at most. A larger one is a fault.
    pub response_max: usize,
}

impl HttpRequest {
    /// A request without header fields and body, with 10 s and 1 MiB for its response.
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: HttpBody::None,
            timeout: Duration::from_secs(10),
            response_max: 1024 * 1024,
        }
    }
}

/// Without secrets.
impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = self.headers.iter().map(|(name, _)| name.as_str()).collect();
        let url = self.url.split('?').next().unwrap_or_default();
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &url)
            .field("headers", &names)
            .field("body", &self.body)
            .finish_non_exhaustive()
    }
}

/// The body of a request.
#[derive(Clone)]
pub enum HttpBody {
    /// None.
    None,
    /// Octets.
    Bytes(Bytes),
    /// A message or a part of one, streamed from where it lies: memory or the spool.
    Content(Content),
}

impl fmt::Debug for HttpBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("none"),
            Self::Bytes(bytes) => write!(f, "{} octets", bytes.len()),
            Self::Content(content) => write!(f, "{} octets of a message", content.len()),
        }
    }
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpResponse {
    /// Its status, such as 200. A redirect is a response like any other.
    pub status: u16,
    /// Header fields, in order, names in lower case. What is not UTF-8 in a value becomes U+FFFD.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Bytes,
}

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HttpFault {
    /// `allow.http` does not list this origin.
    NotAllowed(Arc<str>),
    /// The request can't be made; the text says what is wrong with it.
    Invalid(Arc<str>),
    /// The time is over.
    Timeout,
    /// The response is larger than this many octets.
    TooLarge(usize),
    /// It went wrong on the way; the text is for the operator.
    Failed(Arc<str>),
}

impl fmt::Display for HttpFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAllowed(origin) => write!(f, "the sink may not reach {origin}: `allow.http` does not list it"),
            Self::Invalid(why) => write!(f, "the request can't be made: {why}"),
            Self::Timeout => f.write_str("the request took too long"),
            Self::TooLarge(max) => write!(f, "the response is larger than {max} octets"),
            Self::Failed(why) => write!(f, "the request failed: {why}"),
        }
    }
}

impl std::error::Error for HttpFault {}

/// One sink's own way out. Cheap to clone.
#[derive(Clone)]
pub struct HttpOf {
    http: Arc<dyn Http>,
    allowed: Arc<[WebOrigin]>,
}

impl HttpOf {
    /// `http` for these origins.
    pub fn new(http: Arc<dyn Http>, allowed: impl Into<Arc<[WebOrigin]>>) -> Self {
        Self { http, allowed: allowed.into() }
    }

    /// The origins that may be reached.
    pub fn allowed(&self) -> &[WebOrigin] {
        &self.allowed
    }

    /// See [`Http::fetch`]; the request is checked before.
    pub async fn fetch(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpFault> {
        let origin = check(&request).map_err(|why| HttpFault::Invalid(why.into()))?;
        if !self.allowed.contains(&origin) {
            return Err(HttpFault::NotAllowed(origin.to_string().into()));
        }
        request.timeout = request.timeout.min(TIMEOUT_MAX);
        request.response_max = request.response_max.min(RESPONSE_MAX);
        self.http.fetch(request).await
    }
}

impl fmt::Debug for HttpOf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpOf").field("allowed", &self.allowed).finish_non_exhaustive()
    }
}

/// Where the request leads, or what is wrong with it.
fn check(request: &HttpRequest) -> Result<WebOrigin, String> {
    let origin = WebOrigin::of_url(&request.url).map_err(|why| format!("the URL: {why}"))?;
    check_method(&request.method)?;
    if request.headers.len() > FIELDS_MAX {
        return Err(format!("{} header fields, and {FIELDS_MAX} are allowed", request.headers.len()));
    }
    let octets: usize = request.headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    if octets > HEADER_MAX {
        return Err(format!("{octets} octets of header fields, and {HEADER_MAX} are allowed"));
    }
    for (name, value) in &request.headers {
        check_field(name, value)?;
    }
    if request.timeout.is_zero() {
        return Err("a timeout of nothing".to_owned());
    }
    Ok(origin)
}

/// CONNECT and TRACE are for proxies.
fn check_method(method: &str) -> Result<(), String> {
    const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    if METHODS.contains(&method) {
        return Ok(());
    }
    Err(format!("the method `{}` is not one of {}", shown(method), METHODS.join(", ")))
}

/// The client frames the message and names the host (RFC 9110 7.6.1, RFC 9112): a sink that could, would smuggle.
fn check_field(name: &str, value: &str) -> Result<(), String> {
    const OWN: [&str; 10] = [
        "host",
        "content-length",
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    let token = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
    if name.is_empty() || !name.bytes().all(token) {
        return Err(format!("`{}` can't be the name of a header field", shown(name)));
    }
    if OWN.iter().chain(&["proxy-connection", "expect"]).any(|own| own.eq_ignore_ascii_case(name)) {
        return Err(format!("the header field `{name}` is set by the server alone"));
    }
    if !value.chars().all(|c| c == '\t' || !c.is_control()) {
        return Err(format!("the value of `{name}` has a control character in it"));
    }
    Ok(())
}

/// The beginning of a text from a sink, fit for an error.
fn shown(text: &str) -> String {
    text.chars().take(64).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Answers with the URL, and counts.
    #[derive(Default)]
    struct Echo(Mutex<Vec<HttpRequest>>);

    #[async_trait]
    impl Http for Echo {
        async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, HttpFault> {
            let body = request.url.clone().into();
            self.0.lock().unwrap().push(request);
            Ok(HttpResponse { status: 200, headers: Vec::new(), body })
        }
    }

    async fn fetch(request: HttpRequest) -> (Result<HttpResponse, HttpFault>, Vec<HttpRequest>) {
        let echo = Arc::new(Echo::default());
        let allowed = ["https://policy.example.com", "http://127.0.0.1:8080"].map(|o| WebOrigin::parse(o).unwrap());
        let result = HttpOf::new(echo.clone(), allowed).fetch(request).await;
        let made = std::mem::take(&mut *echo.0.lock().unwrap());
        (result, made)
    }

    #[tokio::test]
    async fn only_the_origins_that_are_granted() {
        for (url, allowed) in [
            ("https://policy.example.com/check?a=b", true),
            ("https://POLICY.example.com:443/", true),
            ("http://127.0.0.1:8080", true),
            ("http://policy.example.com/", false),
            ("https://policy.example.com:444/", false),
            ("https://policy.example.com.evil.example/", false),
            ("http://127.0.0.1/", false),
            ("http://169.254.169.254/latest", false),
        ] {
            let (result, made) = fetch(HttpRequest::new("GET", url)).await;
            assert_eq!(made.len(), usize::from(allowed), "{url}");
            match result {
                Ok(response) => assert_eq!(response.body, url),
                Err(HttpFault::NotAllowed(origin)) => assert!(url.starts_with(&*origin), "{origin}"),
                Err(other) => panic!("{other}"),
            }
        }
    }

    #[tokio::test]
    async fn what_could_smuggle_never_leaves() {
        let with = |change: &dyn Fn(&mut HttpRequest)| {
            let mut request = HttpRequest::new("POST", "https://policy.example.com/");
            change(&mut request);
            request
        };
        let field = |name: &str, value: &str| with(&|r| r.headers.push((name.into(), value.into())));
        let refused = [
            with(&|r| r.method = "CONNECT".into()),
            with(&|r| r.method = "GET / HTTP/1.1\r\nX:".into()),
            with(&|r| r.url = "https://policy.example.com@evil.example/".into()),
            with(&|r| r.timeout = Duration::ZERO),
            with(&|r| r.headers = vec![("a".into(), "b".into()); FIELDS_MAX + 1]),
            field("a", &"b".repeat(HEADER_MAX)),
            field("Host", "evil.example"),
            field("content-Length", "5"),
            field("Transfer-Encoding", "chunked"),
            field("Connection", "close"),
            field("a b", "c"),
            field("", "c"),
            field("a\r\nb", "c"),
            field("a", "b\r\nc: d"),
            field("a", "b\0"),
        ];
        for request in refused {
            let (result, made) = fetch(request.clone()).await;
            assert!(matches!(result, Err(HttpFault::Invalid(_))), "{request:?}");
            assert!(made.is_empty(), "{request:?}");
        }
        let good = [field("X-Token", "a\tb c"), field("Authorization", "Bearer ü")];
        for request in good {
            assert_eq!(fetch(request).await.1.len(), 1);
        }
    }

    #[tokio::test]
    async fn wishes_are_cut_to_what_is_allowed() {
        let mut request = HttpRequest::new("GET", "https://policy.example.com/");
        (request.timeout, request.response_max) = (Duration::MAX, usize::MAX);
        let (_, made) = fetch(request).await;
        assert_eq!((made[0].timeout, made[0].response_max), (TIMEOUT_MAX, RESPONSE_MAX));
    }

    #[test]
    fn no_secret_is_shown() {
        let mut request = HttpRequest::new("GET", "https://a/b?key=hush");
        request.headers.push(("Authorization".into(), "Bearer hush".into()));
        request.body = HttpBody::Bytes("hush".into());
        let shown = format!("{request:?}");
        assert!(shown.contains("https://a/b") && shown.contains("Authorization") && !shown.contains("hush"), "{shown}");
    }
}
