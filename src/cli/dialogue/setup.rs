//! What the server of a dialogue is like: its `=` lines.

use crate::smtp::Limits;

/// What the server is like.
#[derive(Clone, Debug)]
pub struct Setup {
    /// LMTP instead of SMTP.
    pub lmtp: bool,
    /// The client talks before the greeting.
    pub early: bool,
    /// VRFY is answered.
    pub vrfy: bool,
    /// EXPN is answered.
    pub expn: bool,
    /// The protocol's limits.
    pub limits: Limits,
    /// The users of the local domains.
    pub users: Vec<String>,
    /// The local domains.
    pub local: Vec<String>,
    /// Domains that are relayed to.
    pub relay_to: Vec<String>,
    /// What stands for sinks: whole lines, as words.
    pub sinks: Vec<String>,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            lmtp: false,
            early: false,
            vrfy: false,
            expn: false,
            limits: Limits::default(),
            users: words("alice bob postmaster"),
            local: words("example.com"),
            relay_to: Vec::new(),
            sinks: Vec::new(),
        }
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

impl Setup {
    /// Reads one line.
    pub(super) fn set(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "lmtp" => self.lmtp = true,
            "early" => self.early = true,
            "vrfy" => self.vrfy = value == "on",
            "expn" => self.expn = value == "on",
            "limits.line" => self.limits.line = number(value)?,
            "limits.idle-commands" => self.limits.idle_commands = number(value)?,
            "limits.errors" => self.limits.errors = number(value)?,
            "limits.recipients" => self.limits.recipients = number(value)?,
            "limits.message-size" => self.limits.message_size = number(value)?,
            "limits.header-size" => self.limits.header_size = number(value)?,
            "limits.hops" => self.limits.hops = number(value)?,
            "users" => self.users = words(value),
            "local" => self.local = words(value),
            "relay-to" => self.relay_to = words(value),
            "claim" | "keyword" | "without" | "answer" => self.sinks.push(line.to_owned()),
            _ => return Err(format!("there is no set-up `{key}`")),
        }
        Ok(())
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}
