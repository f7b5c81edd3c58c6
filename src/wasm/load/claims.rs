//! What a guest claims of the protocol, from the types of the WIT.
//!
//! Whether the names can be claimed, and by whom else they are, is the manifest's to judge, for native sinks as for these.

use super::super::verdict::reply;
use crate::event::{Claims, Conditions, Fault, VerbClaim};
use crate::mail::{Class, EnhancedCode, Glob, Reply};
use ipnet::IpNet;
use mailsluice_wit::{Claim, Conditions as Said, Verb};
use std::net::IpAddr;

/// Whose text a sink gives.
const NOT_YOU: Reply = Reply::new(550, EnhancedCode(5, 7, 1), "");

/// Reads them. A network that is none is an error of the sink's author.
pub(super) fn claims(claim: Claim) -> Result<Claims, Fault> {
    Ok(Claims {
        verbs: claim.verbs.into_iter().map(verb).collect::<Result<_, _>>()?,
        mail_params: upper(claim.mail_params),
        rcpt_params: upper(claim.rcpt_params),
        auth_mechanisms: upper(claim.auth_mechanisms),
        keywords: claim.keywords,
    })
}

fn upper(names: Vec<String>) -> Vec<String> {
    names.into_iter().map(|name| name.to_ascii_uppercase()).collect()
}

fn verb(said: Verb) -> Result<VerbClaim, Fault> {
    let refusal = said.refusal.map(reply).transpose().map_err(|why| Fault::error(format!("its claims: {why}")))?;
    // Like that of a verdict: another class than that of a refusal leaves the text alone.
    let refusal =
        refusal.map(|reply| if reply.class() == Class::Permanent { reply } else { NOT_YOU.with_text(reply.text()) });
    let conditions = conditions(said.conditions, &said.name)?;
    Ok(VerbClaim { keyword: said.keyword, conditions, early: said.early, refusal, ..VerbClaim::new(&said.name) })
}

fn conditions(said: Said, verb: &str) -> Result<Conditions, Fault> {
    let network = |text: String| {
        let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
        net.map_err(|_| {
            let text = text.escape_debug();
            Fault::error(format!(
                "its claims: `{text}` of the verb {verb} is no network; write one such as `192.0.2.0/24`"
            ))
        })
    };
    Ok(Conditions {
        tls: said.tls,
        users: said.users.into_iter().map(|user| Glob::new(&user)).collect(),
        clients: said.clients.into_iter().map(network).collect::<Result<_, _>>()?,
    })
}
