//! `access`: who is let in and who is not, by client network, HELO name, sender and recipient, from lists.
//!
//! Each key is looked at as soon as it is known: the client when it connects, the HELO name, the sender and the recipient
//! with their commands. What is on the deny list of a key is refused, unless it is on the allow list of the same key. A
//! client on the allow list is trusted with everything: none of the other keys is looked at, and its session has the
//! property `allowed`. The other keys are what the client says of itself, so an allow there lifts that key's deny alone.
//!
//! Lists stand in the manifest or in files, which are watched. It does no look-ups of its own, in DNS or elsewhere.

use crate::config::{Diagnostics, Node, Span, reader, values};
use crate::event::catalogue::may;
use crate::event::edit::Bearer;
use crate::event::list::Patterns;
use crate::event::networks::{self, Networks};
use crate::event::verdict::standard;
use crate::event::{Env, Fault, Files, Heard, On, Ruling, Scene, on};
use crate::mail::Class;
use ipnet::IpNet;
use serde::Deserialize;
use std::net::IpAddr;
use std::sync::Arc;

/// `[sink.config]` of `access`.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Config {
    /// Who is refused.
    deny: Keys,
    /// Who is not, all the same.
    allow: Keys,
    /// What a refused client is told, instead of which of its data is refused.
    message: Option<String>,
}

/// One entry or a list of entries for each key; `@file` is a file with one entry per line.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    client: Option<Node>,
    helo: Option<Node>,
    sender: Option<Node>,
    recipient: Option<Node>,
}

/// The sink.
pub(super) struct Access {
    deny: Lists,
    allow: Lists,
    message: Option<String>,
}

/// Opens the sink.
pub(super) fn open(config: Config, at: Span, env: &mut Env, found: &mut Diagnostics) -> Option<Access> {
    let [deny, allow] = [&config.deny, &config.allow].map(|keys| Lists::read(keys, &mut env.files, found));
    let Keys { client, helo, sender, recipient } = &config.deny;
    if [client, helo, sender, recipient].iter().all(|key| key.is_none()) {
        found
            .error(at, format!("sink `{}` would refuse nobody: it has nothing to `deny`", env.name))
            .help("write, for example: deny = { client = \"@lists/bad-networks.txt\" }");
        return None;
    }
    Some(Access { deny: deny?, allow: allow?, message: config.message })
}

/// The entries of each key: one list for each file, and one for what stands in the manifest.
struct Lists {
    client: Vec<Arc<Networks>>,
    helo: Vec<Arc<Patterns>>,
    sender: Vec<Arc<Patterns>>,
    recipient: Vec<Arc<Patterns>>,
}

impl Lists {
    /// Reads all lists, so that one pass tells everything that is wrong.
    fn read(keys: &Keys, files: &mut Files, found: &mut Diagnostics) -> Option<Self> {
        let insert_network = |set: &mut Networks, text: &str| {
            networks::parse(text).map(|net| set.insert(net)).map_err(|error| format!("`{text}`: {error}"))
        };
        let client =
            read(keys.client.as_ref(), found, |path, at, found| files.networks(path, at, found), insert_network);
        let mut texts = |node: &Option<Node>, check: fn(&str) -> Result<(), String>| {
            let insert = |set: &mut Patterns, text: &str| check(text).map(|()| set.insert(text));
            read(node.as_ref(), found, |path, at, found| files.patterns(path, at, found), insert)
        };
        let helo = texts(&keys.helo, |_| Ok(()));
        let (sender, recipient) = (texts(&keys.sender, check_address), texts(&keys.recipient, check_address));
        Some(Self { client: client?, helo: helo?, sender: sender?, recipient: recipient? })
    }
}

/// Reads the entries of one key: `@file` by `file`, the others by `insert`.
fn read<T: Default>(
    node: Option<&Node>,
    found: &mut Diagnostics,
    mut file: impl FnMut(&str, Span, &mut Diagnostics) -> Option<Arc<T>>,
    insert: impl Fn(&mut T, &str) -> Result<(), String>,
) -> Option<Vec<Arc<T>>> {
    let Some(node) = node else { return Some(Vec::new()) };
    let (mut lists, mut inline) = (Vec::new(), T::default());
    let read = reader::one_or_list(node, found, |node, found| {
        let text = values::string(node, found)?;
        match text.strip_prefix('@') {
            Some(path) => file(path, node.span, found).map(|list| lists.push(list)),
            None => {
                let told = insert(&mut inline, &text).map_err(|error| found.error(node.span, error));
                told.map_err(|told| told.help("an entry that begins with `@` names a file with one entry per line"))
                    .ok()
            }
        }
    })?;
    lists.push(Arc::new(inline));
    (read.len() == node.as_array().map_or(1, <[Node]>::len)).then_some(lists)
}

