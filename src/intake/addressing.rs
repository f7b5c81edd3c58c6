//! Addresses as programs of this machine write them, made into paths.
//!
//! An address without a domain gets the first of `domains.local`, and what can't be read is told, never dropped.

use crate::config::Settings;
use crate::mail::{ForwardPath, ReversePath};

/// The sender; nothing and `<>` are the null path. The error is for whoever wrote it.
pub fn sender(text: &str, settings: &Settings) -> Result<ReversePath, String> {
    let text = text.trim();
    let text = if text.is_empty() || text == "<>" { text.to_owned() } else { qualified(text, settings) };
    ReversePath::parse(&text).map_err(|e| format!("the sender `{text}` can't be used: {e}"))
}

/// The recipients, each once. There may be none. The error is for whoever wrote them.
pub fn recipients(texts: &[String], settings: &Settings) -> Result<Vec<ForwardPath>, String> {
    let mut paths = Vec::new();
    // A list of a thousand is not gone through for each of its members.
    let mut seen = std::collections::HashSet::new();
    for text in texts {
        let text = qualified(text.trim(), settings);
        let path = ForwardPath::parse(&text);
        let path = path.map_err(|e| format!("the recipient `{text}` can't be used: {e}"))?;
        if seen.insert(path.clone()) {
            paths.push(path);
        }
    }
    Ok(paths)
}

/// An address with a domain.
fn qualified(text: &str, settings: &Settings) -> String {
    let domain = || settings.domains.local.first().map_or(settings.hostname.as_str(), String::as_str);
    let bare = text.strip_prefix('<').and_then(|t| t.strip_suffix('>')).unwrap_or(text);
    if bare.contains('@') { bare.to_owned() } else { format!("{bare}@{}", domain()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn settings() -> Settings {
        let text =
            "hostname = 'mx.example.com'\n[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nlocal = ['example.com']\n";
        Settings::parse(Path::new("m.toml"), text).unwrap().0
    }

    #[test]
    fn addresses_get_a_domain_and_come_once() {
        let texts = ["alice", "<alice@example.com>", " b@x.example"].map(str::to_owned);
        let paths = recipients(&texts, &settings()).unwrap();
        assert_eq!(paths.iter().map(ForwardPath::as_str).collect::<Vec<_>>(), ["alice@example.com", "b@x.example"]);
        let text = recipients(&["Alice Smith".to_owned()], &settings()).unwrap_err();
        assert!(text.starts_with("the recipient `Alice Smith@example.com` can't be used"), "{text}");
    }

    #[test]
    fn a_sender_may_be_nobody() {
        for (text, want) in [("", ""), ("<>", ""), ("<root>", "root@example.com"), ("a@b.example ", "a@b.example")] {
            assert_eq!(sender(text, &settings()).unwrap().as_str(), want, "{text:?}");
        }
        assert!(sender("a@b@c", &settings()).unwrap_err().starts_with("the sender `a@b@c` can't be used"));
    }
}
