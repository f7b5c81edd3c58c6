//! What a listener offers of TLS and authentication (RFC 3207, RFC 4954).
//!
//! Which of it stands in the reply to EHLO depends on how far the session is: STARTTLS goes once it is encrypted, AUTH once it
//! is authenticated, and mechanisms that need encryption come with it.

/// STARTTLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsOffer {
    /// Not offered: 502.
    #[default]
    None,
    /// Offered.
    Offered,
    /// Offered, and nothing but EHLO, LHLO, NOOP, STARTTLS and QUIT before it: 530 (RFC 3207 4).
    Required,
}

/// AUTH.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuthOffer {
    /// In the order in which they are announced. None: AUTH is not offered.
    pub mechanisms: Vec<AuthMechanism>,
    /// Also announced as `AUTH=…`, for clients from before RFC 2554.
    pub old_spelling: bool,
    /// No mail without it: 530 (RFC 4954 6).
    pub required: bool,
}

/// One SASL mechanism.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthMechanism {
    /// Its name in upper case.
    pub name: String,
    /// Only where the session is encrypted; before that 538.
    pub needs_tls: bool,
}

impl AuthOffer {
    /// The mechanism of this name, in any case.
    pub fn mechanism(&self, name: &str) -> Option<&AuthMechanism> {
        self.mechanisms.iter().find(|m| m.name.eq_ignore_ascii_case(name))
    }

    /// The names of those that can be used now, parted by spaces; empty if there are none.
    pub(super) fn usable(&self, secure: bool) -> String {
        let names = self.mechanisms.iter().filter(|m| secure || !m.needs_tls).map(|m| m.name.as_str());
        names.collect::<Vec<_>>().join(" ")
    }
}
