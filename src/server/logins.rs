//! What all connections share for logging in: the counts of failures, and those who check passwords and tokens.

use crate::accounts::kerberos::Acceptor;
use crate::accounts::{Checker, Lockout};
use crate::config::auth::Introspection;
use crate::event::host::{Http, HttpBody, HttpRequest};
use crate::sasl::Hidden;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The largest answer about a token, in octets.
const ANSWER_MAX: usize = 64 * 1024;
/// How long the endpoint may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Who is asked when somebody logs in.
#[derive(Default)]
pub struct Logins {
    /// Failures by user and network.
    pub lockout: Arc<Lockout>,
    /// Passwords and tickets, off the event loop.
    pub checker: Checker,
    /// The way to the endpoint that knows tokens. None: there is no way.
    pub http: Option<Arc<dyn Http>>,
    /// Kerberos. None: this program was built without.
    pub kerberos: Option<Arc<dyn Acceptor>>,
}

impl fmt::Debug for Logins {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Logins").field("lockout", &self.lockout).finish_non_exhaustive()
    }
}

impl Logins {
    /// Whose token this is (RFC 7662); nothing if it is not good. The error, for the operator, says why nobody knows.
    pub(super) async fn token(&self, at: &Introspection, token: &Hidden) -> Result<Option<String>, String> {
        let http = self.http.as_ref().ok_or("this build has no HTTP client")?;
        let mut request = HttpRequest::new("POST", at.url.as_str());
        let credentials = format!("{}:{}", form(&at.client_id), form(at.client_secret.expose()));
        let encoded = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, credentials);
        request.headers = vec![
            ("Authorization".to_owned(), format!("Basic {encoded}")),
            ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned()),
            ("Accept".to_owned(), "application/json".to_owned()),
        ];
        let body = format!("token={}&token_type_hint=access_token", form(token.expose()));
        request.body = HttpBody::Bytes(body.into());
        request.timeout = PATIENCE;
        request.response_max = ANSWER_MAX;
        let response = http.fetch(request).await.map_err(|fault| fault.to_string())?;
        if response.status != 200 {
            return Err(format!("it answered with the status {}", response.status));
        }
        let answer: serde_json::Value =
            serde_json::from_slice(&response.body).map_err(|_| "its answer is no JSON".to_owned())?;
        if answer.get("active") != Some(&serde_json::Value::Bool(true)) {
            return Ok(None);
        }
        // `username` is for people; `sub` always names the one whose token it is.
        let name = ["username", "sub"].into_iter().find_map(|key| answer.get(key)?.as_str());
        name.map(|name| Some(name.to_owned())).ok_or_else(|| "its answer names nobody".to_owned())
    }
}

/// A value of a form, percent-encoded.
fn form(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for b in text.bytes() {
        if b.is_ascii_alphanumeric() || b"-._~".contains(&b) {
            out.push(char::from(b));
        } else {
            out.push_str(&format!("%{b:02X}"));
        }
    }
    out
}
