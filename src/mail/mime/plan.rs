//! What a list of edits comes to, part by part.
//!
//! Edits are taken in order, and name the parts of the message as it was before all of them. A later edit of a part
//! builds on the earlier ones. Nothing is written here: [`render`](super::render) does that once.

use super::compose::{Attachment, Snippet};
use super::edit::BodyEdit;
use super::encode::crlf;
use super::error::MimeError;
use super::part::Part;
use super::view::{Mime, Shown};
use bytes::Bytes;

/// What becomes of a part.
#[derive(Clone, Debug)]
pub(super) enum Fate {
    /// Nothing happens to it.
    Kept,
    /// Its body changes.
    Changed(Change),
    /// An attachment takes its place.
    Fresh(Attachment),
    /// It goes.
    Gone,
}

/// How a body changes.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) base: Base,
    /// Texts put in front, in the order of the edits, so that the last stands first.
    pub(super) before: Vec<Snippet>,
    /// Texts put behind.
    pub(super) after: Vec<Snippet>,
}

/// What the texts are put around.
#[derive(Clone, Debug)]
pub(super) enum Base {
    /// The body as it is.
    Kept,
    /// These decoded octets.
    Octets(Bytes),
    /// This text, in the form that the part has.
    Text(Snippet),
    /// This text in both forms, where the part had only one.
    Both(Snippet),
}

/// A part that was not there.
#[derive(Clone, Debug)]
pub(super) enum Addition {
    Text(Snippet),
    File(Attachment),
}

#[derive(Clone, Copy)]
enum Side {
    Front,
    Back,
}

/// The sum of the edits.
pub(super) struct Plan<'a> {
    mime: &'a Mime,
    shown: Shown,
    /// For each part, what becomes of it.
    pub(super) fates: Vec<Fate>,
    /// New parts before all others.
    pub(super) first: Vec<Addition>,
    /// New parts behind all others.
    pub(super) last: Vec<Addition>,
}

impl<'a> Plan<'a> {
    /// Takes all edits, or says which can't be done.
    pub(super) fn of(mime: &'a Mime, edits: &[BodyEdit]) -> Result<Self, MimeError> {
        let fates = vec![Fate::Kept; mime.parts().len()];
        let mut plan = Self { mime, shown: mime.shown(), fates, first: Vec::new(), last: Vec::new() };
        for edit in edits {
            plan.take(edit)?;
        }
        plan.drop_empty();
        Ok(plan)
    }

    fn take(&mut self, edit: &BodyEdit) -> Result<(), MimeError> {
        match edit {
            BodyEdit::PrependText { text, html } => self.add_text(&snippet(text, html.as_deref()), Side::Front),
            BodyEdit::AppendText { text, html } => self.add_text(&snippet(text, html.as_deref()), Side::Back),
            BodyEdit::ReplaceText { text, html } => return self.replace_text(&snippet(text, html.as_deref())),
            BodyEdit::ReplacePart(part, octets) => {
                let part = self.touch(self.mime.leaf(*part)?)?;
                if let Fate::Fresh(file) = &mut self.fates[part] {
                    file.data = octets.clone();
                } else {
                    self.fates[part] = changed(Base::Octets(octets.clone()));
                }
            }
            BodyEdit::AddAttachment(file) => self.last.push(Addition::File(file.clone())),
            BodyEdit::ReplaceAttachment(part, file) => {
                let part = self.touch(self.mime.leaf(*part)?)?;
                self.fates[part] = Fate::Fresh(file.clone());
            }
            BodyEdit::RemovePart(part) => {
                let part = self.touch(self.mime.part(*part)?)?;
                if self
                    .mime
                    .part(part)?
                    .parent
                    .is_some_and(|p| self.mime.parts().get(p).is_some_and(|p| !p.is_multipart))
                {
                    return Err(MimeError::OnlyContent(part));
                }
                self.fates[part] = Fate::Gone;
            }
        }
        Ok(())
    }

    /// Whether the part may be changed and is still there.
    fn touch(&self, part: &Part) -> Result<usize, MimeError> {
        let part = part.index;
        if self.mime.around(part).any(Part::is_sealed) {
            return Err(MimeError::Sealed(part));
        }
        if self.is_gone(part) { Err(MimeError::Gone(part)) } else { Ok(part) }
    }

    /// Whether the part is removed, or lies in something that is removed or replaced.
    fn is_gone(&self, part: usize) -> bool {
        matches!(self.fates.get(part), Some(Fate::Gone))
            || self.mime.around(part).any(|p| !matches!(self.fates.get(p.index), Some(Fate::Kept)))
    }

    /// The texts of the body that are still texts of the body.
    fn texts(&self) -> Vec<usize> {
        let there = |&part: &usize| !self.is_gone(part) && !matches!(self.fates[part], Fate::Fresh(_));
        self.shown.texts.iter().copied().filter(there).collect()
    }

    fn add_text(&mut self, text: &Snippet, side: Side) {
        let texts = self.texts();
        for &part in &texts {
            if matches!(self.fates[part], Fate::Kept) {
                self.fates[part] = changed(Base::Kept);
            }
            if let Fate::Changed(change) = &mut self.fates[part] {
                match side {
                    Side::Front => change.before.push(text.clone()),
                    Side::Back => change.after.push(text.clone()),
                }
            }
        }
        match side {
            _ if !texts.is_empty() => {}
            Side::Front => self.first.insert(0, Addition::Text(text.clone())),
            Side::Back => self.last.push(Addition::Text(text.clone())),
        }
    }

    fn replace_text(&mut self, text: &Snippet) -> Result<(), MimeError> {
        let texts = self.texts();
        if let Some(sealed) = self.shown.sealed.filter(|&part| texts.is_empty() && !self.is_gone(part)) {
            return Err(MimeError::Sealed(sealed));
        }
        let is_html = |&part: &usize| self.mime.parts().get(part).is_some_and(|p| p.content_type == "text/html");
        let no_place_for_html = text.html.is_some() && !texts.iter().any(is_html);
        for (n, &part) in texts.iter().enumerate() {
            let base = if no_place_for_html && n == 0 { Base::Both(text.clone()) } else { Base::Text(text.clone()) };
            self.fates[part] = changed(base);
        }
        if texts.is_empty() {
            self.first.retain(|a| matches!(a, Addition::File(_)));
            self.last.retain(|a| matches!(a, Addition::File(_)));
            self.first.push(Addition::Text(text.clone()));
        }
        Ok(())
    }

    /// A multipart that loses all its parts goes with them, but for one that is all of a message.
    fn drop_empty(&mut self) {
        for part in self.mime.parts().iter().rev() {
            let in_multipart = part.parent.is_some_and(|p| self.mime.parts().get(p).is_some_and(|p| p.is_multipart));
            let empty = part.is_multipart && part.shape.children.iter().all(|&c| matches!(self.fates[c], Fate::Gone));
            if in_multipart && empty {
                self.fates[part.index] = Fate::Gone;
            }
        }
    }
}

fn snippet(text: &str, html: Option<&str>) -> Snippet {
    Snippet { text: crlf(text), html: html.map(crlf) }
}

fn changed(base: Base) -> Fate {
    Fate::Changed(Change { base, before: Vec::new(), after: Vec::new() })
}
