//! What a session of a listener is told: from settings, and from what sinks claim.

use crate::config::Settings;
use crate::event::Registered;
use crate::mail::Role;
use crate::smtp::{Limits, Profile};
use std::sync::Arc;

/// The profile of a listener with this role.
pub(super) fn of(settings: &Settings, role: Role, sinks: &[Arc<Registered>]) -> Result<Profile, String> {
    let mut profile = Profile::new(settings.hostname.as_str());
    profile.lmtp = role == Role::Lmtp;
    profile.vrfy = settings.smtp.vrfy;
    profile.expn = settings.smtp.expn;
    profile.limits = limits(settings);
    for sink in sinks {
        claim(&mut profile, sink).map_err(|e| format!("sink `{}`: {e}", sink.name))?;
    }
    Ok(profile)
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
    claims.verbs.iter().try_for_each(|v| extensions.claim_verb(v)).map_err(|e| e.to_string())?;
    claims.mail_params.iter().try_for_each(|p| extensions.claim_mail(p)).map_err(|e| e.to_string())?;
    claims.rcpt_params.iter().try_for_each(|p| extensions.claim_rcpt(p)).map_err(|e| e.to_string())?;
    for keyword in &claims.keywords {
        let (name, argument) = keyword.split_once(' ').map_or((keyword.as_str(), None), |(k, a)| (k, Some(a)));
        extensions.set_keyword(name, argument).map_err(|e| e.to_string())?;
    }
    Ok(())
}
