//! `mailsluice send`: submits standard input, sendmail-fashion.

use super::out::{Failure, Out, Outcome};
use super::submit::{self, Submission};
use clap::Args;
use std::io::Write;
use std::path::Path;

/// What to send.
#[derive(Args, Debug)]
#[command(after_help = "\
Line ends become CRLF. From, Date and Message-ID are added where they are missing. An address without a
domain gets the first of `domains.local`. The id of the accepted message is printed; a refusal is told on
standard error and is exit code 1. Other options of sendmail that programs use are taken and do nothing.
Under the name `sendmail` this program takes all of them, and ends with the exit codes of sysexits.h.

Examples:
  printf 'Subject: hi\\n\\nhello\\n' | mailsluice send -f alice@example.com bob@example.com
  mailsluice send -t -i < message.eml")]
pub(super) struct Send {
    /// The envelope sender; '' or '<>' is the null sender [default: the user's name here]
    #[arg(short = 'f', long = "from", short_alias = 'r', value_name = "SENDER")]
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
    /// What to report: 'never', or a list of 'success', 'failure' and 'delay'
    #[arg(short = 'N', long = "notify", value_name = "WHEN")]
    notify: Option<String>,
    /// What a report brings back: 'full' or 'hdrs'
    #[arg(short = 'R', long = "return", value_name = "PART")]
    ret: Option<String>,
    /// An identifier of one's own, which reports repeat
    #[arg(short = 'V', long = "envelope-id", value_name = "ENVID")]
    envid: Option<String>,
    /// The body's type, which is looked at instead
    #[arg(short = 'B', value_name = "TYPE", hide = true)]
    _body: Option<String>,
    /// Options of sendmail: -oi is -i, others are ignored
    #[arg(short = 'o', value_name = "OPTION", hide = true)]
    options: Vec<String>,
    /// Options of sendmail that have a value and are ignored
    #[arg(short = 'O', short_aliases = ['b', 'e', 'L', 'p', 'X'], value_name = "OPTION", hide = true)]
    _ignored: Vec<String>,
    /// Options of sendmail that are ignored
    #[arg(short = 'v', short_aliases = ['G', 'm', 'n', 'U'], action = clap::ArgAction::Count, hide = true)]
    _flags: u8,
    /// Recipients
    #[arg(value_name = "RCPT", required_unless_present = "to_header")]
    recipients: Vec<String>,
}

impl Send {
    pub(super) fn run(self, config: &Path) -> Outcome {
        let reports = submit::reports(self.notify.as_deref(), self.ret.as_deref(), self.envid.as_deref());
        let submission = Submission {
            sender: self.from,
            name: self.name,
            recipients: self.recipients,
            from_header: self.to_header,
            dots: !self.ignore_dots && !self.options.iter().any(|option| option == "i"),
            reports: reports.map_err(Failure::Usage)?,
        };
        let id = submission.submit(config).map_err(Failure::from)?;
        let mut out = Out::new();
        writeln!(out, "{id}")?;
        out.end()
    }
}
