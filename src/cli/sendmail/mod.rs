//! The names `sendmail`, `mailq` and `newaliases`, under which programs of this machine look for a mail server.
//!
//! A link of such a name to this program is all that is needed. The configuration is found as for every verb: `MAILSLUICE_CONFIG`,
//! or the usual places; `-C FILE` goes before both. Nothing is printed when all is well, and exit codes are those of sysexits.h.

mod exit;
mod options;

use super::out::{Failure, Outcome, complain, note};
use super::submit::{self, Refusal, Submission};
use super::{queue, site};
use options::{Mode, Options};
use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// The names that are more than another spelling of `mailsluice`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    Sendmail,
    Mailq,
    Newaliases,
}

impl Name {
    /// By the first argument of a process.
    pub(super) fn of(program: &OsString) -> Option<Self> {
        match Path::new(program).file_name()?.to_str()? {
            "sendmail" => Some(Self::Sendmail),
            "mailq" => Some(Self::Mailq),
            "newaliases" => Some(Self::Newaliases),
            _ => None,
        }
    }
}

/// Does what the name says. `arguments` are those behind it.
pub(super) fn run(name: Name, arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let options = match Options::parse(arguments) {
        Ok(options) => options,
        Err(text) => return failed(exit::USAGE, Failure::Usage(text)),
    };
    let config = |options: &Options| site::config(options.config.as_deref().map(Path::new));
    let mode = match name {
        Name::Sendmail => options.mode,
        Name::Mailq => Mode::Queue,
        Name::Newaliases => Mode::Aliases,
    };
    match mode {
        Mode::Send => sent(send(options)),
        // Some call `sendmail -q -t`, which takes a message all the same.
        Mode::Run if options.from_header || !options.recipients.is_empty() => sent(send(options)),
        Mode::Run => told("nothing to do: the server runs its queue by itself"),
        Mode::Queue => done(config(&options).and_then(|config| queue::list_all(&config))),
        Mode::Aliases => told("nothing to do: the server reads its files again by itself when they change"),
    }
}

fn send(options: Options) -> Result<(), Refusal> {
    let reports = submit::reports(options.notify.as_deref(), options.ret.as_deref(), options.envid.as_deref());
    let config = site::config(options.config.as_deref().map(Path::new)).map_err(Refusal::Config)?;
    let submission = Submission {
        sender: options.sender,
        name: options.name,
        recipients: options.recipients,
        from_header: options.from_header,
        dots: !options.ignore_dots,
        reports: reports.map_err(Refusal::Usage)?,
    };
    let id = submission.submit(&config)?;
    if options.verbose {
        note(&format!("{id} accepted"));
    }
    Ok(())
}

fn sent(result: Result<(), Refusal>) -> ExitCode {
    result.map_or_else(|refusal| failed(exit::of_refusal(&refusal), refusal.into()), |()| ExitCode::SUCCESS)
}

fn done(outcome: Outcome) -> ExitCode {
    outcome.map_or_else(|failure| failed(exit::of_failure(&failure), failure), |()| ExitCode::SUCCESS)
}

fn failed(code: u8, failure: Failure) -> ExitCode {
    if let Failure::Failed(text) | Failure::Usage(text) = failure {
        complain(&text);
    }
    ExitCode::from(code)
}

fn told(text: &str) -> ExitCode {
    note(text);
    ExitCode::SUCCESS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_file_s_own_name_counts() {
        for (program, name) in [
            ("/usr/sbin/sendmail", Some(Name::Sendmail)),
            ("mailq", Some(Name::Mailq)),
            ("./newaliases", Some(Name::Newaliases)),
            ("/opt/sendmail/mailsluice", None),
            ("sendmail.bak", None),
            ("", None),
        ] {
            assert_eq!(Name::of(&program.into()), name, "{program}");
        }
    }
}
