//! `xexch50`: the properties of a message and its recipients travel between two servers that trust each other, by the command of that name.
//!
//! On the server's side it is announced only to the users that the configuration names, and nobody else can tell that it exists. Its blob
//! is counted and capped; what is in another format, as that of the servers whose command it was, is read in step and passed over. On the
//! client's side it is said only to the hosts that the configuration names, and if they announce it; a refusal loses the properties and
//! not the message. Since they announce it to whoever has authenticated, such a host that does not is greeted once more before the first message
//! of a connection that has properties.

use super::scopes::UserText;
use crate::config::units;
use crate::event::edit::Bearer;
use crate::event::glob::Glob;
use crate::event::{
    Claims, CommandAnswer, Conditions, Env, Fault, Heard, On, Ruling, Scene, VerbClaim, View, Want, on,
};
use crate::mail::property_blob::{BlobError, PropertyBlob, RecipientProperties};
use crate::mail::{EnhancedCode, Properties, Reply};
use crate::smtp::client::Next;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// The most octets that a blob may have.
const MAX: u64 = 1 << 20;
/// The verb, and as it is sometimes written.
const VERBS: [&str; 2] = ["XEXCH50", "X-EXCH50"];

/// See [`Xexch50::greeted`].
const GREETED: &str = "greeted-again";
/// What the host is asked before it is greeted once more: only behind a command of a sink's own may that be said.
const ASKED: &str = "NOOP";

const SEND: Reply = Reply::new(354, EnhancedCode(2, 0, 0), "Send the properties");
const SYNTAX: Reply = Reply::new(501, EnhancedCode(5, 5, 4), "Say XEXCH50 and a size in octets");
const TOO_BIG: Reply = Reply::new(552, EnhancedCode(5, 3, 4), "Too many properties");
const RCPT_FIRST: Reply = Reply::new(503, EnhancedCode(5, 5, 1), "MAIL and RCPT first");
const TAKEN: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "Properties taken");
const PASSED_OVER: Reply = Reply::new(250, EnhancedCode(2, 0, 0), "Octets passed over");
const MALFORMED: Reply = Reply::new(501, EnhancedCode(5, 5, 2), "The properties can't be read; they are left out");

/// `[sink.config]` of `xexch50`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Config {
    /// The users as whom peers authenticate here.
    #[serde(default)]
    users: Vec<UserText>,
    /// The hosts that are sent properties.
    #[serde(default)]
    hosts: Vec<UserText>,
    /// The sinks whose properties are sent and taken.
    #[serde(default = "all")]
    properties: Vec<UserText>,
    /// Octets of one blob.
    #[serde(default = "usual", deserialize_with = "size")]
    max_size: u64,
}

fn all() -> Vec<UserText> {
    vec![UserText(Glob::new("*"))]
}

fn usual() -> u64 {
    64 << 10
}

fn size<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    super::value::text(deserializer, "a size such as \"64 KiB\"", |text| match units::size(text) {
        Ok(octets) if (1..=MAX).contains(&octets) => Ok(octets),
        Ok(_) => Err(format!("`{text}`: write 1 B to 1 MiB")),
        Err(error) => Err(format!("`{text}` is not a size such as \"64 KiB\": {error}")),
    })
}

/// The sink.
pub(super) struct Xexch50 {
    /// The session's property that says that the host was greeted once more.
    greeted: String,
    users: Vec<Glob>,
    hosts: Vec<Glob>,
    properties: Vec<Glob>,
    max: u64,
}

/// Opens the sink.
pub(super) fn open(config: Config, env: &mut Env) -> Result<Xexch50, &'static str> {
    if config.users.is_empty() && config.hosts.is_empty() {
        return Err(
            "it would do nothing: give it `users`, who may send properties here, or `hosts`, to which they are sent",
        );
    }
    let globs = |texts: Vec<UserText>| texts.into_iter().map(|text| text.0).collect();
    let (users, hosts, properties) = (globs(config.users), globs(config.hosts), globs(config.properties));
    let greeted = format!("{}.{GREETED}", env.name);
    Ok(Xexch50 { greeted, users, hosts, properties, max: config.max_size })
}

