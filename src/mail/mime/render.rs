//! Writes a plan into the message, as splices of its body and changes of its header.
//!
//! New parts go into the `multipart/mixed` that the message is; if it is something else, it becomes the first part
//! of a new one, and its `Content-*` fields go with it. So what is signed stays as it was signed.

use super::boundary::Boundaries;
use super::compose::{self, Composed};
use super::error::MimeError;
use super::fields;
use super::part::Part;
use super::plan::{Addition, Fate, Plan};
use super::rewrite::{Rewrite, rewrite};
use super::splice::{Splice, splice};
use super::view::Mime;
use crate::mail::{Header, Message};
use bytes::Bytes;

/// The message with the plan carried out.
pub(super) fn render(message: &Message, mime: &Mime, plan: &Plan<'_>) -> Result<Message, MimeError> {
    let mut render = Render { mime, plan, new: Boundaries::for_body(&mime.body), splices: Vec::new() };
    let header = render.all()?;
    Ok(Message { header, separated: true, body: splice(&message.body, render.splices) })
}

struct Render<'a> {
    mime: &'a Mime,
    plan: &'a Plan<'a>,
    new: Boundaries,
    splices: Vec<Splice>,
}

impl Render<'_> {
    fn all(&mut self) -> Result<Header, MimeError> {
        let first = self.additions(&self.plan.first)?;
        let last = self.additions(&self.plan.last)?;
        let root = &self.mime.parts()[0];
        let gone = matches!(self.plan.fates[0], Fate::Gone);
        let adding = !first.is_empty() || !last.is_empty();
        let within = !gone && self.takes_parts(root);
        let mut header = self.mime.header.clone();
        if !adding || within {
            self.part(root, &mut header)?;
            self.others(&first, &last)?;
        } else {
            let boundary = self.new.make();
            let mut content = header.clone();
            // Put down before what goes into the body at the same places.
            let start = self.splices.len();
            self.insert(0, Vec::new());
            self.part(root, &mut content)?;
            let fields = fields::take_content(&mut content);
            self.others(&[], &[])?;
            fields::take_content(&mut header);
            set(&mut header, "Content-Type", &format!("multipart/mixed; boundary=\"{boundary}\""))?;
            let inner = (!gone).then(|| [fields.raw(), &b"\r\n"[..]].concat());
            self.wrap(start, &boundary, &first, inner, &last);
        }
        // Without it, the fields that were set would mean nothing (RFC 2045 4).
        let changed = header.raw() != self.mime.header.raw() && fields::has_content(&header);
        if changed && header.named("MIME-Version").next().is_none() {
            set(&mut header, "MIME-Version", "1.0")?;
        }
        Ok(header)
    }

    /// Whether new parts can go among those of the root.
    fn takes_parts(&self, root: &Part) -> bool {
        let Some(boundary) = root.shape.boundary.as_deref() else { return false };
        // Where a part within uses the same boundary, a delimiter might be taken for one of its own.
        let unique = self.mime.parts().iter().skip(1).all(|p| p.shape.boundary.as_deref() != Some(boundary));
        // The begin of a delimiter at the very end would become one.
        let body = &self.mime.body;
        let last = memchr::memrchr(b'\n', body).map_or(&body[..], |n| &body[n + 1..]);
        let begun = last.strip_prefix(b"--").is_some_and(|last| last.starts_with(boundary));
        root.is_multipart && root.content_type == "multipart/mixed" && unique && (root.shape.close.is_some() || !begun)
    }

    /// The delimiters of a new multipart around the body. `prefix` is the splice that was kept free for its begin.
    fn wrap(&mut self, prefix: usize, boundary: &str, first: &[Vec<u8>], inner: Option<Vec<u8>>, last: &[Vec<u8>]) {
        let open = format!("--{boundary}\r\n").into_bytes();
        let mut before = Vec::new();
        for part in first {
            before.extend([&open[..], part, b"\r\n"].concat());
        }
        let mut after = Vec::new();
        if let Some(inner) = inner {
            before.extend([&open[..], &inner].concat());
            after.extend_from_slice(b"\r\n");
        }
        for part in last {
            after.extend([&open[..], part, b"\r\n"].concat());
        }
        after.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
        self.splices[prefix].with = before.into();
        self.insert(self.mime.body.len(), after);
    }

    /// Every part but the root, and the delimiters. What is put in at the end of a part comes before what is put in
    /// at the end of the multipart around it, so the inner ones have their turn first.
    fn others(&mut self, first: &[Vec<u8>], last: &[Vec<u8>]) -> Result<(), MimeError> {
        for part in self.mime.parts().iter().rev() {
            // What lies in a part that goes, or is written anew, goes with it.
            if self.mime.around(part.index).any(|p| !matches!(self.plan.fates[p.index], Fate::Kept)) {
                continue;
            }
            if part.index > 0 && !matches!(self.plan.fates[part.index], Fate::Kept | Fate::Gone) {
                let old = self.mime.part_header(part.index)?;
                let mut header = old.clone();
                let from = self.splices.len();
                self.part(part, &mut header)?;
                self.complete(part, &old, &header, from);
            }
            if part.is_multipart && matches!(self.plan.fates[part.index], Fate::Kept) {
                let (first, last) = if part.index == 0 { (first, last) } else { (&[][..], &[][..]) };
                self.reshape(part, first, last);
            }
        }
        Ok(())
    }

    /// Puts down what becomes of a part, and sets its fields.
    fn part(&mut self, part: &Part, header: &mut Header) -> Result<(), MimeError> {
        match &self.plan.fates[part.index] {
            Fate::Kept => {}
            Fate::Gone => {
                fields::take_content(header);
                self.splices.push(Splice { range: part.shape.body.clone(), with: Bytes::new() });
            }
            Fate::Fresh(file) => {
                let mut composed = compose::attachment(file, &self.mime.boundaries(part.index))?;
                fields::take_content(header);
                composed.set_on(header)?;
                if part.index == 0 {
                    composed.body.extend_from_slice(b"\r\n");
                }
                self.splices.push(Splice { range: part.shape.body.clone(), with: composed.body.into() });
            }
            Fate::Changed(change) => {
                let Rewrite { fields, splices } = rewrite(self.mime, part, change, &mut self.new)?;
                self.splices.extend(splices);
                for (name, value) in fields {
                    match value {
                        Some(value) => set(header, name, &value)?,
                        None => {
                            header.remove(name);
                        }
                    }
                }
            }
        }
        Ok(())
    }

    /// Puts down the header of a part, and the line breaks that its body needs and never had. `from` is the first of
    /// the splices of its body.
    fn complete(&mut self, part: &Part, old: &Header, header: &Header, from: usize) {
        let shape = &part.shape;
        let has_body = self.splices[from..].iter().any(|s| !s.with.is_empty());
        let mut before = Vec::new();
        if header != old {
            before.push(Splice { range: shape.header.clone(), with: header.raw().clone() });
        }
        if has_body && !shape.blank {
            let ended = header.raw().is_empty() || header.raw().ends_with(b"\n");
            let lines: &'static [u8] = if ended { b"\r\n" } else { b"\r\n\r\n" };
            before.push(Splice { range: shape.body.start..shape.body.start, with: Bytes::from_static(lines) });
        }
        self.splices.splice(from..from, before);
        if has_body && shape.glued {
            self.insert(shape.body.end, b"\r\n".to_vec());
        }
    }

    /// Removes the parts that go from a multipart, and puts new ones in.
    fn reshape(&mut self, part: &Part, first: &[Vec<u8>], last: &[Vec<u8>]) {
        let shape = &part.shape;
        let (Some(boundary), Some(&oldest)) = (&shape.boundary, shape.children.first()) else { return };
        let gone = |part: &usize| matches!(self.plan.fates[*part], Fate::Gone);
        let line = |part: usize| self.mime.parts()[part].shape.line;
        let open = [b"--", &boundary[..], b"\r\n"].concat();
        let mut cuts = Vec::new();
        for (n, child) in shape.children.iter().enumerate().filter(|(_, child)| gone(child)) {
            let end = shape.children.get(n + 1).map(|&next| line(next)).or(shape.close).unwrap_or(shape.body.end);
            cuts.push(line(*child)..end);
        }
        if cuts.len() == shape.children.len() && first.is_empty() && last.is_empty() {
            // A multipart has at least one part; an empty text shows as nothing.
            let child = &self.mime.parts()[oldest].shape;
            let empty: &'static [u8] = if child.glued { b"\r\n\r\n" } else { b"\r\n" };
            let range = child.header.start..child.body.end;
            self.splices.push(Splice { range, with: Bytes::from_static(empty) });
            cuts.remove(0);
        }
        let cut_at_end = cuts.last().is_some_and(|cut| cut.end == shape.body.end && shape.close.is_none());
        let start = line(oldest);
        self.splices.extend(cuts.into_iter().map(|range| Splice { range, with: Bytes::new() }));
        for new in first {
            self.insert(start, [&open[..], new, b"\r\n"].concat());
        }
        match shape.close {
            Some(close) => last.iter().for_each(|new| self.insert(close, [&open[..], new, b"\r\n"].concat())),
            None if last.is_empty() && !cut_at_end => {}
            None => {
                let mut tail = if cut_at_end { Vec::new() } else { b"\r\n".to_vec() };
                last.iter().for_each(|new| tail.extend([&open[..], new, b"\r\n"].concat()));
                tail.extend([b"--", &boundary[..], b"--"].concat());
                if part.index == 0 || shape.glued {
                    tail.extend_from_slice(b"\r\n");
                }
                self.insert(shape.body.end, tail);
            }
        }
    }

    fn insert(&mut self, at: usize, with: Vec<u8>) {
        self.splices.push(Splice { range: at..at, with: with.into() });
    }

    fn additions(&mut self, list: &[Addition]) -> Result<Vec<Vec<u8>>, MimeError> {
        let boundaries = self.mime.boundaries(0);
        let mut compose = |addition: &Addition| -> Result<Composed, MimeError> {
            match addition {
                Addition::Text(text) => compose::text(text, &mut self.new, &boundaries),
                Addition::File(file) => compose::attachment(file, &boundaries),
            }
        };
        list.iter().map(|addition| compose(addition)?.octets()).collect()
    }
}

fn set(header: &mut Header, name: &str, value: &str) -> Result<(), MimeError> {
    fields::set(header, name, value).map_err(|_| MimeError::BadType(value.to_owned()))
}
