//! Which accounts are meant: the tests that `queue`, `why` and `tail` share.

use crate::event::glob::Glob;
use crate::event::networks;
use crate::intake::{Account, State};
use crate::mail::{ForwardPath, Id, Timestamp};
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

/// Tests on an account; all that are given must hold. As it is written and sent; [`Filter::compile`] makes it work.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Filter {
    /// One of these.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ids: Vec<Id>,
    /// A glob on the reverse-path's `local@domain`; `<>` is the null path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sender: Option<String>,
    /// A glob on a recipient's address, present or original.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recipient: Option<String>,
    /// A glob on the domain of a recipient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    /// The client's address, or a network that it is in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// A glob on the next hop of the last attempt, as `queue show` has it, or its host alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub site: Option<String>,
    /// A property, `sink.key`, which is there; `sink.key=glob`: whose text is like that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// A glob on the sink that holds it or was the last to object.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sink: Option<String>,
    /// A glob on why it waits: the reason of a hold, or the last reply.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Held, as a whole or for a recipient.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub held: bool,
    /// Not before.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Not after.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// A filter that is ready to match.
#[derive(Debug)]
pub struct Matcher {
    ids: Vec<Id>,
    sender: Option<Glob>,
    recipient: Option<Glob>,
    domain: Option<Glob>,
    client: Option<IpNet>,
    site: Option<Glob>,
    property: Option<(String, Option<Glob>)>,
    sink: Option<Glob>,
    reason: Option<Glob>,
    held: bool,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

impl Filter {
    /// Whether nothing is tested, so that everything is meant.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Reads the texts. The error says which is wrong.
    pub fn compile(&self) -> Result<Matcher, String> {
        let glob = |text: &Option<String>| text.as_deref().map(Glob::new);
        let client = self.client.as_deref().map(|text| networks::parse(text).map_err(|e| format!("`{text}` is {e}")));
        Ok(Matcher {
            ids: self.ids.clone(),
            sender: glob(&self.sender),
            recipient: glob(&self.recipient),
            domain: glob(&self.domain),
            client: client.transpose()?,
            site: glob(&self.site),
            property: self.property.as_deref().map(property),
            sink: glob(&self.sink),
            reason: glob(&self.reason),
            held: self.held,
            since: self.since,
            until: self.until,
        })
    }
}

impl Matcher {
    /// Whether all tests hold. What is absent never matches.
    pub fn matches(&self, account: &Account) -> bool {
        (self.ids.is_empty() || self.ids.contains(&account.id))
            && self.sender.as_ref().is_none_or(|glob| is_from(account, glob))
            && self.recipient.as_ref().is_none_or(|glob| any_path(account, |path| glob.matches(path.as_str())))
            && self.domain.as_ref().is_none_or(|glob| any_path(account, |path| is_at(path, glob)))
            && self.client.is_none_or(|net| account.origin.client.is_some_and(|c| net.contains(&c.to_canonical())))
            && self.site.as_ref().is_none_or(|glob| is_on_the_way_to(account, glob))
            && self.property.as_ref().is_none_or(|(name, glob)| has_property(account, name, glob.as_ref()))
            && self.sink.as_ref().is_none_or(|glob| is_of_sink(account, glob))
            && self.reason.as_ref().is_none_or(|glob| waits_because(account, glob))
            && (!self.held || is_held(account))
            && self.since.is_none_or(|since| account.time >= since)
            && self.until.is_none_or(|until| account.time <= until)
    }
}

fn is_from(account: &Account, glob: &Glob) -> bool {
    account.sender.as_ref().is_some_and(|sender| match sender.mailbox() {
        Some(mailbox) => glob.matches(mailbox.as_str()),
        None => glob.matches("<>"),
    })
}

fn any_path(account: &Account, holds: impl Fn(&ForwardPath) -> bool) -> bool {
    account.recipients.iter().any(|r| holds(&r.path) || r.original.as_ref().is_some_and(&holds))
}

fn is_at(path: &ForwardPath, glob: &Glob) -> bool {
    path.mailbox().is_some_and(|m| glob.matches(m.domain()) || glob.matches(&m.domain_key()))
}

/// `sink.key` or `sink.key=glob`.
fn property(text: &str) -> (String, Option<Glob>) {
    match text.split_once('=') {
        Some((name, glob)) => (name.to_owned(), Some(Glob::new(glob))),
        None => (text.to_owned(), None),
    }
}

fn has_property(account: &Account, name: &str, glob: Option<&Glob>) -> bool {
    account.properties.lookup(name).is_some_and(|value| match (glob, value) {
        (None, _) => true,
        (Some(glob), serde_json::Value::String(text)) => glob.matches(text),
        (Some(glob), other) => glob.matches(&other.to_string()),
    })
}

/// What the last outcomes of its recipients say under this key.
fn last<'a>(account: &'a Account, key: &'a str) -> impl Iterator<Item = &'a serde_json::Value> {
    account.recipients.iter().filter_map(move |recipient| recipient.last.as_ref()?.get(key))
}

/// The remote is `host:port [address]`.
fn is_on_the_way_to(account: &Account, glob: &Glob) -> bool {
    last(account, "remote").filter_map(serde_json::Value::as_str).any(|remote| {
        let name = remote.split(' ').next().unwrap_or_default();
        let host = name.rsplit_once(':').map_or(name, |(host, _)| host);
        glob.matches(remote) || glob.matches(name) || glob.matches(host)
    })
}

/// Of what sinks said, the last that was no consent.
fn is_of_sink(account: &Account, glob: &Glob) -> bool {
    let objects = |entry: &&crate::event::LedgerEntry| !matches!(&*entry.verdict, "next" | "skip-rest");
    account.ledger.entries.iter().rev().find(objects).is_some_and(|entry| glob.matches(&entry.sink))
}

fn waits_because(account: &Account, glob: &Glob) -> bool {
    let reply = |reply: &serde_json::Value| {
        let part = |key| reply.get(key).map(|part| part.as_str().map_or_else(|| part.to_string(), str::to_owned));
        [part("code"), part("status"), part("text")].into_iter().flatten().collect::<Vec<_>>().join(" ")
    };
    account.hold.as_ref().is_some_and(|reason| glob.matches(reason))
        || account.recipients.iter().filter_map(|r| r.reason.as_ref()).any(|reason| glob.matches(reason))
        || last(account, "reply").any(|said| glob.matches(&reply(said)))
}

fn is_held(account: &Account) -> bool {
    account.state == State::Held || account.recipients.iter().any(|r| r.state == "held")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Ledger, Transaction};
    use crate::mail::{Door, Envelope, Origin, Recipient, ReversePath, Standing};