impl Xexch50 {
    /// Without users there is no verb: none would mean everybody.
    fn claims(&self) -> Claims {
        if self.users.is_empty() {
            return Claims::default();
        }
        let who = Conditions { users: self.users.clone(), ..Conditions::default() };
        let [verb, other] = VERBS.map(|verb| VerbClaim::new(verb).under(who.clone()));
        Claims { verbs: vec![verb.announced("XEXCH50"), other], ..Claims::default() }
    }

    /// The command: how many octets are to come. What follows the size says nothing to us.
    fn begin(&self, argument: &str, scene: &Scene<'_>) -> CommandAnswer {
        let mut words = argument.split_ascii_whitespace();
        let digits = words.next().filter(|text| text.len() <= 10 && text.bytes().all(|b| b.is_ascii_digit()));
        let Some(count) = digits.and_then(|text| text.parse::<u64>().ok()).filter(|_| words.count() <= 1) else {
            return SYNTAX.into();
        };
        if scene.envelope().is_none_or(|envelope| envelope.recipients.is_empty()) {
            return RCPT_FIRST.into();
        }
        if count > self.max {
            return TOO_BIG.into();
        }
        CommandAnswer::More { reply: SEND, want: Want::Octets { count } }
    }

    /// The octets: the properties become those of the message here.
    fn take(&self, octets: &[u8], heard: &mut Heard<'_, on::InCommand>) -> Reply {
        let blob = match PropertyBlob::parse(octets) {
            Ok(blob) => blob,
            Err(error @ (BlobError::Foreign | BlobError::Version(_))) => {
                tracing::debug!(id = heard.id().map(tracing::field::display), "XEXCH50: {error}");
                return PASSED_OVER;
            }
            Err(error) => {
                tracing::warn!(id = heard.id().map(tracing::field::display), "XEXCH50: {error}");
                return MALFORMED;
            }
        };
        let mut found = Vec::new();
        let mut gather = |bearer, properties: &Properties| {
            let wanted = properties.iter().filter(|(owner, ..)| self.travels(owner));
            found.extend(wanted.map(|(owner, key, value)| (bearer, format!("{owner}:{key}"), value.clone())));
        };
        gather(Bearer::Message, &blob.message);
        let envelope = heard.envelope();
        for RecipientProperties { path, properties } in &blob.recipients {
            let recipients = envelope.map_or(&[][..], |envelope| &envelope.recipients);
            // A sink may have rewritten it since.
            let place = recipients.iter().position(|r| r.original.as_ref().unwrap_or(&r.path).as_str() == path);
            if let Some(index) = place {
                gather(Bearer::Recipient(Some(index)), properties);
            }
        }
        found.into_iter().for_each(|(bearer, key, value)| heard.set_property(bearer, &key, value));
        TAKEN
    }

    fn travels(&self, owner: &str) -> bool {
        self.properties.iter().any(|glob| glob.matches(owner))
    }

    /// What there is to send to this hop: the properties of the message and of those recipients that it gets.
    fn blob(&self, scene: &Scene<'_>) -> PropertyBlob {
        let of = |properties: &Properties| {
            let mut own = Properties::default();
            for (owner, key, value) in properties.iter().filter(|(owner, ..)| self.travels(owner)) {
                own.set(owner, key, value.clone());
            }
            own
        };
        let recipients = scene.recipients().map(|(_, recipient)| RecipientProperties {
            path: recipient.path.as_str().to_owned(),
            properties: of(&recipient.properties),
        });
        let recipients = recipients.filter(|recipient| !recipient.properties.is_empty()).collect();
        let message = scene.transaction.map_or_else(Properties::default, |t| of(&t.letter.properties));
        PropertyBlob { message, recipients }
    }

    fn is_to_peer(&self, scene: &Scene<'_>) -> bool {
        scene.leg().and_then(|leg| leg.host.as_deref()).is_some_and(|host| self.is_peer(host))
    }

