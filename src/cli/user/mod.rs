//! `mailsluice user`: who may log in, in the user file.

mod lines;
mod password;

use super::out::{Failure, Out, Outcome, note, printable};
use super::site;
use super::table::Table;
use crate::accounts::account::Account;
use crate::accounts::hash::{Hash, Kind, random};
use crate::accounts::read;
use crate::config::Settings;
use crate::manifest::edit;
use crate::sasl::Hidden;
use crate::sasl::scram::Keys;
use clap::{Args, Subcommand, ValueEnum};
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Rounds of new SCRAM keys: a tenth of a second or less for a client.
const ITERATIONS: u32 = 100_000;

/// The users of the user file, which `users` of `[auth]` names.
#[derive(Subcommand, Debug)]
pub(super) enum User {
    /// Add a user
    Add(Add),
    /// Remove a user
    Remove(Named),
    /// Give a user another password
    Passwd(Passwd),
    /// List the users
    List(List),
}

/// A new user.
#[derive(Args, Debug)]
#[command(after_help = "\
The password is asked for at the terminal. The file is written anew, with its comments and its order.

Examples:
  mailsluice user add alice@example.com
  mailsluice user add printer --sender printer@example.com --stdin < secret
  mailsluice user add sales --sender sales@example.com --sender '*@sales.example.com'")]
pub(super) struct Add {
    /// What the user calls himself; upper and lower case make no difference
    #[arg(value_name = "NAME")]
    name: String,
    /// A sender address that he may use, or a pattern; may be given again [default: his name, if that is an address]
    #[arg(long, value_name = "ADDRESS")]
    sender: Vec<String>,
    #[command(flatten)]
    how: How,
}

/// How to take a password, and what to keep of it.
#[derive(Args, Debug)]
pub(super) struct How {
    /// Read the password from standard input, to its first line end
    #[arg(long)]
    stdin: bool,
    /// How to hash it
    #[arg(long, value_enum, default_value = "argon2id")]
    hash: HashName,
    /// Keep no keys for SCRAM: the user can then log in by PLAIN and LOGIN only
    #[arg(long)]
    no_scram: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum HashName {
    Argon2id,
    Bcrypt,
    #[value(name = "sha256-crypt")]
    Sha256Crypt,
    #[value(name = "sha512-crypt")]
    Sha512Crypt,
}

/// A user by his name.
#[derive(Args, Debug)]
pub(super) struct Named {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
}

/// Another password.
#[derive(Args, Debug)]
pub(super) struct Passwd {
    /// The user
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    how: How,
}

/// All users.
#[derive(Args, Debug)]
pub(super) struct List {
    /// One line of JSON for each
    #[arg(long)]
    json: bool,
}

impl User {
    pub(super) fn run(self, config: &Path) -> Outcome {
        let file = UserFile::open(config)?;
        match self {
            Self::Add(add) => add.run(file),
            Self::Remove(named) => file.change(|text| lines::remove(text, &named.name)),
            Self::Passwd(passwd) => passwd.run(file),
            Self::List(list) => list.run(&file),
        }
    }
}

impl Add {
    fn run(self, file: UserFile) -> Outcome {
        read::check_name(&self.name).map_err(Failure::failed)?;
        // Before anybody types a password.
        lines::add(&file.text, &self.name, "!", &self.sender).map_err(Failure::Failed)?;
        let credentials = self.how.credentials(&self.name)?;
        file.change(|text| lines::add(text, &self.name, &credentials, &self.sender))
    }
}

impl Passwd {
    fn run(self, file: UserFile) -> Outcome {
        let account = lines::find(&file.text, &self.name).map_err(Failure::Failed)?;
        if account.disabled {
            note("the user may not come in at present: `!` stands in his line, and stays there");
        }
        let credentials = self.how.credentials(&account.name)?;
        file.change(|text| lines::passwd(text, &self.name, &credentials))
    }
}

impl How {
    /// Asks for the password; what the line is to have of it.
    fn credentials(&self, name: &str) -> Result<String, Failure> {
        let password = if self.stdin { password::from_stdin()? } else { password::from_terminal(name)? };
        self.keep(&password).map_err(Failure::Failed)
    }

