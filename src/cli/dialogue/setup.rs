//! What the server of a dialogue is like: its `=` lines.

use crate::smtp::{AuthMechanism, AuthOffer, Limits, TlsOffer};

/// What the server is like.
#[derive(Clone, Debug)]
pub struct Setup {
    /// LMTP instead of SMTP.
    pub lmtp: bool,
    /// The client talks before the greeting.
    pub early: bool,
    /// STARTTLS.
    pub tls: TlsOffer,
    /// AUTH.
    pub auth: AuthOffer,
    /// The client is a proxy that says with a PROXY header whose connection it hands on.
    pub proxied: bool,
    /// VRFY is answered.
    pub vrfy: bool,
    /// EXPN is answered.
    pub expn: bool,
    /// HELP is answered.
    pub help: bool,
    /// Who may say XCLIENT.
    pub xclient: Trusted,
    /// Who may say XFORWARD.
    pub xforward: Trusted,
    /// Further lines for the listener's table in `mailsluice.toml`: such a dialogue is with the whole server only.
    pub listener: Vec<String>,
    /// Further lines for the end of `mailsluice.toml`, likewise.
    pub config: Vec<String>,
    /// The lines of `sinks.toml`, likewise.
    pub manifest: Vec<String>,
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

/// Who is a trusted proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trusted {
    /// The verb is not known.
    Nobody,
    /// Others than the client of the dialogue.
    Others,
    /// The client.
    Client,
}

impl Trusted {
    fn read(text: &str) -> Result<Self, String> {
        match text {
            "client" => Ok(Self::Client),
            "others" => Ok(Self::Others),
            _ => Err(format!("`{text}` is neither `client` nor `others`")),
        }
    }
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            lmtp: false,
            early: false,
            tls: TlsOffer::None,
            auth: AuthOffer::default(),
            proxied: false,
            vrfy: false,
            expn: false,
            help: true,
            xclient: Trusted::Nobody,
            xforward: Trusted::Nobody,
            listener: Vec::new(),
            config: Vec::new(),
            manifest: Vec::new(),
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
    /// Whether it takes the whole server: the machine alone has no such settings.
    pub fn is_whole(&self) -> bool {
        !(self.listener.is_empty() && self.config.is_empty() && self.manifest.is_empty())
    }

    /// Reads one line.
    pub(super) fn set(&mut self, line: &str) -> Result<(), String> {
        let (key, value) = line.split_once(' ').unwrap_or((line, ""));
        match key {
            "lmtp" => self.lmtp = true,
            "early" => self.early = true,
            "tls" => self.tls = if value == "required" { TlsOffer::Required } else { TlsOffer::Offered },
            "auth" => self.auth.mechanisms = words(value).iter().map(|name| mechanism(name)).collect(),
            "auth-old-spelling" => self.auth.old_spelling = true,
            "auth-required" => self.auth.required = true,
            "vrfy" => self.vrfy = value == "on",
            "expn" => self.expn = value == "on",
            "help" => self.help = value != "off",
            "xclient" => self.xclient = Trusted::read(value)?,
            "xforward" => self.xforward = Trusted::read(value)?,
            "proxied" => self.proxied = true,
            "listener" => self.listener.push(value.to_owned()),
            "config" => self.config.push(value.to_owned()),
            "manifest" => self.manifest.push(value.to_owned()),
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

/// A name; with `+tls` behind it the mechanism needs TLS.
fn mechanism(name: &str) -> AuthMechanism {
    let (name, needs_tls) = name.strip_suffix("+tls").map_or((name, false), |name| (name, true));
    AuthMechanism { name: name.to_owned(), needs_tls }
}

fn number<T: std::str::FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| format!("`{text}` is no number"))
}
