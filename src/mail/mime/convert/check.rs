//! Proof that a converted message is what it should be, whatever its structure.

use super::super::view::Mime;
use super::error::NotConvertible;
use super::goal::Goal;
use crate::mail::Message;

/// Checks that nothing but what the way carries is left, and that each part decodes to what it was. `folded` are parts that
/// were encoded with all that lies in them.
pub(super) fn check(before: &Mime, folded: &[usize], after: &Message, goal: Goal) -> Result<(), NotConvertible> {
    let again = Mime::of(after)?;
    if !carries(&again.body, goal) || (!goal.eight_bit() && !after.header.raw().is_ascii()) {
        return Err(NotConvertible::Ambiguous);
    }
    let is_folded = |part: usize| folded.contains(&part);
    let old = before.parts().iter().filter(|p| !before.around(p.index).any(|p| is_folded(p.index)));
    let mut new = again.parts().iter();
    for was in old {
        let is = new.next().filter(|is| is.content_type == was.content_type).ok_or(NotConvertible::Ambiguous)?;
        if was.charset.is_some() && is.charset != was.charset {
            return Err(NotConvertible::Ambiguous);
        }
        let same = if is_folded(was.index) {
            again.part_bytes(is.index)? == before.body.slice(was.shape.body.clone())
        } else if was.is_multipart || !was.shape.children.is_empty() {
            is.shape.children.len() == was.shape.children.len()
        } else {
            again.part_bytes(is.index)? == before.part_bytes(was.index)?
        };
        if !same {
            return Err(NotConvertible::Ambiguous);
        }
    }
    if new.next().is_some() { Err(NotConvertible::Ambiguous) } else { Ok(()) }
}

/// Whether the way carries these octets. The length of lines between the parts is nobody's business here.
fn carries(octets: &[u8], goal: Goal) -> bool {
    if !goal.eight_bit() && !octets.is_ascii() {
        return false;
    }
    if goal == Goal::SevenBit {
        return true;
    }
    let mut rest = octets;
    while let Some(at) = memchr::memchr3(b'\r', b'\n', 0, rest) {
        match rest.get(at..).and_then(|rest| rest.strip_prefix(b"\r\n")) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    true
}
