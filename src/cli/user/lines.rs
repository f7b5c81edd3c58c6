//! Changes to the text of the user file that leave every other line as it is.

use crate::accounts::account::Account;
use crate::accounts::read;
use crate::accounts::table::fold;

/// A line for a new user, behind the others.
pub(super) fn add(text: &str, name: &str, credentials: &str, senders: &[String]) -> Result<String, String> {
    if place(text, name).is_some() {
        return Err(format!("there is a user `{name}` already; `mailsluice user passwd` gives him another password"));
    }
    let senders = if senders.is_empty() { String::new() } else { format!(":{}", senders.join(",")) };
    let line = format!("{name}:{credentials}{senders}");
    checked(&line)?;
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
    Ok(format!("{text}{end}{line}\n"))
}

/// Without the user's line.
pub(super) fn remove(text: &str, name: &str) -> Result<String, String> {
    let (start, line) = place(text, name).ok_or_else(|| unknown(name))?;
    Ok(format!("{}{}", &text[..start], &text[start + line.len()..]))
}

/// With other credentials that come from a password; certificates, `!` and senders stay.
pub(super) fn passwd(text: &str, name: &str, credentials: &str) -> Result<String, String> {
    let (start, line) = place(text, name).ok_or_else(|| unknown(name))?;
    let body = line.trim_end_matches(['\r', '\n']);
    let mut fields = body.splitn(3, ':');
    let (name, old, senders) = (fields.next().unwrap_or(body), fields.next().unwrap_or(""), fields.next());
    let kept = old.split_ascii_whitespace().filter(|word| *word == "!" || word.starts_with(read::CERT));
    let words: Vec<&str> = std::iter::once(credentials).chain(kept).collect();
    let senders = senders.map(|list| format!(":{list}")).unwrap_or_default();
    let fresh = format!("{name}:{}{senders}", words.join(" "));
    checked(&fresh)?;
    Ok(format!("{}{fresh}{}{}", &text[..start], &line[body.len()..], &text[start + line.len()..]))
}

/// The user of a name.
pub(super) fn find(text: &str, name: &str) -> Result<Account, String> {
    let (_, line) = place(text, name).ok_or_else(|| unknown(name))?;
    match read::entry(line.trim_end_matches(['\r', '\n'])) {
        Some(Ok(account)) => Ok(account),
        Some(Err(fault)) => Err(format!("the line of `{name}` can't be used: {}", fault.message)),
        None => Err(unknown(name)),
    }
}

fn unknown(name: &str) -> String {
    format!("there is no user `{name}`; `mailsluice user list` shows them")
}

/// Where the user's line begins, and the line with its end.
fn place<'a>(text: &'a str, name: &str) -> Option<(usize, &'a str)> {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let named = line.split_once(':').filter(|_| !line.starts_with('#'));
        if named.is_some_and(|(found, _)| fold(found) == fold(name)) {
            return Some((start, line));
        }
        start += line.len();
    }
    None
}

/// Whether the server will be able to use the line.
fn checked(line: &str) -> Result<(), String> {
    match read::entry(line) {
        Some(Err(fault)) => Err(format!("{}\n  {}", fault.message, fault.help)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA: &str = "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5";
    const FILE: &str = "# staff\r\nalice:!:a@b\r\n\nbob:!\n# the end";

    #[test]
    fn every_other_line_stays_as_it_is() {
        let added = add(FILE, "carol", SHA, &["c@b".to_owned(), "@d".to_owned()]).unwrap();
        assert_eq!(added, format!("{FILE}\ncarol:{SHA}:c@b,@d\n"));
        assert_eq!(remove(FILE, "BOB").unwrap(), "# staff\r\nalice:!:a@b\r\n\n# the end");
        let changed = passwd(FILE, "Alice", SHA).unwrap();
        assert_eq!(changed, format!("# staff\r\nalice:{SHA} !:a@b\r\n\nbob:!\n# the end"));
        let again = passwd(&changed, "alice", SHA).unwrap();
        assert_eq!(again, changed, "the old password goes");
        assert_eq!(add("", "a", "!", &[]).unwrap(), "a:!\n");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(add(FILE, "ALICE", "!", &[]).is_err());
        assert!(add(FILE, "d", "!", &["no address".to_owned()]).is_err());
        assert!(remove(FILE, "nobody").is_err() && passwd(FILE, "# staff", SHA).is_err());
        assert!(find("x:y\n", "x").is_err() && find(FILE, "bob").is_ok());
    }
}
