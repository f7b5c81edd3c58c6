//! The options of sendmail, as cron, PHP and mail programs write them: one letter, a value attached or apart, letters combined.
//!
//! Options end at `--` or at the first recipient, as sendmail itself has it: what comes later is never taken for an option, so
//! that an address from outside can't become one.

use std::ffi::OsString;

/// What this name is asked to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Mode {
    /// -bm: take a message.
    #[default]
    Send,
    /// -bp: list the queue.
    Queue,
    /// -bi, -I: read the aliases again.
    Aliases,
    /// -q: run the queue.
    Run,
}

/// The options that do something, and the recipients.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) mode: Mode,
    pub(super) config: Option<OsString>,
    pub(super) sender: Option<String>,
    pub(super) name: Option<String>,
    pub(super) from_header: bool,
    pub(super) ignore_dots: bool,
    pub(super) verbose: bool,
    pub(super) notify: Option<String>,
    pub(super) ret: Option<String>,
    pub(super) envid: Option<String>,
    pub(super) recipients: Vec<String>,
}

/// How an option has its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    None,
    /// Attached, or the next argument.
    Needed,
    /// Attached, or none.
    Attached,
}

/// The options that are known, sendmail's and Postfix's; what does not stand in [`Options::take`] is ignored.
const TABLE: [(Value, &str); 3] =
    [(Value::None, "cGgiImnstUvw"), (Value::Needed, "ABbCeFfhLMNOopRrVX"), (Value::Attached, "dq")];

impl Options {
    /// Reads what follows the program's name. The error is for whoever wrote it.
    pub(super) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Self, String> {
        let mut options = Self::default();
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let text = text(argument)?;
            match text.strip_prefix('-') {
                Some("-") => break,
                Some(letters) if !letters.is_empty() => options.cluster(letters, &mut arguments)?,
                _ => {
                    options.recipients.push(text);
                    break;
                }
            }
        }
        for argument in arguments {
            let text = text(argument)?;
            if text.starts_with('-') {
                return Err(format!("`{text}` stands behind a recipient or `--`; options come first"));
            }
            options.recipients.push(text);
        }
        Ok(options)
    }

    /// Letters behind one dash; the first that has a value takes the rest.
    fn cluster(&mut self, letters: &str, more: &mut impl Iterator<Item = OsString>) -> Result<(), String> {
        let mut rest = letters.chars();
        while let Some(letter) = rest.next() {
            let kind = TABLE.iter().find(|(_, known)| known.contains(letter)).map(|(kind, _)| *kind);
            let attached = Some(rest.as_str()).filter(|value| !value.is_empty());
            let value = match (kind, attached) {
                (None, _) => return Err(format!("there is no option -{letter}")),
                (Some(Value::None), _) => {
                    self.take(letter, OsString::new())?;
                    continue;
                }
                (Some(_), Some(attached)) => OsString::from(attached),
                (Some(Value::Attached), None) => OsString::new(),
                (Some(Value::Needed), None) => more.next().ok_or_else(|| format!("-{letter} needs a value"))?,
            };
            return self.take(letter, value);
        }
        Ok(())
    }

    fn take(&mut self, letter: char, value: OsString) -> Result<(), String> {
        match letter {
            'C' => self.config = Some(value),
            'I' => self.mode = Mode::Aliases,
            'i' => self.ignore_dots = true,
            't' => self.from_header = true,
            'v' => self.verbose = true,
            'q' if self.mode == Mode::Send => self.mode = Mode::Run,
            'F' => self.name = Some(text(value)?),
            'f' | 'r' => self.sender = Some(text(value)?),
            'N' => self.notify = Some(text(value)?),
            'R' => self.ret = Some(text(value)?),
            'V' => self.envid = Some(text(value)?),
            'b' => self.mode = mode(&text(value)?)?,
            'o' => self.ignore_dots |= text(value)? == "i",
            _ => {}
        }
        Ok(())
    }
}

fn mode(value: &str) -> Result<Mode, String> {
    match value {
        "m" => Ok(Mode::Send),
        "p" => Ok(Mode::Queue),
        "i" => Ok(Mode::Aliases),
        "s" => Err("-bs is not supported: speak SMTP to a listener of the server".to_owned()),
        "d" | "D" => Err("-bd is not supported: `mailsluice serve` runs the server".to_owned()),
        other => Err(format!("-b{other} is not supported; -bm, -bp and -bi are")),
    }
}

fn text(argument: OsString) -> Result<String, String> {
    argument.into_string().map_err(|argument| format!("{argument:?} is not UTF-8"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        Options::parse(line.split(' ').filter(|word| !word.is_empty()).map(OsString::from))
    }

    fn to(recipients: &[&str]) -> Vec<String> {
        recipients.iter().map(|&r| r.to_owned()).collect()
    }

    #[test]
    fn as_programs_call_it() {
        let some = |text: &str| Some(text.to_owned());
        for (line, want) in [
            // Cron, in its old and its new form.
            (
                "-FCronDaemon -i -odi -oem -oi -t -f root",
                Options {
                    name: some("CronDaemon"),
                    sender: some("root"),
                    from_header: true,
                    ignore_dots: true,
                    ..Options::default()
                },
            ),
            (
                "-FCronDaemon -i -B8BITMIME -oem root",
                Options {
                    name: some("CronDaemon"),
                    ignore_dots: true,
                    recipients: to(&["root"]),
                    ..Options::default()
                },
            ),
            // PHP's mail() with a fifth argument.
            (
                "-t -i -fwww@example.com",
                Options { from_header: true, ignore_dots: true, sender: some("www@example.com"), ..Options::default() },
            ),
            ("-ti", Options { from_header: true, ignore_dots: true, ..Options::default() }),
            // Mutt, with reports.
            (
                "-oem -oi -N failure,delay -R hdrs -- bob@example.com",
                Options {
                    ignore_dots: true,
                    notify: some("failure,delay"),
                    ret: some("hdrs"),
                    recipients: to(&["bob@example.com"]),
                    ..Options::default()
                },
            ),
            (
                "-bm -G -n -h 5 -v -V x -r a -O ErrorMode=m -em b",
                Options {
                    verbose: true,
                    envid: some("x"),
                    sender: some("a"),
                    recipients: to(&["b"]),
                    ..Options::default()
                },
            ),
            ("-f <> a b", Options { sender: some("<>"), recipients: to(&["a", "b"]), ..Options::default() }),
            ("-bp", Options { mode: Mode::Queue, ..Options::default() }),
            ("-I", Options { mode: Mode::Aliases, ..Options::default() }),
            ("-q30m", Options { mode: Mode::Run, ..Options::default() }),
            ("-C /x -d8.1 a", Options { config: Some("/x".into()), recipients: to(&["a"]), ..Options::default() }),
        ] {
            assert_eq!(parse(line), Ok(want), "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense() {
        for (line, told) in [
            ("-bs", "-bs is not supported"),
            ("-bd", "`mailsluice serve` runs the server"),
            ("-bv a", "-bv is not supported"),
            ("-Z", "there is no option -Z"),
            ("-f", "-f needs a value"),
            ("--help", "options come first"),
            ("a -C/tmp/other", "options come first"),
            ("-- -f", "options come first"),
        ] {
            let error = if line == "--help" { parse("a --help") } else { parse(line) }.unwrap_err();
            assert!(error.contains(told), "{line}: {error}");
        }
    }
}