    /// Whether the hop is one of ours, whatever its port and address.
    fn is_peer(&self, host: &str) -> bool {
        let name = host.split(' ').next().unwrap_or_default();
        let alone = name.rsplit_once(':').map_or(name, |(name, _)| name);
        self.hosts.iter().any(|glob| glob.matches(name) || glob.matches(alone))
    }
}

impl On<on::InCommand> for Xexch50 {
    fn on(&self, heard: &mut Heard<'_, on::InCommand>) -> Result<Ruling<on::InCommand>, Fault> {
        let View::Verb { verb, argument, further } = heard.view else { return Ok(Ruling::next()) };
        if !VERBS.contains(&verb) {
            return Ok(Ruling::next());
        }
        Ok(Ruling::answer(match further {
            None => self.begin(argument, heard),
            Some(further) => self.take(further.octets, heard).into(),
        }))
    }
}

impl On<on::OutMail> for Xexch50 {
    fn on(&self, heard: &mut Heard<'_, on::OutMail>) -> Result<Ruling<on::OutMail>, Fault> {
        let known = is_offered(heard) || heard.property(&self.greeted).is_some();
        if !known && self.is_to_peer(heard) && !self.blob(heard).is_empty() {
            heard.set_property(Bearer::Session, GREETED, Value::Bool(false));
            heard.insert_command(ASKED);
        }
        Ok(Ruling::next())
    }
}

impl On<on::OutReply> for Xexch50 {
    fn on(&self, heard: &mut Heard<'_, on::OutReply>) -> Result<Ruling<on::OutReply>, Fault> {
        let View::Client(_, plan) = heard.view else { return Ok(Ruling::next()) };
        let ours = plan.verb.as_deref() == Some(ASKED) && heard.property(&self.greeted) == Some(&Value::Bool(false));
        if !ours || !plan.choices.next.contains(&Next::Hello) {
            return Ok(Ruling::next());
        }
        heard.set_property(Bearer::Session, GREETED, Value::Bool(true));
        Ok(Ruling::answer(Next::Hello))
    }
}

fn is_offered(scene: &Scene<'_>) -> bool {
    matches!(scene.view, View::Client(_, plan) if plan.offered.has("XEXCH50"))
}

impl On<on::OutData> for Xexch50 {
    fn on(&self, heard: &mut Heard<'_, on::OutData>) -> Result<Ruling<on::OutData>, Fault> {
        if !self.is_to_peer(heard) || !is_offered(heard) {
            return Ok(Ruling::next());
        }
        let blob = self.blob(heard);
        if blob.is_empty() {
            return Ok(Ruling::next());
        }
        let octets = blob.write();
        if octets.len() as u64 > self.max {
            let octets = octets.len();
            tracing::warn!(
                id = heard.id().map(tracing::field::display),
                octets,
                "XEXCH50: the properties are over `max-size`, and are not sent"
            );
            return Ok(Ruling::next());
        }
        let command = format!("XEXCH50 {} {}", octets.len(), blob.recipients.len());
        heard.insert_command_with(&command, octets.into());
        Ok(Ruling::next())
    }
}