fn find_client(lists: &[Arc<Networks>], client: IpAddr) -> Option<IpNet> {
    lists.iter().find_map(|list| list.find(client))
}

fn find<'l>(lists: &'l [Arc<Patterns>], value: &str) -> Option<&'l str> {
    lists.iter().find_map(|list| list.find(value))
}

/// What could never match an address is a slip of the pen.
fn check_address(pattern: &str) -> Result<(), String> {
    if pattern.contains(['@', '*', '?']) || pattern == "<>" || pattern.eq_ignore_ascii_case("postmaster") {
        return Ok(());
    }
    Err(format!("`{pattern}` matches no address: for all of a domain write `*@example.com`"))
}

impl Access {
    /// Whether the client is trusted with everything.
    fn trusts(&self, client: Option<IpAddr>) -> bool {
        client.is_some_and(|client| find_client(&self.allow.client, client).is_some())
    }

    /// The verdict about the value of a key, by its two lists.
    fn judge<E: may::Reject>(
        &self,
        scene: &Scene<'_>,
        (key, value): (&str, Option<&str>),
        lists: fn(&Lists) -> &[Arc<Patterns>],
    ) -> Ruling<E> {
        let Some(value) = value else { return Ruling::next() };
        if self.trusts(scene.origin.client) || find(lists(&self.allow), value).is_some() {
            return Ruling::next();
        }
        match find(lists(&self.deny), value) {
            Some(entry) => self.refuse(scene, key, value, entry),
            None => Ruling::next(),
        }
    }

    fn refuse<E: may::Reject>(&self, scene: &Scene<'_>, key: &str, value: &str, entry: &str) -> Ruling<E> {
        let id = scene.id().map(tracing::field::display);
        tracing::info!(id, key, value, entry, "refused: the {key} {value} is on the deny list as {entry}");
        let standard = standard(Class::Permanent, E::EVENT);
        Ruling::reject_with(match &self.message {
            Some(message) => standard.with_text(message),
            None => standard.with_text(&format!("The {key} {value} is refused here by local policy")),
        })
    }
}

impl On<on::InConnect> for Access {
    fn on(&self, heard: &mut Heard<'_, on::InConnect>) -> Result<Ruling<on::InConnect>, Fault> {
        let Some(client) = heard.origin.client.map(|ip| ip.to_canonical()) else { return Ok(Ruling::next()) };
        if self.trusts(Some(client)) {
            heard.set_property(Bearer::Session, "allowed", true.into());
            return Ok(Ruling::next());
        }
        Ok(match find_client(&self.deny.client, client) {
            Some(entry) => self.refuse(heard, "client", &client.to_string(), &entry.to_string()),
            None => Ruling::next(),
        })
    }
}

impl On<on::InHelo> for Access {
    fn on(&self, heard: &mut Heard<'_, on::InHelo>) -> Result<Ruling<on::InHelo>, Fault> {
        Ok(self.judge(heard, ("HELO name", heard.origin.helo.as_deref()), |lists| &lists.helo))
    }
}

impl On<on::InMail> for Access {
    fn on(&self, heard: &mut Heard<'_, on::InMail>) -> Result<Ruling<on::InMail>, Fault> {
        Ok(self.judge(heard, ("sender", heard.sender_text()), |lists| &lists.sender))
    }
}

impl On<on::InRcpt> for Access {
    fn on(&self, heard: &mut Heard<'_, on::InRcpt>) -> Result<Ruling<on::InRcpt>, Fault> {
        Ok(self.judge(heard, ("recipient", heard.recipient().map(|r| r.path.as_str())), |lists| &lists.recipient))
    }
}

