//! From decisions to the machine's answers: the tables, without state.

use crate::config::Settings;
use crate::event::transaction::SessionFacts;
use crate::event::{Answer as SinkAnswer, CommandAnswer, Decision, Met, VerbClaim};
use crate::intake::Mark;
use crate::mail::{EnhancedCode, Fate, ForwardPath, Id, Origin, Recipient, Reply};
use crate::smtp::{Answer, Profile, Verb, replies};
use crate::snapshot::Snapshot;
use std::sync::Arc;

/// A question came for which there is no transaction: the machine and the server have lost step.
const LOST: Reply = Reply::new(421, EnhancedCode(4, 3, 0), "Internal confusion, closing; please try again");

pub(super) fn lost() -> Answer {
    tracing::error!("the protocol machine asked about a transaction that is not open");
    Answer::Close(LOST)
}

/// A decision about the session: go on, or the refusal with its reply.
pub(super) fn of_session(decision: Decision) -> Result<(), (Answer, Reply)> {
    match decision {
        Decision::Proceed | Decision::Answer(_) | Decision::Discard | Decision::Hold { .. } => Ok(()),
        Decision::Reject(reply) => Err((Answer::Refuse(reply.clone()), reply)),
        Decision::Defer(reply, _) if reply.code() != 421 => Err((Answer::Refuse(reply.clone()), reply)),
        Decision::Defer(reply, _) | Decision::Disconnect(reply) => Err((Answer::Close(reply.clone()), reply)),
    }
}

/// A decision about a transaction: go on, perhaps marked as a whole, or the refusal.
pub(super) fn of_transaction(decision: Decision) -> Result<Option<Mark>, Answer> {
    match decision {
        Decision::Proceed | Decision::Answer(_) => Ok(None),
        Decision::Discard => Ok(Some(Mark::Discard)),
        Decision::Hold { reason, place } => Ok(Some(Mark::Hold { reason, place })),
        Decision::Reject(reply) | Decision::Defer(reply, _) => Err(Answer::Refuse(reply)),
        Decision::Disconnect(reply) => Err(Answer::Close(reply)),
    }
}

/// A decision about a command; `default` if nobody cared.
pub(super) fn of_command(decision: Decision, default: impl FnOnce() -> Answer) -> Answer {
    match decision {
        Decision::Answer(SinkAnswer::Command(CommandAnswer::Reply(reply))) => Answer::Say(reply),
        Decision::Reject(reply) | Decision::Defer(reply, _) => Answer::Refuse(reply),
        Decision::Disconnect(reply) => Answer::Close(reply),
        Decision::Proceed | Decision::Answer(_) | Decision::Discard | Decision::Hold { .. } => default(),
    }
}

/// The base profile with what sinks asked for this session, and without what is not there for it.
pub(super) fn profile(
    base: &Arc<Profile>,
    facts: &SessionFacts,
    settings: &Settings,
    hidden: &[Hidden],
) -> Arc<Profile> {
    let plain = hidden.is_empty()
        && facts.message_size.is_none()
        && facts.recipients.is_none()
        && facts.keywords.is_empty()
        && facts.without.is_empty();
    if plain {
        return base.clone();
    }
    let mut own = Profile::clone(base);
    if let Some(size) = facts.message_size {
        own.limits.message_size = size.min(settings.limits.message_size_max);
    }
    if let Some(count) = facts.recipients {
        own.limits.recipients = count.min(settings.limits.recipients);
    }
    for Hidden { verb, keyword } in hidden {
        own.extensions.remove_verb(verb);
        keyword.iter().for_each(|keyword| own.extensions.remove_keyword(keyword));
    }
    for keyword in &facts.without {
        own.extensions.remove_keyword(keyword);
    }
    for keyword in &facts.keywords {
        let (name, argument) = keyword.split_once(' ').map_or((keyword.as_str(), None), |(k, a)| (k, Some(a)));
        if let Err(error) = own.extensions.set_keyword(name, argument) {
            tracing::warn!(%error, "a sink asked for an EHLO keyword that can't be announced");
        }
    }
    Arc::new(own)
}

/// A claimed verb that does not exist for a session, and the keyword that announces it to others.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Hidden {
    verb: String,
    keyword: Option<String>,
}

/// The claimed verbs that do not exist for a session from there.
pub(super) fn hidden(snapshot: &Snapshot, origin: &Origin) -> Vec<Hidden> {
    let all = snapshot.sinks.iter().flat_map(|sink| &sink.interest.claims.verbs);
    let mut there: Option<Vec<&VerbClaim>> = None;
    let mut is_there = |claim: &VerbClaim| {
        let there = there.get_or_insert_with(|| {
            let usable = snapshot.dispatcher.claims(origin).filter(|(claim, met)| claim.early || *met == Met::Yes);
            usable.map(|(claim, _)| claim).collect()
        });
        there.iter().any(|other| other.verb == claim.verb)
    };
    let hidden = all.filter(|claim| !is_there(claim));
    hidden
        .map(|claim| Hidden { verb: claim.verb.clone(), keyword: claim.keyword_name().map(ToOwned::to_owned) })
        .collect()
}

/// What a session is told that uses a claimed verb although its conditions do not hold; none if those of one claim do.
pub(super) fn without_right(snapshot: &Snapshot, origin: &Origin, verb: &str) -> Option<Reply> {
    let mut refusal = None;
    for (claim, met) in snapshot.dispatcher.claims(origin).filter(|(claim, _)| claim.verb == verb) {
        if met == Met::Yes {
            return None;
        }
        refusal = refusal.or_else(|| claim.refuse(met));
    }
    // Who was not told of it learns nothing of it.
    let unknown = if Verb::named(verb).is_some() { replies::NOT_OFFERED } else { replies::UNKNOWN_VERB };
    Some(refusal.unwrap_or(unknown))
}

/// 250 with the id.
pub(super) fn accepted(id: Id) -> Reply {
    Reply::foreign(250, Some(EnhancedCode(2, 0, 0)), &format!("Ok: queued as {id}"))
}

/// LMTP: a reply for each accepted RCPT, by what became of it (RFC 2033 4.2).
pub(super) fn each(id: Id, accepted_paths: &[ForwardPath], recipients: &[Recipient]) -> Vec<Reply> {
    let fate = |path: &ForwardPath| {
        let found = recipients.iter().find(|r| r.original.as_ref().unwrap_or(&r.path) == path);
        found.map_or(&Fate::Accepted, |r| &r.fate)
    };
    let reply = |path| match fate(path) {
        Fate::Rejected(reply) | Fate::Deferred(reply) => reply.clone().tagged(id),
        Fate::Accepted | Fate::Discarded | Fate::Held(_) => accepted(id),
    };
    accepted_paths.iter().map(reply).collect()
}
