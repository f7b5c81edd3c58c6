//! What a connection has to prove, and who we are on it: the part of a hop that is about trust.

use super::login;
use crate::sasl::Binding;
use crate::smtp::client::{Client, Credentials, TlsPolicy};
use crate::tls::client::{Demand, Identity, Roots};
use std::sync::Arc;

/// How a server is to be trusted, and how it is to trust us. Connections are shared among those for whom it is the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Safety {
    /// What TLS has to prove.
    pub demand: Demand,
    /// TLS is there from the first octet (RFC 8314 3.3), not after STARTTLS.
    pub implicit: bool,
    /// Who we are, by AUTH.
    pub credentials: Option<Arc<Credentials>>,
    /// Who we are, by a certificate, if the server asks for one.
    pub identity: Option<Arc<Identity>>,
}

impl Safety {
    /// No TLS, and nobody asks who we are: for servers beside us.
    pub(super) fn none() -> Self {
        Self { demand: Demand::None, ..Self::default() }
    }

    /// The same with what a sink wants of TLS, and the credentials that it gives. The error says why that can't be had.
    pub(super) fn with(
        mut self,
        wanted: Option<TlsPolicy>,
        credentials: Option<&Credentials>,
        host: &str,
    ) -> Result<Self, String> {
        if let Some(credentials) = credentials {
            self.credentials = Some(Arc::new(credentials.clone()));
        }
        if let Some(wanted) = wanted {
            self.demand = match (wanted, self.demand) {
                (TlsPolicy::None, _) => Demand::None,
                (TlsPolicy::Opportunistic, _) => Demand::Opportunistic,
                (TlsPolicy::Required, _) => Demand::Required,
                (TlsPolicy::Verified, demand @ Demand::Verified { .. }) => demand,
                (TlsPolicy::Verified, _) => Demand::verified(host, Roots::System),
                (TlsPolicy::Dane, demand @ Demand::Dane { .. }) => demand,
                (TlsPolicy::Dane, _) => {
                    return Err(format!("a sink asks for DANE, and {host} has no TLSA records that hold"));
                }
            };
        }
        Ok(self)
    }

    /// Tells the machine, before it says anything.
    pub(super) fn prepare(&self, client: &mut Client) {
        client.start_tls(if self.implicit { Default::default() } else { self.demand.start_tls() });
        self.introduce(client, Binding::default());
    }

    /// Tells the machine who we are, on a connection with this binding.
    pub(super) fn introduce(&self, client: &mut Client, binding: Binding) {
        if let Some(credentials) = &self.credentials {
            client.authenticate(login::authenticator(credentials, binding));
        }
    }
}
