//! What `mailsluice send` and the name `sendmail` have in common: standard input becomes a message and is handed over.

use super::out::Failure;
use super::{site, time};
use crate::admin::{Client, ClientError, Request, Response};
use crate::config::Settings;
use crate::intake::compose::{self, Missing};
use crate::intake::{Reports, addressing};
use crate::mail::{Id, Message, Reply, ReversePath, addresses};
use crate::smtp::{param, xtext};
use nix::unistd::{User, getuid};
use std::path::Path;

/// What is to be sent, as it was said on the command line.
#[derive(Debug, Default)]
pub(super) struct Submission {
    /// The envelope sender; none is the user.
    pub(super) sender: Option<String>,
    /// His own name.
    pub(super) name: Option<String>,
    pub(super) recipients: Vec<String>,
    /// Take recipients from the header, too.
    pub(super) from_header: bool,
    /// A lone dot ends the message.
    pub(super) dots: bool,
    pub(super) reports: Reports,
}

/// Why a message was not accepted.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The command line, or an address on it, makes no sense.
    Usage(String),
    /// Neither command line nor header name a recipient.
    Nobody,
    /// The message or an address in it can't be used.
    Data(String),
    /// The server said so.
    Reply(Reply),
    /// There is no server, or no word from it.
    Server(ClientError),
    /// The configuration can't be read.
    Config(Failure),
    /// Something on this side went wrong.
    Failed(String),
}

impl From<ClientError> for Refusal {
    fn from(error: ClientError) -> Self {
        Self::Server(error)
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(format!("the message can't be read: {error}"))
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Usage(text) => Self::Usage(text),
            Refusal::Nobody => Self::failed("no recipients: neither To, nor Cc, nor Bcc names any"),
            Refusal::Data(text) | Refusal::Failed(text) => Self::Failed(text),
            Refusal::Reply(reply) => Self::failed(reply),
            Refusal::Server(error) => error.into(),
            Refusal::Config(failure) => failure,
        }
    }
}

impl Submission {
    /// Reads the message and hands it over. The id is that of the accepted message.
    pub(super) fn submit(self, config: &Path) -> Result<Id, Refusal> {
        if self.recipients.is_empty() && !self.from_header {
            let told = "no recipients: name them, or have them taken from the header with -t";
            return Err(Refusal::Usage(told.to_owned()));
        }
        let settings = site::settings(config).map_err(Refusal::Config)?;
        let mut message = compose::split(compose::read(std::io::stdin().lock(), self.dots)?);
        let sender = match &self.sender {
            Some(text) => addressing::sender(text, &settings).map_err(Refusal::Usage)?,
            None => addressing::sender(&user()?, &settings).map_err(Refusal::Failed)?,
        };
        let mut recipients = self.recipients;
        if self.from_header {
            let values = compose::take_recipients(&mut message.header);
            recipients.extend(values.iter().flat_map(|value| addresses(value)));
        }
        let recipients = addressing::recipients(&recipients, &settings).map_err(Refusal::Data)?;
        if recipients.is_empty() {
            return Err(Refusal::Nobody);
        }
        let octets = completed(message, &sender, self.name.as_deref(), &settings)?;
        let request = Request::Send { sender, recipients, reports: self.reports, octets: octets.len() as u64 };
        // Not sooner: the server does not wait for as long as whoever writes the message may take.
        hand_over(Client::connect(&settings.admin.socket)?, &request, &octets)
    }
}

fn completed(
    mut message: Message,
    sender: &ReversePath,
    name: Option<&str>,
    settings: &Settings,
) -> Result<bytes::Bytes, Refusal> {
    let now = time::now();
    // The process says which of this millisecond's messages it is.
    let unique = format!("{}.{}.mailsluice", now.0, std::process::id());
    let missing = Missing::new(sender, name, now, &unique, settings);
    missing.complete(&mut message.header).map_err(|e| Refusal::Data(e.to_string()))?;
    Ok(message.content().to_bytes()?)
}

fn hand_over(mut client: Client, request: &Request, octets: &[u8]) -> Result<Id, Refusal> {
    let (mut accepted, mut refused) = (None, None);
    let answered = client.ask_with(request, octets, |response| {
        match response {
            Response::Accepted { id } => accepted = Some(id),
            Response::Refused(reply) => refused = Some(reply),
            _ => {}
        }
        Ok::<_, ClientError>(())
    });
    if let Some(reply) = refused {
        return Err(Refusal::Reply(reply));
    }
    answered?;
    accepted.ok_or_else(|| Refusal::Failed("the server has not said that it has the message".to_owned()))
}

fn user() -> Result<String, Refusal> {
    let user = User::from_uid(getuid()).ok().flatten().map(|user| user.name);
    user.ok_or_else(|| Refusal::Failed("this user has no name here: say with -f who sends".to_owned()))
}

/// What the sender wants to hear, as sendmail's options -N, -R and -V say it. The envelope's id is plain text here.
pub(super) fn reports(notify: Option<&str>, ret: Option<&str>, envid: Option<&str>) -> Result<Reports, String> {
    let read = |text: &str, wanted: &str, ok: bool| match ok {
        true => Ok(()),
        false => Err(format!("`{text}` is not understood; {wanted}")),
    };
    let reports = Reports {
        notify: notify.and_then(|text| param::notify(Some(text))),
        ret: ret.and_then(|text| param::ret(Some(text))),
        envid: envid.map(xtext::encode),
    };
    if let Some(text) = notify {
        read(text, "-N takes `never`, or a list of `success`, `failure` and `delay`", reports.notify.is_some())?;
    }
    if let Some(text) = ret {
        read(text, "-R takes `full` or `hdrs`", reports.ret.is_some())?;
    }
    if let (Some(text), Some(envid)) = (envid, &reports.envid) {
        let printable = text.chars().all(|c| c == ' ' || c.is_ascii_graphic());
        let wanted = "-V takes an identifier of printable ASCII, up to 100 characters";
        read(text, wanted, printable && !text.is_empty() && envid.len() <= param::ENVID_MAX)?;
    }
    Ok(reports)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Notify, Ret};

    #[test]
    fn reports_are_asked_for_as_sendmail_does() {
        let asked = reports(Some("success,Delay"), Some("hdrs"), Some("order 7+8")).unwrap();
        assert_eq!(asked.notify, Some(Notify { success: true, failure: false, delay: true }));
        assert_eq!((asked.ret, asked.envid.as_deref()), (Some(Ret::Hdrs), Some("order+207+2B8")));
        assert_eq!(reports(Some("never"), None, None).unwrap().notify, Some(Notify::default()));
        assert_eq!(reports(None, None, None).unwrap(), Reports::default());
        let long = "x".repeat(101);
        for (notify, ret, envid) in [
            (Some("sometimes"), None, None),
            (None, Some("half"), None),
            (None, None, Some("")),
            (None, None, Some("a\nb")),
            (None, None, Some(long.as_str())),
        ] {
            assert!(reports(notify, ret, envid).unwrap_err().contains("is not understood"));
        }
    }
}
