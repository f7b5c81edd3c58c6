//! What a client claims at the end of an exchange, for whoever knows the users to check.

use super::Hidden;

/// What a client claims. Names and passwords have gone through SASLprep.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Claim {
    /// A name and a password: PLAIN, LOGIN.
    Password {
        /// Whom the client wants to be taken for, if not for the user.
        authzid: Option<String>,
        /// Whose password it is.
        user: String,
        /// In clear text.
        password: Hidden,
    },
    /// The client has proven that it knows the password whose keys were given: SCRAM.
    Proven {
        /// Whom the client wants to be taken for, if not for the user.
        authzid: Option<String>,
        /// Whose keys they were.
        user: String,
    },
    /// What the layer below knows of the client: EXTERNAL.
    External {
        /// Whom the client wants to be taken for; otherwise the layer below decides.
        authzid: Option<String>,
    },
    /// A Kerberos ticket has shown who the client is: GSSAPI.
    Principal {
        /// Whom the client wants to be taken for, if not for whoever the principal is.
        authzid: Option<String>,
        /// `name@REALM`.
        principal: String,
    },
    /// A bearer token (RFC 6750): OAUTHBEARER, XOAUTH2.
    Token {
        /// Whose mailbox the client says that it is.
        user: Option<String>,
        /// The token.
        token: Hidden,
    },
}

impl Claim {
    /// The name that is claimed, as far as there is one.
    pub fn user(&self) -> Option<&str> {
        match self {
            Self::Password { user, .. } | Self::Proven { user, .. } => Some(user),
            Self::External { authzid } => authzid.as_deref(),
            Self::Principal { principal, .. } => Some(principal),
            Self::Token { user, .. } => user.as_deref(),
        }
    }

    /// Whom the client wants to be taken for, if that is somebody else than who it says it is.
    pub fn authzid(&self) -> Option<&str> {
        match self {
            Self::Password { authzid, user, .. } | Self::Proven { authzid, user } => {
                authzid.as_deref().filter(|other| other != user)
            }
            Self::Principal { authzid, principal } => authzid.as_deref().filter(|other| other != principal),
            Self::External { .. } | Self::Token { .. } => None,
        }
    }
}