    fn keep(&self, password: &Hidden) -> Result<String, String> {
        let kind = match self.hash {
            HashName::Argon2id => Kind::Argon2id,
            HashName::Bcrypt => Kind::Bcrypt,
            HashName::Sha256Crypt => Kind::Sha256Crypt,
            HashName::Sha512Crypt => Kind::Sha512Crypt,
        };
        let hash = Hash::of_password(password.expose(), kind)?;
        if self.no_scram {
            return Ok(hash.as_str().to_owned());
        }
        let salt: [u8; 16] = random()?;
        let keys = Keys::of_password(password.expose(), &salt, ITERATIONS);
        Ok(format!("{} {}{keys}", hash.as_str(), read::SCRAM))
    }
}

impl List {
    fn run(self, file: &UserFile) -> Outcome {
        let (accounts, wrong) = read::read(&file.text);
        let mut out = Out::new();
        if self.json {
            for account in accounts.iter() {
                out.json(&serde_json::json!({
                    "name": &*account.name,
                    "credentials": credentials(account),
                    "senders": account.senders.as_ref().map(|list| list.iter().map(|g| g.as_str()).collect::<Vec<_>>()),
                }))?;
            }
        } else {
            let mut table = Table::with_head(&["NAME", "LOGS IN BY", "SENDERS"]);
            for account in accounts.iter() {
                let senders = account.senders.iter().flatten().map(|g| g.as_str()).collect::<Vec<_>>().join(", ");
                table.row([printable(&account.name), credentials(account).join(", "), printable(&senders)]);
            }
            table.print(&mut out)?;
        }
        out.end()?;
        if wrong > 0 {
            return Err(Failure::Failed(format!("{wrong} lines can't be used; `mailsluice check` says which")));
        }
        Ok(())
    }
}

/// What a user can show.
fn credentials(account: &Account) -> Vec<&'static str> {
    let disabled = account.disabled.then_some("nothing: disabled");
    let hash = account.hash.as_ref().map(|hash| hash.kind().as_str());
    let keys = account.keys.as_ref().map(|_| "SCRAM");
    let certificates = (!account.certificates.is_empty()).then_some("certificate");
    disabled.into_iter().chain(hash).chain(keys).chain(certificates).collect()
}

/// The user file as it is.
struct UserFile {
    settings: Settings,
    path: PathBuf,
    text: String,
}

impl UserFile {
    fn open(config: &Path) -> Result<Self, Failure> {
        let settings = site::settings(config)?;
        let Some(path) = settings.auth.users_file.clone() else {
            return Err(Failure::Failed(
                "the configuration names no user file\n  add `[auth]` with `users = \"users\"` to it".to_owned(),
            ));
        };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Failure::Failed(format!("cannot read `{}`: {error}", path.display()))),
        };
        Ok(Self { settings, path, text })
    }

    /// Writes the file anew, if the change makes sense. The one before is gone only when the new one is on disk.
    fn change(self, edit: impl FnOnce(&str) -> Result<String, String>) -> Outcome {
        let after = edit(&self.text).map_err(Failure::Failed)?;
        let written = self.make().and_then(|()| edit::replace(&self.path, Some(&self.text), &after));
        written.map_err(|error| Failure::Failed(format!("cannot write `{}`: {error}", self.path.display())))?;
        let mut out = Out::new();
        writeln!(out, "written: {}", self.path.display())?;
        out.end()?;
        site::tell_server(&self.settings)
    }

    /// A file that is not there is made for its owner alone.
    fn make(&self) -> io::Result<()> {
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            other => other.map(drop),
        }
    }
}
