//! The textual form of certificates and keys (RFC 7468), with the place of everything in it.
//!
//! Text outside of sections is ignored, as everybody does. Nothing of a key is ever put into a message.

use crate::config::listener::PemFile;
use crate::config::{Diagnostics, Span};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// One section.
pub(super) struct Section {
    /// What it says it is: `CERTIFICATE`.
    pub(super) label: String,
    /// Its first line.
    pub(super) span: Span,
    /// Its content.
    pub(super) der: Vec<u8>,
    /// It has the header of keys that are encrypted in the old way (RFC 1421 4.6.1.1).
    pub(super) encrypted: bool,
}

/// The sections of a file. Those that are damaged are noted; then nothing is returned.
pub(super) fn sections(file: &PemFile, found: &mut Diagnostics) -> Option<Vec<Section>> {
    let mut reader = Reader { file, open: None, done: Vec::new(), sound: true };
    let mut at = 0;
    for line in file.octets.split_inclusive(|&b| b == b'\n') {
        reader.line(line.trim_ascii(), at, found);
        at += line.len();
    }
    reader.cut_off(found);
    reader.sound.then_some(reader.done)
}

struct Reader<'a> {
    file: &'a PemFile,
    open: Option<Open>,
    done: Vec<Section>,
    sound: bool,
}

/// A section whose end has not come yet.
struct Open {
    label: String,
    span: Span,
    text: Vec<u8>,
    encrypted: bool,
    damaged: bool,
}

impl Reader<'_> {
    fn line(&mut self, line: &[u8], at: usize, found: &mut Diagnostics) {
        let span = Span::new(self.file.source, at..at + line.len());
        if let Some(label) = marker(line, b"-----BEGIN ") {
            self.cut_off(found);
            self.open = Some(Open { label, span, text: Vec::new(), encrypted: false, damaged: false });
        } else if let Some(label) = marker(line, b"-----END ") {
            match self.open.take() {
                Some(open) if open.label == label => self.close(open, found),
                Some(open) => self.wrong_end(&open.label, span, found),
                None => self.wrong_end("nothing", span, found),
            }
        } else if let Some(open) = &mut self.open {
            if line.contains(&b':') {
                open.encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED");
            } else if let Some(bad) = line.iter().find(|b| !is_base64(**b)) {
                open.damaged = true;
                let what = if bad.is_ascii_graphic() { "a character" } else { "an octet" };
                let told = found.error(span, format!("the section `{}` is damaged", open.label));
                told.label(format!("{what} that can't be here")).help("copy the file again from where it was made");
            } else {
                open.text.extend_from_slice(line);
            }
        }
    }

    fn close(&mut self, open: Open, found: &mut Diagnostics) {
        let Open { label, span, text, encrypted, damaged } = open;
        match STANDARD.decode(&text) {
            // What is encrypted is told by whoever wanted it; its content is of no use to anybody.
            Ok(der) if !damaged => self.done.push(Section { label, span, der, encrypted }),
            Err(_) if !damaged => {
                self.sound = false;
                let told = found.error(span, format!("the section `{label}` is damaged"));
                told.label("something is missing in it").help("copy the file again from where it was made");
            }
            _ => self.sound = false,
        }
    }

    fn wrong_end(&mut self, open: &str, span: Span, found: &mut Diagnostics) {
        self.sound = false;
        let told = found.error(span, format!("this ends what was not begun: `{open}` is open here"));
        told.help("copy the file again from where it was made");
    }

    /// A section that is still open here has no end.
    fn cut_off(&mut self, found: &mut Diagnostics) {
        if let Some(open) = self.open.take() {
            self.sound = false;
            let told = found.error(open.span, format!("the section `{}` has no end", open.label));
            told.help("the file is cut off: copy it again from where it was made");
        }
    }
}

fn marker(line: &[u8], begin: &[u8]) -> Option<String> {
    let label = line.strip_prefix(begin)?.strip_suffix(b"-----")?;
    std::str::from_utf8(label).ok().map(str::to_owned)
}

fn is_base64(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'/' | b'=')
}

/// Whether it looks like the binary form: a sequence of more than 127 octets (DER).
pub(super) fn is_binary(octets: &[u8]) -> bool {
    matches!(octets, [0x30, 0x81..=0x84, ..])
}
