//! Which mechanisms a listener offers.
//!
//! What is not said in the settings follows from who can let users in: the user file, the introspection endpoint, Kerberos, sinks.

use crate::config::Settings;
use crate::config::listener::Listener;
use crate::event::{Event, Registered};
use crate::mail::Role;
use crate::sasl::{Mechanism, mechanism};
use crate::smtp::{AuthMechanism, AuthOffer};
use std::sync::Arc;

/// The offer of a listener. The error says which name nobody knows.
pub(super) fn offer(
    settings: &Settings,
    listener: &Listener,
    sinks: &[Arc<Registered>],
    heard: bool,
) -> Result<AuthOffer, String> {
    let claimed = claimed(sinks)?;
    let names = match &listener.auth.mechanisms {
        Some(names) => names.clone(),
        None if listener.role == Role::Submission => usual(settings, heard).chain(claimed.iter().cloned()).collect(),
        None => Vec::new(),
    };
    if let Some(unknown) = names.iter().find(|name| Mechanism::named(name).is_none() && !claimed.contains(name)) {
        return Err(format!("the listener `{}` offers the mechanism `{unknown}`, which no sink claims", listener.name));
    }
    let clear_text = listener.auth.clear_text_without_tls;
    let needs_tls = |name: &str| match Mechanism::named(name) {
        Some(own) => own.needs_tls() || (own.is_clear() && !clear_text),
        // What a sink's own mechanism shows, nobody knows.
        None => !clear_text,
    };
    let required = listener.auth.required && !names.is_empty();
    let mechanisms = names.into_iter().map(|name| AuthMechanism { needs_tls: needs_tls(&name), name }).collect();
    Ok(AuthOffer { mechanisms, old_spelling: listener.auth.old_spelling, required })
}

/// Whether anybody is bound to `in.auth`.
pub(super) fn is_heard(dispatcher: &crate::event::Dispatcher) -> bool {
    dispatcher.hears(Event::InAuth)
}

/// What makes sense on a submission listener.
fn usual(settings: &Settings, heard: bool) -> impl Iterator<Item = String> {
    let auth = &settings.auth;
    let users = auth.accounts.as_ref().filter(|accounts| !accounts.is_empty());
    // A client that prefers SCRAM must not fail for a user of whom there are no keys.
    let keys = users.is_some_and(|accounts| accounts.all_have_keys());
    let fits = move |own: &Mechanism| match own {
        Mechanism::ScramSha256Plus | Mechanism::ScramSha256 => keys,
        Mechanism::Plain | Mechanism::Login => users.is_some() || heard,
        Mechanism::External => users.is_some_and(|accounts| accounts.any_certificate()),
        Mechanism::OauthBearer | Mechanism::Xoauth2 => auth.introspection.is_some(),
        Mechanism::Gssapi => auth.gssapi.is_some(),
    };
    Mechanism::ALL.into_iter().filter(fits).map(|own| own.name().to_owned()).collect::<Vec<_>>().into_iter()
}

/// The mechanisms that sinks bring.
fn claimed(sinks: &[Arc<Registered>]) -> Result<Vec<String>, String> {
    let mut names = Vec::new();
    for sink in sinks {
        for name in &sink.interest.claims.auth_mechanisms {
            if !mechanism::is_name(name) || Mechanism::named(name).is_some() {
                return Err(format!(
                    "sink `{}`: it can't claim the mechanism `{name}`: that is one of the server's own, or no name of up to 20 capitals, digits, `-` and `_`",
                    sink.name
                ));
            }
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
    }
    Ok(names)
}