crate::hears!(Xexch50 { InCommand: now, OutMail: now, OutReply: now, OutData: now } claims = Xexch50::claims);

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::event::{Answer, CommandAnswer, Decision, Want};
    use serde_json::json;

    const BLOB: &[u8] = b"MAILSLUICE-PROPERTIES/1\n{\"message\":{\"tagger\":{\"class\":\"x\"},\"other\":{\"a\":1}},\
        \"recipients\":[{\"path\":\"b@example.com\",\"properties\":{\"tagger\":{\"vip\":true}}},{\"path\":\"c@example.com\",\"properties\":{\"tagger\":{\"vip\":true}}}]}";

    fn rig() -> Rig {
        let mut rig = Rig::importing("xexch50", "users = ['hub']\nproperties = ['tagger']\nmax-size = '1 KiB'");
        rig.origin.auth = Some("hub".into());
        rig.mail("x@client.example", &["a@example.com", "b@example.com"]);
        rig
    }

    async fn said(rig: &mut Rig, verb: &str, argument: &str) -> String {
        match rig.command_with(verb, argument, None, true).await {
            Decision::Answer(Answer::Command(CommandAnswer::Reply(reply))) => reply.to_string(),
            Decision::Answer(Answer::Command(CommandAnswer::More { reply, want: Want::Octets { count } })) => {
                format!("{}, and {count} octets", reply.code())
            }
            other => format!("{other:?}"),
        }
    }

    async fn sent(rig: &mut Rig, octets: &[u8]) -> String {
        match rig.command_with("XEXCH50", "1 2", Some((1, octets)), true).await {
            Decision::Answer(Answer::Command(CommandAnswer::Reply(reply))) => reply.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_size_that_is_bounded_and_in_its_turn() {
        let mut rig = rig();
        assert_eq!(said(&mut rig, "XEXCH50", "1024 2").await, "354, and 1024 octets");
        assert_eq!(said(&mut rig, "X-EXCH50", "7").await, "354, and 7 octets");
        for bad in ["", "x", "-1", "1 2 3", "0x10", "99999999999"] {
            assert_eq!(said(&mut rig, "XEXCH50", bad).await, "501 5.5.4 Say XEXCH50 and a size in octets", "{bad}");
        }
        assert_eq!(said(&mut rig, "XEXCH50", "1025 2").await, "552 5.3.4 Too many properties");
        assert_eq!(rig.command("XEXCH50", "5 1").await, "503 5.5.1 MAIL and RCPT first");
        rig.origin.auth = None;
        assert_eq!(rig.command("XEXCH50", "5 1").await, "ok", "the server has refused it before");
    }

    #[tokio::test]
    async fn properties_of_the_message_and_of_those_who_are_there() {
        let mut rig = rig();
        assert_eq!(sent(&mut rig, BLOB).await, "250 2.0.0 Properties taken");
        let letter = &rig.transaction.letter;
        assert_eq!(letter.properties.lookup("tagger.class"), Some(&json!("x")));
        assert_eq!(letter.properties.lookup("other.a"), None, "it does not travel");
        let vip = |index: usize| letter.envelope.recipients[index].properties.lookup("tagger.vip").cloned();
        assert_eq!((vip(0), vip(1)), (None, Some(json!(true))));
    }

    #[tokio::test]
    async fn a_stranger_s_blob_is_passed_over() {
        let mut rig = rig();
        assert_eq!(sent(&mut rig, b"\x01\x02exchange").await, "250 2.0.0 Octets passed over");
        assert_eq!(sent(&mut rig, b"MAILSLUICE-PROPERTIES/9\n{}").await, "250 2.0.0 Octets passed over");
        let told = sent(&mut rig, b"MAILSLUICE-PROPERTIES/1\n{]").await;
        assert!(told.starts_with("501 5.5.2 The properties can't be read"), "{told}");
        assert!(rig.transaction.letter.properties.is_empty());
    }

    #[tokio::test]
    async fn without_the_right_to_it_nothing_is_set() {
        let mut rig = Rig::of("xexch50", "users = ['hub']");
        rig.origin.auth = Some("hub".into());
        rig.mail("x@client.example", &["a@example.com"]);
        let told = sent(&mut rig, BLOB).await;
        assert!(told.starts_with("Defer("), "{told}");
        assert!(rig.transaction.letter.properties.is_empty());
    }

    #[test]
    fn configurations_that_do_nothing_or_too_much() {
        for (config, told) in [
            ("", "it would do nothing"),
            ("users = ['']", "a user needs a name"),
            ("users = ['x']\nmax-size = '2 MiB'", "write 1 B to 1 MiB"),
        ] {
            let error = Rig::errors("xexch50", config);
            assert!(error.contains(told), "{config}: {error}");
        }
    }
}