    fn account(sender: &str, recipients: &[&str]) -> Account {
        let mut envelope = Envelope::new(ReversePath::parse(sender).unwrap());
        let recipient = |r: &&str| Recipient::new(ForwardPath::parse(r).unwrap(), Standing::Local);
        envelope.recipients = recipients.iter().map(recipient).collect();
        let transaction = Transaction::new(Id(7), Timestamp(1000), envelope, Ledger::default());
        let mut origin = Origin::door(Door::Smtp);
        origin.client = "192.0.2.9".parse().ok();
        Account::of_transaction(&transaction, &origin, State::Queued, None)
    }

    fn holds(account: &Account, filter: Filter) -> bool {
        filter.compile().unwrap().matches(account)
    }

    #[test]
    fn each_test_picks_and_leaves() {
        let mut it = account("alice@example.com", &["bob@b.example", "Postmaster"]);
        it.properties.set("queue", "tenant", "acme".into());
        it.recipients[0].last = Some(serde_json::json!({
            "outcome": "deferred", "remote": "mx.b.example:25 [192.0.2.7]",
            "reply": { "code": 451, "status": "4.7.1", "text": "go slow" },
        }));
        let text = |t: &str| Some(t.to_owned());
        let none = Filter::default;
        for (yes, no) in [
            (Filter { ids: vec![Id(7)], ..none() }, Filter { ids: vec![Id(8)], ..none() }),
            (Filter { sender: text("*@Example.com"), ..none() }, Filter { sender: text("example.com"), ..none() }),
            (Filter { recipient: text("postmaster"), ..none() }, Filter { recipient: text("b.example"), ..none() }),
            (Filter { domain: text("*.EXAMPLE"), ..none() }, Filter { domain: text("example.com"), ..none() }),
            (Filter { client: text("192.0.2.0/24"), ..none() }, Filter { client: text("192.0.2.8"), ..none() }),
            (Filter { since: Some(Timestamp(1000)), ..none() }, Filter { since: Some(Timestamp(1001)), ..none() }),
            (Filter { until: Some(Timestamp(1000)), ..none() }, Filter { until: Some(Timestamp(999)), ..none() }),
            (Filter { site: text("mx.b.example"), ..none() }, Filter { site: text("b.example"), ..none() }),
            (Filter { site: text("*?192.0.2.7]"), ..none() }, Filter { site: text("192*"), ..none() }),
            (Filter { reason: text("451 4.7.1 *slow*"), ..none() }, Filter { reason: text("slow"), ..none() }),
            (
                Filter { property: text("queue.tenant"), ..none() },
                Filter { property: text("queue.campaign"), ..none() },
            ),
            (
                Filter { property: text("queue.tenant=ac*"), ..none() },
                Filter { property: text("queue.tenant=b*"), ..none() },
            ),
            (none(), Filter { sink: text("*"), ..none() }),
            (none(), Filter { held: true, ..none() }),
        ] {
            assert!(holds(&it, yes.clone()), "{yes:?}");
            assert!(!holds(&it, no.clone()), "{no:?}");
            assert!(!holds(&it, Filter { held: true, ..yes }), "all tests must hold");
        }
        assert_eq!(
            Filter { client: text("nonsense"), ..none() }.compile().unwrap_err().split(' ').next(),
            Some("`nonsense`")
        );
    }

    #[test]
    fn the_null_sender_and_one_held_recipient() {
        let mut it = account("<>", &["a@b.example"]);
        assert!(holds(&it, Filter { sender: Some("<>".into()), ..Filter::default() }));
        assert!(!holds(&it, Filter { sender: Some("*@*".into()), ..Filter::default() }));
        let mut held = it.recipients[0].clone();
        held.state = "held".into();
        it.recipients.push(held);
        assert!(holds(&it, Filter { held: true, ..Filter::default() }));
    }
}