crate::hears!(Access { InConnect: now, InHelo: now, InMail: now, InRcpt: now });

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::event::Event;

    const CONFIG: &str = "
        deny = { client = ['@bad.txt', '203.0.113.7'], helo = '*.dyn.example', sender = ['*@spam.example', '<>'], recipient = 'trap@*' }
        allow = { client = '192.0.2.9', helo = 'good.dyn.example', sender = 'good@spam.example' }";
    const FILES: &[(&str, &str)] = &[("bad.txt", "192.0.2.0/24\n2001:db8::/32 # all of it\n")];

    /// What the client hears at each step.
    async fn steps(rig: &mut Rig, client: &str, helo: &str, sender: &str, recipient: &str) -> [String; 4] {
        rig.client(client);
        let connect = rig.reply(Event::InConnect).await;
        rig.origin.helo = Some(helo.into());
        let helo = rig.reply(Event::InHelo).await;
        rig.mail(sender, &[]);
        [connect, helo, rig.reply(Event::InMail).await, rig.rcpt(recipient).await]
    }

    #[tokio::test]
    async fn each_key_is_refused_when_it_is_known() {
        let mut rig = Rig::with_files("access", CONFIG, FILES);
        let good = steps(&mut rig, "198.51.100.1", "mx.example", "b@x.example", "alice@example.com").await;
        assert_eq!(good, ["ok"; 4]);
        let bad = steps(&mut rig, "192.0.2.1", "A.DYN.example", "b@Spam.example", "trap@example.com").await;
        let refused = [
            "554 5.7.1 The client 192.0.2.1 is refused here by local policy",
            "550 5.7.1 The HELO name A.DYN.example is refused here by local policy",
            "550 5.7.1 The sender b@Spam.example is refused here by local policy",
            "550 5.7.1 The recipient trap@example.com is refused here by local policy",
        ];
        assert_eq!(bad, refused);
        for client in ["203.0.113.7", "2001:db8::1", "::ffff:192.0.2.1"] {
            assert!(steps(&mut rig, client, "x", "", "a@b.example").await[0].starts_with("554 5.7.1 "), "{client}");
        }
        assert!(steps(&mut rig, "::1", "x", "", "postmaster").await[2].contains("The sender <> is"));
    }

    #[tokio::test]
    async fn allow_beats_deny_of_the_same_key_and_of_no_other() {
        let mut rig = Rig::with_files("access", CONFIG, FILES);
        let [_, helo, sender, recipient] =
            steps(&mut rig, "::1", "good.dyn.example", "good@spam.example", "trap@example.com").await;
        assert_eq!((&*helo, &*sender), ("ok", "ok"));
        assert!(recipient.starts_with("550 "), "{recipient}");
    }

    #[tokio::test]
    async fn an_allowed_client_may_everything_and_others_can_see_it() {
        let mut rig = Rig::with_files("access", CONFIG, FILES);
        assert_eq!(steps(&mut rig, "192.0.2.9", "a.dyn.example", "b@spam.example", "trap@x.example").await, ["ok"; 4]);
        assert_eq!(rig.session.facts.properties.lookup("access.allowed"), Some(&true.into()));
    }

    #[tokio::test]
    async fn the_operator_s_words() {
        let mut rig = Rig::of("access", "deny = { client = '192.0.2.0/24' }\nmessage = 'See https://example.com/why'");
        rig.client("192.0.2.1");
        assert_eq!(rig.reply(Event::InConnect).await, "554 5.7.1 See https://example.com/why");
    }

    #[test]
    fn every_mistake_at_its_place_in_one_pass() {
        let config =
            "allow = { client = ['10.0.0.1/8', 7], sender = 'example.com' }\ndeny = { recipient = '@missing.txt' }";
        let errors = Rig::errors("access", config);
        for (place, told) in [
            ("1:21", "write 10.0.0.0/8 for the whole network"),
            ("1:35", "expected a string, found an integer"),
            ("1:48", "write `*@example.com`"),
            ("2:22", "missing.txt"),
        ] {
            assert!(errors.contains(place) && errors.contains(told), "{place} {told}: {errors}");
        }
        assert!(Rig::errors("access", "allow = { client = '::1' }").contains("would refuse nobody"));
        assert!(Rig::errors("access", "deny = { heloo = 'x' }").contains("did you mean `helo`?"));
    }
}
