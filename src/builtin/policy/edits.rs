//! The keys of a rule that ask for edits: one row each, with the kind of edit that the event must allow.

use super::super::value::{Field, FieldName};
use crate::config::reader::one_or_list;
use crate::config::{Diagnostics, Node, from_node, values};
use crate::event::Edit;
use crate::event::catalogue::EditKind;
use crate::event::edit::{DELAY_MAX, HeaderEdit};

/// Reads the value of a key as the edits that it asks for.
type Read = fn(&Node, &mut Diagnostics) -> Option<Vec<Edit>>;

/// The keys. Those that take several values take one or a list of them.
pub(super) const EDITS: [(&str, EditKind, Read); 14] = [
    ("remove-header", EditKind::Header, |node, found| {
        many(node, found, |FieldName(name)| Edit::Header(HeaderEdit::Remove(name)))
    }),
    ("set-header", EditKind::Header, |node, found| {
        many(node, found, |Field { name, value }| Edit::Header(HeaderEdit::Set(name.0, value.0)))
    }),
    ("add-header", EditKind::Header, |node, found| {
        many(node, found, |Field { name, value }| Edit::Header(HeaderEdit::Append(name.0, value.0)))
    }),
    ("set-sender", EditKind::Sender, |node, found| from_node(node, found).map(|path| vec![Edit::Sender(path)])),
    ("rewrite", EditKind::Rewrite, |node, found| from_node(node, found).map(|path| vec![Edit::Rewrite(path)])),
    ("add-recipient", EditKind::AddRecipient, |node, found| many(node, found, Edit::AddRecipient)),
    ("vouch", EditKind::Vouch, |node, found| yes(node, found).map(|()| vec![Edit::Vouch])),
    ("delay", EditKind::Delay, delay),
    ("greeting", EditKind::Greeting, |node, found| line(node, found).map(|text| vec![Edit::Greeting(text)])),
    ("add-keyword", EditKind::Keywords, |node, found| {
        one_or_list(node, found, |n, f| line(n, f).map(Edit::AddKeyword))
    }),
    ("remove-keyword", EditKind::Keywords, |node, found| {
        one_or_list(node, found, |n, f| line(n, f).map(Edit::RemoveKeyword))
    }),
    ("limit-message-size", EditKind::Limits, |node, found| {
        values::size_from(1)(node, found).map(|octets| vec![Edit::MessageSize(octets)])
    }),
    ("limit-recipients", EditKind::Limits, |node, found| {
        values::integer(1..=1_000_000)(node, found).map(|count| vec![Edit::Recipients(count)])
    }),
    ("reply-text", EditKind::ReplyText, |node, found| {
        values::string(node, found).map(|text| vec![Edit::ReplyText(text)])
    }),
];

fn many<T: serde::de::DeserializeOwned>(
    node: &Node,
    found: &mut Diagnostics,
    edit: fn(T) -> Edit,
) -> Option<Vec<Edit>> {
    one_or_list(node, found, |node, found| from_node(node, found).map(edit))
}

/// `true`. That it is not done is said by leaving the key out.
pub(super) fn yes(node: &Node, found: &mut Diagnostics) -> Option<()> {
    let yes = values::boolean(node, found)?;
    if !yes {
        found.error(node.span, "only `true` can be written here").help("leave the key out");
    }
    yes.then_some(())
}

fn delay(node: &Node, found: &mut Diagnostics) -> Option<Vec<Edit>> {
    let time = values::duration_above_zero(node, found)?;
    if time > DELAY_MAX {
        found.error(node.span, format!("the delay is too long: {} s is the longest", DELAY_MAX.as_secs()));
        return None;
    }
    Some(vec![Edit::Delay(time)])
}

/// A text that stands in one line of the protocol.
fn line(node: &Node, found: &mut Diagnostics) -> Option<String> {
    let text = values::string(node, found)?;
    if text.is_empty() || !text.bytes().all(|b| matches!(b, b' '..=b'~')) {
        found.error(node.span, "expected one line of printable ASCII");
        return None;
    }
    Some(text)
}
