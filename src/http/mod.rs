//! The one HTTP client of the server, for sinks: what stands behind [`Http`].
//!
//! HTTP/1.1, TLS by rustls with the roots of the system or given ones, connections kept for a while. It follows no redirect, keeps no
//! cookies, asks no proxy of the environment, and repeats nothing by itself. Bodies that are messages are read from where
//! they lie while they are sent. Who may go where has been decided before, by [`HttpOf`](crate::event::host::HttpOf); that
//! the URL means the same here as there is looked at once more.

mod body;

use crate::event::host::{Http, HttpBody, HttpFault, HttpRequest, HttpResponse, WebOrigin};
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_LENGTH, HeaderName, HeaderValue, USER_AGENT};
use reqwest::{Body, Certificate, Client, Method, Request, Response, Url};
use std::error::Error;
use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;

/// A host that does not answer is given up earlier than a slow one.
const CONNECT: Duration = Duration::from_secs(10);
/// Connections that are kept to one host while nobody uses them.
const IDLE_MAX: usize = 8;
/// And for how long.
const IDLE: Duration = Duration::from_secs(30);
/// How we name ourselves, unless the sink does.
const AGENT: &str = concat!("Mailsluice/", env!("CARGO_PKG_VERSION"));

/// The client. Cheap until it is used.
#[derive(Default)]
pub struct HttpClient {
    /// Made at the first request, since it reads the system's certificates; if that fails, at the next one again.
    client: OnceCell<Client>,
    /// Authorities in DER that are believed, and no others. None: those of the system.
    roots: Option<Arc<[Vec<u8>]>>,
    /// Hosts that are elsewhere than the DNS says.
    hosts: Vec<(String, SocketAddr)>,
}

impl HttpClient {
    /// A client that is made ready when it is used for the first time.
    pub fn new() -> Self {
        Self::default()
    }

    /// One that believes these authorities, given in DER, and not those of the system.
    pub fn believing(roots: Arc<[Vec<u8>]>) -> Self {
        Self { roots: Some(roots), ..Self::default() }
    }

    /// The same, which finds these hosts at these addresses, whatever the DNS says, also if the URL has no port.
    pub fn finding(self, hosts: Vec<(String, SocketAddr)>) -> Self {
        Self { hosts, ..self }
    }

    async fn client(&self) -> Result<&Client, reqwest::Error> {
        self.client.get_or_try_init(|| async { build(self.roots.as_deref(), &self.hosts) }).await
    }

    async fn exchange(&self, request: HttpRequest) -> Result<HttpResponse, HttpFault> {
        let max = request.response_max;
        let client = self.client().await.map_err(|error| failed(&error))?;
        let response = client.execute(prepare(request)?).await.map_err(|error| failed(&error))?;
        receive(response, max).await
    }
}

fn build(roots: Option<&[Vec<u8>]>, hosts: &[(String, SocketAddr)]) -> Result<Client, reqwest::Error> {
    let mut builder = Client::builder();
    if let Some(roots) = roots {
        let roots = roots.iter().map(|der| Certificate::from_der(der)).collect::<Result<Vec<_>, _>>()?;
        builder = builder.tls_certs_only(roots);
    }
    let builder = hosts.iter().fold(builder, |builder, (name, address)| builder.resolve(name, *address));
    builder
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .http1_only()
        .connect_timeout(CONNECT)
        .pool_max_idle_per_host(IDLE_MAX)
        .pool_idle_timeout(IDLE)
        .build()
}

#[async_trait]
impl Http for HttpClient {
    async fn fetch(&self, request: HttpRequest) -> Result<HttpResponse, HttpFault> {
        let timeout = request.timeout;
        tokio::time::timeout(timeout, self.exchange(request)).await.unwrap_or(Err(HttpFault::Timeout))
    }
}

impl fmt::Debug for HttpClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient").finish_non_exhaustive()
    }
}

/// The request in the client's types.
fn prepare(request: HttpRequest) -> Result<Request, HttpFault> {
    let invalid = |why: &str| HttpFault::Invalid(why.into());
    let method = Method::from_bytes(request.method.as_bytes()).map_err(|_| invalid("the method"))?;
    let mut prepared = Request::new(method, url(&request.url)?);
    let headers = prepared.headers_mut();
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    let mut named = false;
    for (name, value) in &request.headers {
        let name = HeaderName::from_bytes(name.as_bytes()).map_err(|_| invalid("the name of a header field"))?;
        let value = HeaderValue::from_str(value).or_else(|_| HeaderValue::from_bytes(value.as_bytes()));
        let mut value = value.map_err(|_| invalid("the value of a header field"))?;
        // The client itself must not log what may be a token.
        value.set_sensitive(true);
        if name == USER_AGENT && !std::mem::replace(&mut named, true) {
            headers.insert(name, value);
        } else {
            headers.append(name, value);
        }
    }
    *prepared.body_mut() = match request.body {
        HttpBody::None => None,
        HttpBody::Bytes(bytes) => Some(Body::from(bytes)),
        HttpBody::Content(content) => {
            // Its length is known: not every server takes chunks.
            prepared.headers_mut().insert(CONTENT_LENGTH, content.len().into());
            Some(Body::wrap_stream(body::stream(content)))
        }
    };
    Ok(prepared)
}

/// The URL, if the client understands it to lead to where the sink's permission was looked up.
fn url(text: &str) -> Result<Url, HttpFault> {
    let origin = WebOrigin::of_url(text).map_err(|why| HttpFault::Invalid(format!("the URL: {why}").into()))?;
    let url = Url::parse(text).map_err(|error| HttpFault::Invalid(format!("the URL: {error}").into()))?;
    let same = url.host_str() == Some(origin.host())
        && url.port_or_known_default() == Some(origin.port())
        && (url.scheme() == "https") == origin.is_https();
    if same { Ok(url) } else { Err(HttpFault::Invalid("the URL: write the host in its plain form".into())) }
}

/// The response with its body, which is read no further than allowed.
async fn receive(mut response: Response, max: usize) -> Result<HttpResponse, HttpFault> {
    let status = response.status().as_u16();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = response.headers().iter().map(|(name, value)| (name.to_string(), text(value))).collect();
    if response.content_length().is_some_and(|length| length > max as u64) {
        return Err(HttpFault::TooLarge(max));
    }
    let mut body = BytesMut::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
        if body.len() + chunk.len() > max {
            return Err(HttpFault::TooLarge(max));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpResponse { status, headers, body: Bytes::from(body) })
}

/// What went wrong, with its causes and without the URL: tokens may stand in that.
fn failed(error: &reqwest::Error) -> HttpFault {
    if error.is_timeout() {
        return HttpFault::Timeout;
    }
    let mut text = if error.is_connect() { "cannot connect".to_owned() } else { "the exchange broke off".to_owned() };
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    HttpFault::Failed(text.into())
}

#[cfg(test)]
mod tests;
