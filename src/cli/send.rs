//! `mailsluice send`: submits standard input, sendmail-fashion.

use super::addresses::addresses;
use super::compose::{self, Missing};
use super::out::{Failure, Out, Outcome};
use super::{site, time};
use crate::admin::{Client, Request, Response};
use crate::config::Settings;
use crate::mail::{ForwardPath, Id, ReversePath};
use clap::Args;
use nix::unistd::{User, getuid};
use std::io::Write;
use std::path::Path;

/// What to send.
#[derive(Args, Debug)]
#[command(after_help = "\
Line ends become CRLF. From, Date and Message-ID are added where they are missing. An address without a
domain gets the first of `domains.local`. The id of the accepted message is printed; a refusal is told on
standard error and is exit code 1. -B and -o of sendmail are taken too; of them only -oi does something.

Examples:
  printf 'Subject: hi\\n\\nhello\\n' | mailsluice send -f alice@example.com bob@example.com
  mailsluice send -t -i < message.eml")]
pub(super) struct Send {
    /// The envelope sender; '' or '<>' is the null sender [default: the user's name here]
    #[arg(short = 'f', long = "from", value_name = "SENDER")]
    from: Option<String>,
    /// Take recipients from To, Cc and Bcc, too, and remove Bcc
    #[arg(short = 't', long = "to-header")]
    to_header: bool,
    /// A line with nothing but a dot does not end the message
    #[arg(short = 'i', long = "ignore-dots")]
    ignore_dots: bool,
    /// The sender's own name, for a From that is added
    #[arg(short = 'F', long = "name", value_name = "NAME")]
    name: Option<String>,
    /// The body's type, which is looked at instead
    #[arg(short = 'B', value_name = "TYPE", hide = true)]
    _body: Option<String>,
    /// Options of sendmail: -oi is -i, others are ignored
    #[arg(short = 'o', value_name = "OPTION", hide = true)]
    options: Vec<String>,
    /// Recipients
    #[arg(value_name = "RCPT", required_unless_present = "to_header")]
    recipients: Vec<String>,
}

impl Send {
    pub(super) fn run(self, config: &Path) -> Outcome {
        let settings = site::settings(config)?;
        let dots = !self.ignore_dots && !self.options.iter().any(|option| option == "i");
        let mut message = compose::split(compose::read(std::io::stdin().lock(), dots)?);
        let sender = self.sender(&settings)?;
        let mut recipients = self.recipients.clone();
        if self.to_header {
            let values = compose::take_recipients(&mut message.header);
            recipients.extend(values.iter().flat_map(|value| addresses(value)));
        }
        let recipients = unique(&recipients, &settings)?;
        compose::complete(&mut message.header, &missing(&sender, self.name.as_deref(), &settings))
            .map_err(Failure::failed)?;
        let octets = message.content().to_bytes()?;
        let request = Request::Send { sender, recipients, octets: octets.len() as u64 };
        let mut accepted: Option<Id> = None;
        // Not sooner: the server does not wait for as long as whoever writes the message may take.
        Client::connect(&settings.admin.socket)?.ask_with(&request, &octets, |response| {
            if let Response::Accepted { id } = response {
                accepted = Some(id);
            }
            Ok::<_, Failure>(())
        })?;
        let id = accepted.ok_or_else(|| Failure::failed("the server has not said that it has the message"))?;
        let mut out = Out::new();
        writeln!(out, "{id}")?;
        out.end()
    }

    fn sender(&self, settings: &Settings) -> Result<ReversePath, Failure> {
        let text = match &self.from {
            Some(text) => text.clone(),
            None => user()?,
        };
        let text = if text.is_empty() || text == "<>" { text } else { qualified(&text, settings) };
        ReversePath::parse(&text).map_err(|e| Failure::Usage(format!("the sender `{text}` can't be used: {e}")))
    }
}

fn user() -> Result<String, Failure> {
    let user = User::from_uid(getuid()).ok().flatten().map(|user| user.name);
    user.ok_or_else(|| Failure::failed("this user has no name here: say with -f who sends"))
}

/// The recipients, each once.
fn unique(texts: &[String], settings: &Settings) -> Result<Vec<ForwardPath>, Failure> {
    let mut paths = Vec::new();
    for text in texts {
        let text = qualified(text, settings);
        let path = ForwardPath::parse(&text);
        let path = path.map_err(|e| Failure::Failed(format!("the recipient `{text}` can't be used: {e}")))?;
        if !paths.contains(&path) {
            paths.push(path);
        }
    }
    if paths.is_empty() {
        return Err(Failure::failed("no recipients: neither To, nor Cc, nor Bcc names any"));
    }
    Ok(paths)
}

/// An address with a domain.
fn qualified(text: &str, settings: &Settings) -> String {
    let domain = || settings.domains.local.first().map_or(settings.hostname.as_str(), String::as_str);
    let bare = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
    if bare.contains('@') { bare.to_owned() } else { format!("{bare}@{}", domain()) }
}

fn missing(sender: &ReversePath, name: Option<&str>, settings: &Settings) -> Missing {
    let (now, host) = (time::now(), settings.hostname.as_str());
    let from = sender.mailbox().map_or_else(|| format!("MAILER-DAEMON@{host}"), |mailbox| mailbox.as_str().to_owned());
    let plain = |name: &&str| name.chars().all(|c| c == ' ' || c.is_ascii_graphic() && !"\"\\<>".contains(c));
    let from = match name.filter(plain) {
        Some(name) => format!("\"{name}\" <{from}>"),
        None => from,
    };
    // The process says which of this millisecond's messages it is.
    let message_id = format!("<{}.{}.mailsluice@{host}>", now.0, std::process::id());
    Missing { from, date: now.rfc5322(), message_id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        let text =
            "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nlocal = ['example.com']\n";
        Settings::parse(Path::new("m.toml"), text).unwrap().0
    }

    #[test]
    fn addresses_get_a_domain_and_come_once() {
        let texts = ["alice", "<alice@example.com>", "b@x.example"].map(str::to_owned);
        let paths = unique(&texts, &settings()).unwrap();
        assert_eq!(paths.iter().map(ForwardPath::as_str).collect::<Vec<_>>(), ["alice@example.com", "b@x.example"]);
        let Err(Failure::Failed(text)) = unique(&["Alice Smith".to_owned()], &settings()) else { panic!() };
        assert!(text.starts_with("the recipient `Alice Smith@example.com` can't be used"), "{text}");
        assert!(unique(&[], &settings()).is_err());
    }

    #[test]
    fn what_is_missing_is_made_of_the_sender_and_this_host() {
        let alice = ReversePath::parse("alice@example.com").unwrap();
        assert_eq!(missing(&alice, Some("Cron Daemon"), &settings()).from, "\"Cron Daemon\" <alice@example.com>");
        assert_eq!(missing(&alice, Some("a\r\nB: c"), &settings()).from, "alice@example.com");
        let made = missing(&ReversePath::Null, None, &settings());
        assert_eq!(made.from, "MAILER-DAEMON@mx.example.com");
        assert!(made.date.ends_with(" +0000") && made.message_id.ends_with(".mailsluice@mx.example.com>"));
    }
}
