//! `turn`: the oldest way to call for mail (RFC 821 3.8): TURN without a word more, and the connection is turned round.
//!
//! RFC 821 knew no authentication, and let anybody take anybody's mail; here it is for users who have authenticated and have an account,
//! and does not exist for others. RFC 5321 F.1 deprecates it: prefer `atrn`.

use super::accounts::{AccountConfig, Accounts, REFUSED};
use crate::event::{Claims, Env, Fault, Heard, On, Ruling, VerbClaim, View, on};
use crate::mail::{EnhancedCode, Reply};
use serde::Deserialize;

const ALONE: Reply = Reply::new(501, EnhancedCode(5, 5, 4), "TURN takes no argument; send it alone");

/// `[sink.config]` of `turn`.
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
pub(super) struct Turn {
    accounts: Accounts,
    tls: bool,
}

/// Opens the sink.
pub(super) fn open(config: Config, env: &mut Env) -> Result<Turn, String> {
    Ok(Turn { accounts: Accounts::new(config.account, env.queue.clone())?, tls: config.tls })
}

impl Turn {
    fn claims(&self) -> Claims {
        let claim = VerbClaim::new("TURN").announced("TURN").under(self.accounts.conditions(self.tls));
        Claims { verbs: vec![claim], ..Claims::default() }
    }
}

impl On<on::InCommand> for Turn {
    fn on(&self, heard: &mut Heard<'_, on::InCommand>) -> Result<Ruling<on::InCommand>, Fault> {
        let View::Verb { verb: "TURN", argument, .. } = heard.view else { return Ok(Ruling::next()) };
        Ok(match self.accounts.of(heard) {
            _ if !argument.is_empty() => Ruling::answer(ALONE),
            Some(scopes) => Ruling::answer(self.accounts.call(scopes, heard)),
            None => Ruling::answer(REFUSED),
        })
    }
}

crate::hears!(Turn { InCommand: now } claims = Turn::claims);

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::event::{Answer, CommandAnswer, Decision};

    #[tokio::test]
    async fn for_the_users_of_accounts_and_nobody_else() {
        let mut rig = Rig::of("turn", "account = [{ user = 'site', domains = ['example.org'] }]");
        let queue = rig.queue();
        queue.holds(2);
        rig.origin.helo = Some("site.example.org".into());
        assert_eq!(rig.command("TURN", "").await, "ok", "the server has refused it before");
        rig.origin.auth = Some("site".into());
        assert_eq!(rig.command("TURN", "x").await, "501 5.5.4 TURN takes no argument; send it alone");
        let turned = rig.command_with("TURN", "", None, false).await;
        let Decision::Answer(Answer::Command(CommandAnswer::Turn { domains, .. })) = turned else {
            panic!("{turned:?}")
        };
        assert_eq!(domains, ["example.org"]);
        queue.holds(0);
        assert_eq!(rig.command("TURN", "").await, "453 4.5.0 You have no mail");
    }
}
