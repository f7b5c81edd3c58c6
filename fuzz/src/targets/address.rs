//! Addresses: what is one is kept as written, within its lengths, and nothing in it could pass for the end of a path or
//! line. The form to compare by is stable and has nothing that parts names.
//!
//! An input is the text.

use mailsluice::mail::address::{LOCAL_MAX, PATH_MAX};
use mailsluice::mail::domain::{self, DOMAIN_MAX};
use mailsluice::mail::{Domain, ForwardPath, Host, Mailbox, ReversePath};

pub(super) fn address(data: &[u8]) {
    if let Ok((mailbox, rest)) = Mailbox::parse_prefix(data) {
        assert_eq!([mailbox.as_str().as_bytes(), rest].concat(), data, "the parts are not the whole");
        assert!(rest.is_empty() || rest.starts_with(b">") || rest.starts_with(b" ") || mailbox.domain().ends_with(']'));
        check(&mailbox);
    }
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Ok(mailbox) = Mailbox::parse(text) {
        assert_eq!(mailbox.as_str(), text);
        check(&mailbox);
    }
    if let Ok(path) = ReversePath::parse(text) {
        assert_eq!(ReversePath::parse(&path.to_string()).as_ref(), Ok(&path));
        path.mailbox().into_iter().for_each(check);
    }
    if let Ok(path) = ForwardPath::parse(text) {
        assert_eq!(ForwardPath::parse(&path.to_string()).as_ref(), Ok(&path));
        path.mailbox().into_iter().for_each(check);
    }
    if let Ok(domain) = Domain::parse(text) {
        assert_eq!(domain.as_str(), text);
        check_domain(text);
    }
}

fn check(mailbox: &Mailbox) {
    assert_eq!(Mailbox::parse(&mailbox.to_string()).as_ref(), Ok(mailbox));
    assert_eq!(format!("{}@{}", mailbox.local(), mailbox.domain()), mailbox.as_str());
    assert!((1..=LOCAL_MAX).contains(&mailbox.local().len()));
    assert!(mailbox.as_str().len() <= LOCAL_MAX + 1 + DOMAIN_MAX);
    assert!(!mailbox.as_str().contains(char::is_control), "{mailbox:?}");
    assert!(!mailbox.local_unquoted().contains(char::is_control), "{mailbox:?}");
    assert_eq!(mailbox.domain_key(), domain::key(mailbox.domain()));
    // A path can be parsed out of a command, whatever the quotes hold.
    let path = format!("{}> SIZE=1", mailbox.as_str());
    if path.len() <= PATH_MAX {
        let (again, rest) = Mailbox::parse_prefix(path.as_bytes()).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        assert_eq!((again.as_str(), rest), (mailbox.as_str(), &b"> SIZE=1"[..]));
    }
    check_domain(mailbox.domain());
}

fn check_domain(text: &str) {
    assert!((1..=DOMAIN_MAX).contains(&text.len()));
    let key = domain::key(text);
    assert_eq!(domain::key(&key), key, "the key of {text:?} is not stable");
    if text.is_ascii() {
        assert_eq!(key, text.to_ascii_lowercase());
    }
    let parts = |c: char| c.is_control() || c.is_whitespace() || "@<>/\\\"".contains(c);
    match Domain::parse(text).as_ref().map(Domain::host) {
        Ok(Host::Name(name)) => {
            assert!(!key.contains(parts), "{name:?} has the key {key:?}");
            assert_eq!(key.split('.').count(), name.split('.').count(), "{name:?} has the key {key:?}");
        }
        Ok(Host::Address(_) | Host::General(_)) => assert!(!key.contains(char::is_control)),
        Err(error) => panic!("{text:?}: {error}"),
    }
}
