//! The user file: one user per line.
//!
//! ```text
//! # name:credential[ credential…][:sender,sender…]
//! alice@example.com:$argon2id$v=19$m=19456,t=2,p=1$…$…
//! bob:$6$…$… {SCRAM-SHA-256}100000,…,…,…:bob@example.com,*@sales.example.com
//! printer:{CERT}9f86d0…:printer@example.com
//! carol:!
//! ```
//!
//! A line whose first character is `#` is a comment. The prefixes that Dovecot's `doveadm pw` writes before a hash are understood.

use super::account::Account;
use super::hash::Hash;
use super::table::Accounts;
use crate::mail::Glob;
use crate::sasl::scram::Keys;
use crate::sasl::{NAME_MAX, prep};
use std::ops::Range;

/// A line that can't be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The part of the text.
    pub range: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: &'static str,
}

const FORM: &str = "a line is `name:credentials` or `name:credentials:senders`; `mailsluice user add NAME` writes it";
const RENEW: &str = "`mailsluice user passwd NAME` writes a new one";
/// What stands before a hash in the files of others.
const SCHEMES: [&str; 5] = ["{ARGON2ID}", "{BLF-CRYPT}", "{SHA256-CRYPT}", "{SHA512-CRYPT}", "{CRYPT}"];
/// What stands before SCRAM keys.
pub const SCRAM: &str = "{SCRAM-SHA-256}";
/// What stands before the fingerprint of a certificate.
pub const CERT: &str = "{CERT}";
/// The most senders of a user.
const SENDERS_MAX: usize = 1000;

/// Reads a file line by line.
#[derive(Default)]
pub struct Reader {
    /// The users so far.
    pub accounts: Accounts,
}

impl Reader {
    /// Takes a line, without its end. The fault's range is within it, as text.
    pub fn line(&mut self, line: &[u8]) -> Option<Fault> {
        let line = match std::str::from_utf8(line) {
            Ok(line) => line,
            Err(wrong) => {
                let at = wrong.valid_up_to();
                let message = "the file is not valid UTF-8".to_owned();
                return Some(Fault { range: at..at + 1, message, help: "save the file as UTF-8" });
            }
        };
        match entry(line)? {
            Err(fault) => Some(fault),
            Ok(account) => {
                let name = account.name.clone();
                let taken = !self.accounts.add(account);
                taken.then(|| Fault {
                    range: 0..line.find(':').unwrap_or(line.len()),
                    message: format!("there is a user `{name}` already"),
                    help: "remove one of the lines; upper and lower case make no difference",
                })
            }
        }
    }
}

/// Reads a whole file, and counts the lines that can't be used.
pub fn read(text: &str) -> (Accounts, usize) {
    let mut reader = Reader::default();
    let wrong = text.lines().filter(|line| reader.line(line.as_bytes()).is_some()).count();
    (reader.accounts, wrong)
}

/// One line, without its end. Nothing for comments and empty lines. The fault's range is within the line.
pub fn entry(line: &str) -> Option<Result<Account, Fault>> {
    let nothing = line.trim().is_empty() || line.starts_with('#');
    (!nothing).then(|| parse(line))
}

fn parse(line: &str) -> Result<Account, Fault> {
    let fault = |part: &str, message: String, help| {
        let start = part.as_ptr() as usize - line.as_ptr() as usize;
        Fault { range: start..start + part.len(), message, help }
    };
    let mut fields = line.split(':');
    let (Some(name), Some(credentials)) = (fields.next(), fields.next()) else {
        return Err(fault(line, "the line has no `:`".to_owned(), FORM));
    };
    let senders = fields.next();
    if let Some(more) = fields.next() {
        let help = "remove the rest: of Dovecot's passwd-file only name and password have a meaning here";
        return Err(fault(more, "the line has more than three fields".to_owned(), help));
    }
    if let Err(why) = check_name(name) {
        return Err(fault(
            name,
            why.to_owned(),
            "use another name; an address such as alice@example.com is a good one",
        ));
    }
    let mut account = Account::new(name);
    for word in credentials.split_ascii_whitespace() {
        credential(&mut account, word).map_err(|(message, help)| fault(word, message, help))?;
    }
    if account.hash.is_none() && account.keys.is_none() && account.certificates.is_empty() && !account.disabled {
        return Err(fault(
            name,
            format!("the user `{name}` has no credential"),
            "write `!` for a user who may not come in",
        ));
    }
    if let Some(list) = senders.filter(|list| !list.trim().is_empty()) {
        let mut globs = Vec::new();
        for word in list.split(',').map(str::trim) {
            globs.push(sender(word).map_err(|(message, help)| fault(word, message, help))?);
        }
        if globs.len() > SENDERS_MAX {
            return Err(fault(list, "the user has over 1000 senders".to_owned(), "use patterns such as *@example.com"));
        }
        account.senders = Some(globs);
    }
    Ok(account)
}

/// Whether a user may be called so: the name is one that a client could send.
pub fn check_name(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("the name of the user is empty");
    }
    if name.len() > NAME_MAX {
        return Err("the name of the user is longer than 255 octets");
    }
    if name.trim() != name || name.starts_with('#') || name.contains(':') {
        return Err("the name of a user has no `:`, no space at its ends and no `#` at its start");
    }
    match prep::name(name) {
        Some(prepared) if prepared == name => Ok(()),
        _ => Err("the name of the user has characters that no client can send (RFC 4013)"),
    }
}

