//! `x-exps`: authentication as the servers of the ancestor's kind spell it: `X-EXPS LOGIN` and `X-EXPS GSSAPI` for AUTH with that
//! mechanism, and the keyword also as `X-EXPS=LOGIN` for those who look for that.
//!
//! It authenticates nobody itself: the command stands for AUTH, with all the rules of that, which the listener has. It is announced where a
//! client could use it, and never after authentication. NTLM is not offered.

use crate::event::{Claims, CommandAnswer, Env, Fault, Heard, On, Ruling, VerbClaim, View, on};
use crate::mail::{EnhancedCode, Reply};
use serde::Deserialize;

const SYNTAX: Reply = Reply::new(501, EnhancedCode(5, 5, 4), "Say X-EXPS and a mechanism");
const OTHER: Reply = Reply::new(504, EnhancedCode(5, 5, 4), "Mechanism not offered; see the reply to EHLO");

/// `[sink.config]` of `x-exps`.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(super) struct Config {
    /// Which mechanisms, of those that the listener has.
    #[serde(default = "login")]
    mechanisms: Vec<Mechanism>,
    /// LOGIN also without TLS; the listener has to let it, too.
    #[serde(default)]
    clear_without_tls: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
enum Mechanism {
    Gssapi,
    Login,
}

impl Mechanism {
    fn as_str(self) -> &'static str {
        match self {
            Self::Gssapi => "GSSAPI",
            Self::Login => "LOGIN",
        }
    }
}

fn login() -> Vec<Mechanism> {
    vec![Mechanism::Login]
}

/// The sink.
pub(super) struct XExps(Config);

/// Opens the sink.
pub(super) fn open(config: Config, _: &mut Env) -> Result<XExps, &'static str> {
    if config.mechanisms.is_empty() {
        return Err("it would do nothing: give it `mechanisms`, \"LOGIN\" or \"GSSAPI\"");
    }
    Ok(XExps(config))
}

impl XExps {
    fn claims(&self) -> Claims {
        Claims { verbs: vec![VerbClaim::new("X-EXPS")], ..Claims::default() }
    }

    /// The mechanisms that a session can use.
    fn usable(&self, secure: bool) -> Vec<Mechanism> {
        let usable = |mechanism: &Mechanism| *mechanism != Mechanism::Login || secure || self.0.clear_without_tls;
        self.0.mechanisms.iter().copied().filter(usable).collect()
    }
}

impl On<on::InHelo> for XExps {
    fn on(&self, heard: &mut Heard<'_, on::InHelo>) -> Result<Ruling<on::InHelo>, Fault> {
        let usable = self.usable(heard.origin.tls.is_some());
        if heard.origin.auth.is_none() && !usable.is_empty() {
            let names: Vec<&str> = usable.iter().map(|mechanism| mechanism.as_str()).collect();
            heard.add_keyword(&format!("X-EXPS {}", names.join(" ")));
            if usable.contains(&Mechanism::Login) {
                heard.add_keyword("X-EXPS=LOGIN");
            }
        }
        Ok(Ruling::next())
    }
}

impl On<on::InCommand> for XExps {
    fn on(&self, heard: &mut Heard<'_, on::InCommand>) -> Result<Ruling<on::InCommand>, Fault> {
        let View::Verb { verb: "X-EXPS", argument, .. } = heard.view else { return Ok(Ruling::next()) };
        let name = argument.split(' ').next().unwrap_or_default();
        if name.is_empty() {
            return Ok(Ruling::answer(SYNTAX));
        }
        let usable = self.usable(heard.origin.tls.is_some());
        if !usable.iter().any(|mechanism| mechanism.as_str().eq_ignore_ascii_case(name)) {
            return Ok(Ruling::answer(OTHER));
        }
        Ok(Ruling::answer(CommandAnswer::Instead(format!("AUTH {argument}"))))
    }
}

crate::hears!(XExps { InHelo: now, InCommand: now } claims = XExps::claims);

#[cfg(test)]
mod tests {
    use super::super::rig::Rig;
    use crate::event::{Answer, CommandAnswer, Decision, Event};

    async fn instead(rig: &mut Rig, argument: &str) -> String {
        match rig.command_with("X-EXPS", argument, None, false).await {
            Decision::Answer(Answer::Command(CommandAnswer::Instead(line))) => line,
            Decision::Answer(Answer::Command(CommandAnswer::Reply(reply))) => reply.to_string(),
            other => format!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn another_spelling_of_auth_and_nothing_more() {
        let mut rig = Rig::of("x-exps", "mechanisms = ['GSSAPI', 'LOGIN']\nclear-without-tls = true");
        rig.raise(Event::InHelo).await;
        assert_eq!(rig.session.facts.keywords, ["X-EXPS GSSAPI LOGIN", "X-EXPS=LOGIN"]);
        assert_eq!(instead(&mut rig, "LOGIN dXNlcg==").await, "AUTH LOGIN dXNlcg==");
        assert_eq!(instead(&mut rig, "gssapi").await, "AUTH gssapi");
        assert!(instead(&mut rig, "NTLM").await.starts_with("504 "));
        assert!(instead(&mut rig, "").await.starts_with("501 "));
    }

    #[tokio::test]
    async fn no_clear_text_without_tls_and_nothing_twice() {
        let mut rig = Rig::of("x-exps", "");
        rig.raise(Event::InHelo).await;
        assert!(rig.session.facts.keywords.is_empty());
        assert!(instead(&mut rig, "LOGIN").await.starts_with("504 "));
        let mut rig = Rig::of("x-exps", "clear-without-tls = true");
        rig.origin.auth = Some("user".into());
        rig.raise(Event::InHelo).await;
        assert!(rig.session.facts.keywords.is_empty(), "who has authenticated needs it no more");
    }
}
