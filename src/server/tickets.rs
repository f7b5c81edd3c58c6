//! Kerberos tickets: the security context of an exchange, asked off the event loop, and which user a principal is.

use super::ask::Asker;
use super::ask_auth::TEMPORARY;
use super::login::{Verdict, refused};
use crate::accounts::kerberos::Context;
use crate::accounts::kerberos::principal::Principal;
use crate::event::Identity;
use crate::sasl::Step;
use crate::sasl::gssapi::{Ask, Told};
use crate::smtp::Answer;

/// What came of asking.
type Asked = Result<(Box<dyn Context>, Told), String>;

impl Asker {
    /// Asks the security context, which the first ticket opens, and tells the mechanism.
    pub(super) async fn ask_context(&mut self, ask: Ask) -> Result<Step, Answer> {
        self.begin_attempt(None)?;
        let settings = self.snapshot.settings.auth.gssapi.as_ref().map(|gssapi| gssapi.service.clone());
        let (Some(acceptor), Some(service)) = (self.server.logins.kerberos.clone(), settings) else {
            tracing::error!(session = %self.state.id, "GSSAPI is offered, and there is no Kerberos");
            return Err(self.put_off(TEMPORARY));
        };
        let context = self.exchange.as_mut().and_then(|exchange| exchange.context.take());
        let work = move || -> Asked {
            let mut context = context.map_or_else(|| acceptor.open(&service), Ok)?;
            let told = context.tell(ask);
            Ok((context, told))
        };
        match self.server.logins.checker.work(work).await {
            Ok(Ok((context, told))) => {
                if let Some(exchange) = &mut self.exchange {
                    exchange.context = Some(context);
                }
                Ok(self.ours()?.context(told))
            }
            Ok(Err(why)) => {
                tracing::error!(session = %self.state.id, "Kerberos tickets can't be taken: {why}");
                Err(self.put_off(TEMPORARY))
            }
            Err(_) => {
                tracing::warn!(session = %self.state.id, "a login is put off: too many are being checked");
                Err(self.put_off(TEMPORARY))
            }
        }
    }

    /// A principal is the user of the user file who has its name, with or without our own realm; without a user file, itself.
    pub(super) fn by_ticket(&self, principal: &str, authzid: Option<&str>) -> Verdict {
        let auth = &self.snapshot.settings.auth;
        let realms = auth.gssapi.as_ref().map_or(&[][..], |gssapi| &gssapi.realms);
        let Some(principal) = Principal::of(principal, realms) else {
            return refused("the ticket is of another realm");
        };
        let user = match &auth.accounts {
            None => principal.names().next(),
            Some(accounts) => {
                // The closest name decides: whoever is disabled under that does not come in under another.
                let account = principal.names().find_map(|name| accounts.find(name));
                account.filter(|account| !account.disabled).map(|account| &*account.name)
            }
        };
        let Some(user) = user else { return refused("the ticket is of no user") };
        if authzid.is_some_and(|other| !principal.is_called(other) && !other.eq_ignore_ascii_case(user)) {
            return refused("the user may not act for another");
        }
        Verdict::Is(Identity::of(user))
    }
}
