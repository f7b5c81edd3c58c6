//! A new password: from the terminal without showing it, or from standard input.

use crate::cli::out::Failure;
use crate::sasl::{Hidden, PASSWORD_MAX, prep};
use nix::sys::termios::{LocalFlags, SetArg, Termios, tcgetattr, tcsetattr};
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};

/// The first line of standard input.
pub(super) fn from_stdin() -> Result<Hidden, Failure> {
    let mut line = String::new();
    io::stdin().lock().take(PASSWORD_MAX as u64 + 3).read_line(&mut line)?;
    prepared(&Hidden::new(line))
}

/// Asks twice at the terminal, whatever standard input is.
pub(super) fn from_terminal(name: &str) -> Result<Hidden, Failure> {
    let terminal = File::options().read(true).write(true).open("/dev/tty");
    let terminal = terminal.map_err(|_| {
        Failure::Failed(
            "there is no terminal to ask at\n  give the password by standard input with `--stdin`".to_owned(),
        )
    })?;
    let quiet = Quiet::new(&terminal)?;
    let first = ask(&terminal, &format!("Password of {name}: "))?;
    let second = ask(&terminal, "Once more: ")?;
    drop(quiet);
    if first != second {
        return Err(Failure::Failed("the two are not the same; nothing was changed".to_owned()));
    }
    prepared(&first)
}

fn ask(mut terminal: &File, prompt: &str) -> Result<Hidden, Failure> {
    terminal.write_all(prompt.as_bytes())?;
    let mut line = String::new();
    BufReader::with_capacity(1, terminal.take(PASSWORD_MAX as u64 + 3)).read_line(&mut line)?;
    terminal.write_all(b"\n")?;
    Ok(Hidden::new(line))
}

/// Without its line end, and as it is compared.
fn prepared(line: &Hidden) -> Result<Hidden, Failure> {
    let line = line.expose();
    let line = line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line));
    if line.is_empty() {
        return Err(Failure::Failed("the password is empty".to_owned()));
    }
    let prepared = prep::password(line).ok_or_else(|| {
        Failure::Failed(
            "the password has control characters, or more than 1024 octets: no client could send it".to_owned(),
        )
    })?;
    Ok(Hidden::new(prepared))
}

/// A terminal that shows nothing of what is typed, for as long as this lives.
struct Quiet<'a> {
    terminal: &'a File,
    before: Termios,
}

impl<'a> Quiet<'a> {
    fn new(terminal: &'a File) -> io::Result<Self> {
        let before = tcgetattr(terminal)?;
        let mut quiet = before.clone();
        quiet.local_flags.remove(LocalFlags::ECHO);
        tcsetattr(terminal, SetArg::TCSAFLUSH, &quiet)?;
        Ok(Self { terminal, before })
    }
}

impl Drop for Quiet<'_> {
    fn drop(&mut self) {
        // Nobody is left to be told if this can't be done.
        let _ = tcsetattr(self.terminal, SetArg::TCSAFLUSH, &self.before);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_end_is_no_part_of_it() {
        for (line, want) in [("x y \n", Some("x y ")), ("x\r\n", Some("x")), ("\n", None), ("a\u{7}\n", None)] {
            let got = prepared(&Hidden::new(line)).ok();
            assert_eq!(got.as_ref().map(Hidden::expose), want, "{line:?}");
        }
    }
}
