//! `atrn`: on-demand mail relay (RFC 2645): a customer who has authenticated calls for the mail of his domains, and the connection is
//! turned round to send it.
//!
//! Nothing of the command is read before the user is known. A user gets the domains of his account and no others. Mail waits for that if
//! its route is `turn`.

use super::accounts::{AccountConfig, Accounts, REFUSED};
use crate::event::host::Scope;
use crate::event::{Claims, Env, Fault, Heard, On, Ruling, Scene, VerbClaim, View, on};
use crate::mail::{EnhancedCode, Reply};
use serde::Deserialize;

/// Domains that one command may name.
const DOMAINS_MAX: usize = 100;

const SYNTAX: Reply = Reply::new(501, EnhancedCode(5, 5, 4), "Say ATRN, or ATRN and domains with commas between");

/// `[sink.config]` of `atrn`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Config {
    /// Whose mail each user may call for.
    account: Vec<AccountConfig>,
    /// Only under TLS.
    #[serde(default)]
    tls: bool,
}

/// The sink.
pub(super) struct Atrn {
    accounts: Accounts,
    tls: bool,
}

/// Opens the sink.
pub(super) fn open(config: Config, env: &mut Env) -> Result<Atrn, String> {
    Ok(Atrn { accounts: Accounts::new(config.account, env.queue.clone())?, tls: config.tls })
}

impl Atrn {
    /// Customers look for the keyword before they authenticate (RFC 2645 5.1).
    fn claims(&self) -> Claims {
        let claim = VerbClaim::new("ATRN").announced("ATRN").under(self.accounts.conditions(self.tls));
        Claims { verbs: vec![claim.early(REFUSED)], ..Claims::default() }
    }

    /// The domains that are called for: those of the account, or those of them that the command names.
    fn asked(&self, argument: &str, scene: &Scene<'_>) -> Result<Vec<Scope>, Reply> {
        let own = self.accounts.of(scene).ok_or(REFUSED)?;
        if argument.is_empty() {
            return Ok(own.to_vec());
        }
        let named: Vec<&str> = argument.split(',').take(DOMAINS_MAX + 1).map(str::trim).collect();
        if named.len() > DOMAINS_MAX {
            return Err(SYNTAX);
        }
        let domain = |text: &&str| Some(text).filter(|text| !text.starts_with('@')).and_then(|text| Scope::parse(text));
        let scopes: Option<Vec<Scope>> = named.iter().map(domain).collect();
        let scopes = scopes.ok_or(SYNTAX)?;
        let covered = scopes.iter().all(|scope| own.iter().any(|own| own.covers(scope)));
        if covered { Ok(scopes) } else { Err(REFUSED) }
    }
}

impl On<on::InCommand> for Atrn {
    fn on(&self, heard: &mut Heard<'_, on::InCommand>) -> Result<Ruling<on::InCommand>, Fault> {
        let View::Verb { verb: "ATRN", argument, .. } = heard.view else { return Ok(Ruling::next()) };
        Ok(match self.asked(argument, heard) {
            Ok(scopes) => Ruling::answer(self.accounts.call(&scopes, heard)),
            Err(reply) => Ruling::answer(reply),
        })
    }
}

crate::hears!(Atrn { InCommand: now } claims = Atrn::claims);

#[cfg(test)]
mod tests {
    use super::super::rig::{Rig, TestQueue};
    use crate::event::{Answer, CommandAnswer, Decision};

    const CONFIG: &str = "account = [
        { user = 'site', domains = ['example.org', '@example.net'] },
        { user = 'other', domains = ['example.com'] },
    ]";

    fn rig() -> (Rig, TestQueue) {
        let mut rig = Rig::of("atrn", CONFIG);
        let queue = rig.queue();
        (rig.origin.helo, rig.origin.auth) = (Some("site.example.org".into()), Some("site".into()));
        (rig, queue)
    }

    async fn turned(rig: &mut Rig, argument: &str) -> Vec<String> {
        match rig.command_with("ATRN", argument, None, false).await {
            Decision::Answer(Answer::Command(CommandAnswer::Turn { reply, domains })) => {
                assert_eq!(reply.to_string(), "250 2.0.0 OK now reversing the connection");
                domains
            }
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn all_domains_of_the_account_or_those_that_are_named() {
        let (mut rig, queue) = rig();
        assert_eq!(rig.command("ATRN", "").await, "453 4.5.0 You have no mail");
        queue.holds(1);
        assert_eq!(turned(&mut rig, "").await, ["example.org", "@example.net"]);
        assert_eq!(turned(&mut rig, "Example.org").await, ["example.org"]);
        assert_eq!(turned(&mut rig, "a.example.net,example.org").await, ["a.example.net", "example.org"]);
    }

    #[tokio::test]
    async fn nothing_of_others_and_nothing_unnamed() {
        let (mut rig, queue) = rig();
        queue.holds(1);
        for others in ["example.com", "example.org,example.com", "a.example.org"] {
            assert_eq!(rig.command("ATRN", others).await, "450 4.7.1 ATRN request refused", "{others}");
        }
        for bad in [",", "a b", "@example.net", "example.org,", "x;y"] {
            assert!(rig.command("ATRN", bad).await.starts_with("501 5.5.4 Say ATRN"), "{bad}");
        }
        assert!(rig.command("ATRN", &"example.org,".repeat(200)).await.starts_with("501 "));
        rig.origin.auth = Some("mallory".into());
        assert_eq!(rig.command("ATRN", "").await, "ok", "the server has refused it before");
        rig.origin.auth = None;
        assert_eq!(rig.command("ATRN", "").await, "ok");
    }

    #[tokio::test]
    async fn in_its_turn_only() {
        let (mut rig, queue) = rig();
        queue.holds(1);
        let in_mail = rig.command_with("ATRN", "", None, true).await;
        let Decision::Answer(Answer::Command(CommandAnswer::Reply(reply))) = in_mail else { panic!("{in_mail:?}") };
        assert_eq!(reply.code(), 503);
        rig.origin.helo = None;
        assert_eq!(rig.command("ATRN", "").await, "503 5.5.1 Say EHLO first");
    }

    #[test]
    fn accounts_that_are_none() {
        for (config, told) in [
            ("account = []", "nobody could call for mail"),
            ("account = [{ user = '*', domains = ['x.example'] }]", "not the name of one user"),
            ("account = [{ user = 'a', domains = [] }]", "has no `domains`"),
            (
                "account = [{ user = 'a', domains = ['x.example'] }, { user = 'a', domains = ['y.example'] }]",
                "two accounts",
            ),
        ] {
            let error = Rig::errors("atrn", config);
            assert!(error.contains(told), "{config}: {error}");
        }
    }
}
