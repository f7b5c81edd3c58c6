//! What a session of a listener is told: from settings, and from what sinks claim.

use super::auth;
use crate::config::Settings;
use crate::config::listener::{Extensions, Listener, tls::Mode};
use crate::event::Registered;
use crate::mail::Role;
use crate::smtp::{Limits, Profile, TlsOffer};
use std::sync::Arc;

/// The profile of a listener; `certified`: it has a certificate to show.
pub(super) fn of(
    settings: &Settings,
    (listener, certified): (&Listener, bool),
    sinks: &[Arc<Registered>],
    heard: bool,
) -> Result<Profile, String> {
    let mut profile = Profile::new(settings.hostname.as_str());
    profile.lmtp = listener.role == Role::Lmtp;
    profile.tls = tls(listener, certified);
    profile.auth = auth::offer(settings, listener, sinks, heard)?;
    profile.extensions.read_auth(!profile.auth.mechanisms.is_empty());
    let verbs = listener.verbs.or(&settings.smtp);
    (profile.vrfy, profile.expn) = (verbs.vrfy, verbs.expn);
    // Spoken where anybody may say them; announced to those alone.
    if !listener.proxies.xclient_from.is_empty() {
        profile.extensions.speak_xclient();
    }
    if !listener.proxies.xforward_from.is_empty() {
        profile.extensions.speak_xforward();
    }
    if !verbs.help {
        profile.extensions.remove_keyword("HELP");
    }
    profile.limits = limits(settings);
    offer(&mut profile, &listener.extensions)?;
    for sink in sinks {
        claim(&mut profile, sink).map_err(|e| format!("sink `{}`: {e}", sink.name))?;
    }
    Ok(profile)
}

/// Where the handshake comes first there is nothing to offer. Without a certificate nothing is, unless there is no mail without:
/// then it is the command that tells so.
fn tls(listener: &Listener, certified: bool) -> TlsOffer {
    match &listener.tls {
        Some(tls) if tls.mode == Mode::StartTls && tls.required => TlsOffer::Required,
        Some(tls) if tls.mode == Mode::StartTls && certified => TlsOffer::Offered,
        _ => TlsOffer::None,
    }
}

/// What the settings offer. The server adds to FUTURERELEASE what depends on the time.
fn offer(profile: &mut Profile, extensions: &Extensions) -> Result<(), String> {
    let seconds = |span: std::time::Duration| Some(span.as_secs()).filter(|s| *s > 0).map(|s| s.to_string());
    let future = extensions.future_release.map(|most| ("FUTURERELEASE", seconds(most)));
    let by = extensions.deliver_by.map(|least| ("DELIVERBY", seconds(least)));
    let priority = extensions.mt_priority.then_some(("MT-PRIORITY", None));
    let requiretls = extensions.requiretls.then_some(("REQUIRETLS", None));
    for (keyword, argument) in [future, by, priority, requiretls].into_iter().flatten() {
        profile.extensions.set_keyword(keyword, argument.as_deref()).map_err(|error| error.to_string())?;
    }
    Ok(())
}

fn limits(settings: &Settings) -> Limits {
    let limits = &settings.limits;
    let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Limits {
        line: limits.line,
        idle_commands: count(limits.idle_commands),
        errors: count(limits.errors),
        recipients: limits.recipients,
        message_size: limits.message_size,
        header_size: limits.header_size,
        hops: limits.hops,
    }
}

fn claim(profile: &mut Profile, sink: &Registered) -> Result<(), String> {
    let claims = &sink.interest.claims;
    let extensions = &mut profile.extensions;
    claims.verbs.iter().try_for_each(|v| extensions.claim_verb(&v.verb)).map_err(|e| e.to_string())?;
    claims.mail_params.iter().try_for_each(|p| extensions.claim_mail(p)).map_err(|e| e.to_string())?;
    claims.rcpt_params.iter().try_for_each(|p| extensions.claim_rcpt(p)).map_err(|e| e.to_string())?;
    for keyword in claims.verbs.iter().filter_map(|v| v.keyword.as_ref()).chain(&claims.keywords) {
        let (name, argument) = keyword.split_once(' ').map_or((keyword.as_str(), None), |(k, a)| (k, Some(a)));
        extensions.set_keyword(name, argument).map_err(|e| e.to_string())?;
    }
    Ok(())
}