type Wrong = (String, &'static str);

fn credential(account: &mut Account, word: &str) -> Result<(), Wrong> {
    let twice = |what: &str| (format!("the user has {what} already"), "remove one of them");
    if word == "!" {
        account.disabled = true;
        return Ok(());
    }
    if let Some(keys) = word.strip_prefix(SCRAM) {
        let keys = Keys::parse(keys).map_err(|why| (why.to_owned(), RENEW))?;
        let before = account.keys.replace(Box::new(keys));
        return before.map_or(Ok(()), |_| Err(twice("SCRAM keys")));
    }
    if let Some(print) = word.strip_prefix(CERT) {
        let plain: String = print.chars().filter(|c| *c != '-').collect::<String>().to_ascii_lowercase();
        if plain.len() != 64 || !plain.bytes().all(|b| b.is_ascii_hexdigit()) {
            let help = "`openssl x509 -noout -fingerprint -sha256 -in FILE` prints it; leave out the colons";
            return Err(("the fingerprint of a certificate has 64 hexadecimal digits".to_owned(), help));
        }
        account.certificates.push(plain.into());
        return Ok(());
    }
    let scheme = SCHEMES.iter().find(|scheme| word.len() > scheme.len() && word.starts_with(**scheme));
    let text = scheme.map_or(word, |scheme| &word[scheme.len()..]);
    if let Some((scheme, _)) = text.split_once('}').filter(|_| text.starts_with('{')) {
        return Err((format!("passwords of the scheme `{scheme}}}` are not supported"), RENEW));
    }
    let hash = Hash::parse(text).map_err(|why| (why, RENEW))?;
    let before = account.hash.replace(hash);
    before.map_or(Ok(()), |_| Err(twice("a password")))
}

/// A sender: an address, or a pattern of one. `@domain` is everybody there.
fn sender(word: &str) -> Result<Glob, Wrong> {
    let help = "write an address, `@example.com`, or a pattern such as *@example.com; `<>` is always allowed";
    let pattern = if word.starts_with('@') { format!("*{word}") } else { word.to_owned() };
    let fits = pattern == "*"
        || pattern.rsplit_once('@').is_some_and(|(local, domain)| !local.is_empty() && !domain.is_empty());
    if !fits || pattern.contains(char::is_whitespace) || pattern.contains(char::is_control) {
        return Err((format!("`{word}` is no sender address"), help));
    }
    Ok(Glob::new(&pattern))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5";

    /// With the faults' places in the whole text.
    fn all(text: &str) -> (Accounts, Vec<Fault>) {
        let (mut reader, mut faults, mut start) = (Reader::default(), Vec::new(), 0);
        for whole in text.split_inclusive('\n') {
            let line = whole.trim_end_matches(['\n', '\r']);
            if let Some(Fault { range, message, help }) = reader.line(line.as_bytes()) {
                faults.push(Fault { range: start + range.start..start + range.end, message, help });
            }
            start += whole.len();
        }
        (reader.accounts, faults)
    }

    #[test]
    fn a_file() {
        let keys = Keys::of_password("x", b"salt", 4096);
        let print = "ab".repeat(32);
        let text = format!(
            "# users\r\n\nalice@example.com:{SHA}\nBob:{{SHA256-CRYPT}}{SHA} {{SCRAM-SHA-256}}{keys}:bob@example.com, @b.example\r\nprinter:{{CERT}}{print}:\ncarol:!"
        );
        let (accounts, faults) = all(&text);
        assert_eq!(faults, []);
        assert_eq!(accounts.len(), 4);
        let bob = accounts.find("bob").unwrap();
        assert_eq!((&*bob.name, bob.keys.as_deref()), ("Bob", Some(&keys)));
        let senders: Vec<&str> = bob.senders.iter().flatten().map(Glob::as_str).collect();
        assert_eq!(senders, ["bob@example.com", "*@b.example"]);
        assert_eq!(accounts.find("printer").unwrap().certificates, [print.into()]);
        assert!(accounts.find("carol").unwrap().disabled);
    }

    #[test]
    fn each_fault_has_its_place() {
        for (line, place) in [
            ("alice", "alice"),
            ("alice:", "alice"),
            ("alice:secret", "secret"),
            (":$x", ""),
            (&format!("alice:{SHA}:alice"), "alice"),
            (&format!("alice:{SHA}:a@b:c"), "c"),
            (&format!("alice:{SHA} {SHA}"), SHA),
            ("alice:{PLAIN}x", "{PLAIN}x"),
            ("alice:{SCRAM-SHA-256}1", "{SCRAM-SHA-256}1"),
            ("alice:{CERT}12", "{CERT}12"),
            ("al\u{ad}ice:!", "al\u{ad}ice"),
        ] {
            let text = format!("# x\n{line}\n");
            let (_, faults) = all(&text);
            assert_eq!(faults.len(), 1, "{line}");
            assert_eq!(&text[faults[0].range.clone()], place, "{line}");
        }
        let (accounts, faults) = all("a:!\nA:!\n");
        assert_eq!((accounts.len(), faults[0].range.clone()), (1, 4..5));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,80}", line in "[a:$,{}!@*# ]{0,40}") {
            all(&text);
            all(&line);
        }
    }
}
