//! The sink `disclaimer`: puts a text behind what a reader shows, in plain text and HTML alike.
//!
//! The server finds the right MIME part and leaves all else as it was, octet for octet. Messages that are signed or encrypted are
//! left alone: a change would break them. So are messages that have the text already, and those whose structure can't be
//! read, which the log names.

use mailsluice_sink::{Fault, Heard, On, Ruling, config, debug, hears, on, warn};
use serde::Deserialize;

/// `[sink.config]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    /// Put behind the text.
    text: String,
    /// Put behind the HTML; made from `text` if it is not given.
    html: Option<String>,
    /// Whether a message that has the text already, as an answer that quotes it does, gets it again.
    #[serde(default)]
    repeat: bool,
}

struct Disclaimer(Config);

impl Disclaimer {
    fn open() -> Result<Self, Fault> {
        let config: Config = config()?;
        if config.text.trim().is_empty() {
            return Err(Fault::error("[sink.config]: `text` is empty: say what to append"));
        }
        Ok(Self(config))
    }

    fn is_there(&self, heard: &Heard<'_, on::TransportSubmit>) -> Result<bool, Fault> {
        let text = match heard.text()? {
            Some(text) => Some(text),
            None => heard.html()?,
        };
        // Quoting and wrapping change white space only.
        let words = |text: &str| {
            text.split([' ', '\r', '\n', '\t', '>']).filter(|w| !w.is_empty()).collect::<Vec<_>>().join(" ")
        };
        Ok(text.is_some_and(|text| words(&text).contains(&words(&self.0.text))))
    }

    fn append(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<(), Fault> {
        if heard.parts()?.iter().any(|part| is_sealed(&part.content_type)) {
            debug!("left alone: the message is signed or encrypted");
        } else if self.0.repeat || !self.is_there(heard)? {
            heard.append_text(&self.0.text, self.0.html.as_deref());
        }
        Ok(())
    }
}

/// Whether a part of this type makes a change break the message.
fn is_sealed(content_type: &str) -> bool {
    let types = [
        "multipart/signed",
        "multipart/encrypted",
        "application/pkcs7-mime",
        "application/x-pkcs7-mime",
        "application/pgp-encrypted",
    ];
    types.contains(&content_type)
}

impl On<on::TransportSubmit> for Disclaimer {
    fn on(&self, heard: &mut Heard<'_, on::TransportSubmit>) -> Result<Ruling<on::TransportSubmit>, Fault> {
        if let Err(fault) = self.append(heard) {
            warn!("left alone: {fault}");
        }
        Ok(Ruling::next())
    }
}

hears!(Disclaimer { TransportSubmit } open = Disclaimer::open, self_test = |_| Ok(()));

#[cfg(test)]
mod tests {
    use super::*;
    use mailsluice_sink::test::{Edit, World};
    use serde_json::json;

    const TEXT: &str = "Confidential. If this is not for you, forget it.";

    fn world(content: &str) -> World {
        World::new().config(json!({ "text": TEXT, "html": "<p>Confidential.</p>" })).content(content)
    }

    fn edits(world: &World) -> Vec<Edit> {
        let sink: Disclaimer = world.open().unwrap();
        let raised = world.raise::<on::TransportSubmit>(&sink).unwrap();
        assert_eq!(raised.verdict(), "next");
        raised.edits
    }

    #[test]
    fn text_and_html_are_appended() {
        let edits = edits(&world("Subject: x\r\n\r\nHello\r\n"));
        assert!(
            matches!(&edits[..], [Edit::AppendText(text, Some(html))] if text == TEXT && html == "<p>Confidential.</p>"),
            "{edits:?}"
        );
    }

    #[test]
    fn a_message_that_has_it_gets_it_again_only_if_told_to() {
        let quoted = "Subject: x\r\n\r\nYes.\r\n> Confidential. If this is\r\n> not for you, forget it.\r\n";
        assert!(edits(&world(quoted)).is_empty());
        let repeat = world(quoted).config(json!({ "text": TEXT, "repeat": true }));
        assert_eq!(edits(&repeat).len(), 1);
        let html = format!("Content-Type: text/html\r\n\r\n<p>{TEXT}</p>\r\n");
        assert!(edits(&world(&html)).is_empty());
    }

    #[test]
    fn what_is_signed_or_encrypted_is_left_alone() {
        let signed = "Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\n\r\nHello\r\n--b\r\nContent-Type: application/pgp-signature\r\n\r\nx\r\n--b--\r\n";
        let pkcs7 = "Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA\r\n";
        for content in [signed, pkcs7] {
            assert!(edits(&world(content)).is_empty(), "{content}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_left_alone_and_named() {
        let world = World::new().config(json!({ "text": TEXT })).sender("a@example.org");
        assert!(edits(&world).is_empty());
        assert!(world.logs()[0].text.starts_with("left alone: "));
    }

    #[test]
    fn an_empty_text_is_refused() {
        assert!(World::new().config(json!({ "text": " " })).open::<Disclaimer>().is_err());
    }
}
