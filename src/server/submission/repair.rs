//! What a submission server mends in a header (RFC 6409 8), and what it can't (4.2).
//!
//! A field that is there stays as it is, but for a Sender that is not the user's and a Return-Path, which is the last server's to
//! add. Nothing is qualified in silence: an address whose domain is one word is refused. Bcc stays: who removes it has to
//! know that nobody is to get it.

use super::rights::Rights;
use crate::directory::Directory;
use crate::mail::{EnhancedCode, Header, HeaderError, Id, Mailbox, Reply, ReversePath, Timestamp, addresses};

/// Whose addresses must be such that others can answer.
const ADDRESS_FIELDS: [&str; 6] = ["From", "Sender", "Reply-To", "To", "Cc", "Bcc"];
/// Addresses that are looked at, of each field.
const ADDRESSES_MAX: usize = 1000;

/// RFC 6409 4.2.
const UNQUALIFIED: Reply = Reply::new(
    554,
    EnhancedCode(5, 6, 0),
    "An address in the header has a domain of one word; give all of them in full",
);
const NO_FIELD: Reply = Reply::new(451, EnhancedCode(4, 3, 0), "The header can't be completed at present");

/// All that is needed to mend the header of a message.
pub(super) struct Mender<'a> {
    pub(super) directory: &'a Directory,
    pub(super) hostname: &'a str,
    /// The message's, of which the Message-ID is made.
    pub(super) id: Id,
    pub(super) now: Timestamp,
    /// Those of the user who sends. None: nobody knows who that is, or it is not asked.
    pub(super) rights: Option<&'a Rights>,
    /// Checked against the rights already.
    pub(super) sender: ReversePath,
}

impl Mender<'_> {
    /// Mends it and names the fields that were changed.
    pub(super) fn mend(&self, header: &mut Header) -> Result<Vec<&'static str>, Reply> {
        if self.has_unqualified(header) {
            return Err(UNQUALIFIED);
        }
        self.complete(header).map_err(|error| {
            tracing::error!(id = %self.id, %error, "a header field could not be added");
            NO_FIELD
        })
    }

    fn complete(&self, header: &mut Header) -> Result<Vec<&'static str>, HeaderError> {
        let mut changed = Vec::new();
        if header.remove("Return-Path") > 0 {
            changed.push("Return-Path");
        }
        if let Some(sender) = self.wanted_sender(header) {
            header.set("Sender", &sender)?;
            changed.push("Sender");
        }
        if header.get("Date").is_none() {
            header.append("Date", &self.now.rfc5322())?;
            changed.push("Date");
        }
        if header.get("Message-ID").is_none() {
            header.append("Message-ID", &format!("<{}.mailsluice@{}>", self.id, self.hostname))?;
            changed.push("Message-ID");
        }
        Ok(changed)
    }

    /// The Sender that the message lacks (RFC 6409 8.1): the user's address, if From alone does not say who that is.
    fn wanted_sender(&self, header: &Header) -> Option<String> {
        let rights = self.rights?;
        let own = |text: &str| Mailbox::parse(text).is_ok_and(|mailbox| rights.allow(&mailbox, self.directory));
        let said = match header.get("Sender") {
            Some(sender) => addresses(&sender),
            None => header.named("From").flat_map(|from| addresses(&from.value())).take(2).collect(),
        };
        let [only] = said.as_slice() else { return self.user_address() };
        if own(only) { None } else { self.user_address() }
    }

    /// The address of whoever is sending.
    fn user_address(&self) -> Option<String> {
        let user = self.rights.and_then(|rights| Mailbox::parse(&rights.user).ok());
        let address = self.sender.mailbox().map(|mailbox| mailbox.as_str().to_owned());
        address.or_else(|| user.map(|user| user.as_str().to_owned()))
    }

    /// Whether an address can't be answered from elsewhere. What is no address at all is not judged.
    fn has_unqualified(&self, header: &Header) -> bool {
        let fields = ADDRESS_FIELDS.iter().flat_map(|name| header.named(name));
        fields
            .flat_map(|field| addresses(&field.value()).into_iter().take(ADDRESSES_MAX))
            .any(|address| Mailbox::parse(&address).is_ok_and(|mailbox| self.directory.is_unqualified(&mailbox)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    /// The header as it comes out for alice, whose reverse-path is `sender`.
    fn mended(header: &str, sender: &str, known: bool) -> Result<String, u16> {
        let directory = Directory::builder().local("example.com").local("localhost").build().unwrap();
        let rights = Rights { user: "alice".into(), listed: None };
        let mender = Mender {
            directory: &directory,
            hostname: "mx.example.com",
            id: Id(0),
            now: Timestamp(0),
            rights: known.then_some(&rights),
            sender: ReversePath::parse(sender).unwrap(),
        };
        let mut header = Header::from_raw(Bytes::copy_from_slice(header.as_bytes()));
        mender.mend(&mut header).map_err(|reply| reply.code())?;
        Ok(String::from_utf8(header.raw().to_vec()).unwrap().replace("\r\n", "\n"))
    }

    const TRACE: &str = "Date: x\r\nMessage-ID: <x@y>\r\n";

    #[test]
    fn what_is_missing_is_added_and_what_is_there_stays() {
        let whole = "From: alice@example.com\r\nDate: x\r\nMessage-ID: <x@y>\r\nBcc: bob@example.com\r\n";
        assert_eq!(mended(whole, "alice@example.com", true), Ok(whole.replace("\r\n", "\n")));
        let none = mended("From: alice@example.com\r\nReturn-Path: <x@y>\r\n", "alice@example.com", true).unwrap();
        assert_eq!(
            none,
            "From: alice@example.com\nDate: Thu, 01 Jan 1970 00:00:00 +0000\nMessage-ID: <0000000000000.mailsluice@mx.example.com>\n"
        );
    }

    #[test]
    fn the_sender_is_told_where_from_does_not_tell() {
        let sender = |header: &str| {
            let out = mended(&format!("{header}{TRACE}"), "alice+x@example.com", true).unwrap();
            out.lines().find_map(|line| line.strip_prefix("Sender: ").map(str::to_owned))
        };
        assert_eq!(sender("From: Alice <ALICE@example.com>\r\n"), None);
        let told = Some("alice+x@example.com".to_owned());
        assert_eq!(sender("From: boss@example.com\r\n"), told);
        assert_eq!(sender("From: alice@example.com, bob@example.com\r\n"), told);
        assert_eq!(sender("From: alice@example.com\r\nSender: boss@example.com\r\n"), told);
        assert_eq!(
            sender("From: boss@example.com\r\nSender: alice@example.com\r\n"),
            Some("alice@example.com".to_owned())
        );
        let strange = mended(&format!("From: boss@example.com\r\n{TRACE}"), "alice@example.com", false).unwrap();
        assert!(!strange.contains("Sender"), "nobody knows who it is");
    }

    #[test]
    fn domains_of_one_word_are_refused() {
        for field in ["From: alice@box", "To: a@x.example, Bob <bob@box>", "Cc: team: bob@box;", "Reply-To: <x@box>"] {
            assert_eq!(mended(&format!("{field}\r\n{TRACE}"), "alice@example.com", true), Err(554), "{field}");
        }
        for field in ["From: alice@localhost", "To: undisclosed-recipients:;", "To: root", "Subject: a@box"] {
            assert!(mended(&format!("{field}\r\n{TRACE}"), "alice@example.com", true).is_ok(), "{field}");
        }
    }
}
