//! Splitting: recipients of a message that need another handling become a message of their own.
//!
//! A sink asks for it by [`Edit::Split`]. A part is the message as that call found it, with these recipients alone; all other edits of
//! the call are for those who remain. The walk ends at the sink: whoever has raised the event makes the parts durable and goes on with
//! what remains behind it. Each part comes to the same sink anew, where it is edited as one likes, and to none before it again.
//!
//! It comes to an end: somebody always remains, so that a part has fewer recipients than what it was part of.

use super::binding::Place;
use super::edit::{Bearer, Edit, Edits};
use super::fault::{Fault, FaultKind};
use super::transaction::Letter;
use super::verdict::Verdict;

/// The most parts that one call can ask for.
pub const PARTS_MAX: usize = 1000;

/// What has been split off, until whoever raised the event takes it.
#[derive(Clone, Debug)]
pub struct Split {
    /// The parts: letters as the call found them, with their recipients.
    pub parts: Vec<Letter>,
    /// The binding that has split.
    pub at: Place,
}

impl Split {
    /// Where a part goes on: at the sink that has split it off.
    pub fn for_part(&self) -> Place {
        Place { again: true, ..self.at.clone() }
    }

    /// Where what remains goes on: behind that sink.
    pub fn for_rest(&self) -> Place {
        self.at.clone()
    }
}

/// The places in the envelope of each part that is asked for, none twice. `there` is how many recipients there are.
pub(super) fn wanted(edits: &Edits, there: usize) -> Result<Vec<Vec<usize>>, Fault> {
    let lists = edits.iter().filter_map(|edit| if let Edit::Split(list) = edit { Some(list) } else { None });
    let parts: Vec<Vec<usize>> = lists.filter(|list| !list.is_empty()).cloned().collect();
    if parts.is_empty() {
        return Ok(parts);
    }
    if parts.len() > PARTS_MAX {
        return Err(Fault::new(
            FaultKind::Limit,
            format!("{} parts in one call; {PARTS_MAX} are allowed", parts.len()),
        ));
    }
    let mut off = vec![false; there];
    for &index in parts.iter().flatten() {
        match off.get_mut(index) {
            None => return illegal(format!("there is no recipient {index} to split off; the envelope has {there}")),
            Some(true) => return illegal(format!("recipient {index} is split off twice")),
            Some(free) => *free = true,
        }
    }
    if !off.contains(&false) {
        return illegal(
            "a split leaves somebody: a message whose recipients all need the same is edited instead".into(),
        );
    }
    let named = edits.iter().filter_map(of_one).find(|index| off.get(*index) == Some(&true));
    match named {
        Some(index) => illegal(format!("recipient {index} is split off; it is edited when the part is heard")),
        None => Ok(parts),
    }
}

/// Why a call that splits can't say this; none if it can.
pub(super) fn forbids(edits: &Edits, verdict: &Verdict) -> Option<String> {
    let splits = edits.iter().any(|edit| matches!(edit, Edit::Split(list) if !list.is_empty()));
    let whole = splits && !matches!(verdict, Verdict::Next | Verdict::SkipRest);
    whole.then(|| {
        let said = verdict.name();
        format!("a call that splits says `next` or `skip-rest`, not `{said}`: that is said of a part when it is heard by itself")
    })
}

/// The parts of a letter. What sinks have made of it enters with what remains.
pub(super) fn parts(letter: &Letter, wanted: &[Vec<usize>]) -> Vec<Letter> {
    let mut bare = letter.clone();
    bare.generated.clear();
    let all = std::mem::take(&mut bare.envelope.recipients);
    let part = |indices: &Vec<usize>| {
        let mut indices = indices.clone();
        indices.sort_unstable();
        let mut part = bare.clone();
        part.envelope.recipients = indices.into_iter().filter_map(|index| all.get(index).cloned()).collect();
        part
    };
    wanted.iter().map(part).collect()
}

/// The one recipient that an edit is about, if it names one.
fn of_one(edit: &Edit) -> Option<usize> {
    match edit {
        Edit::Fate(index, _) | Edit::RemoveRecipient(index) => Some(*index),
        Edit::Property(Bearer::Recipient(index), ..) => *index,
        _ => None,
    }
}

fn illegal<T>(text: String) -> Result<T, Fault> {
    Err(Fault::new(FaultKind::Illegal, text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::Fate;

    fn edits(lists: &[&[usize]]) -> Edits {
        let mut edits = Edits::new();
        lists.iter().for_each(|list| edits.push(Edit::Split(list.to_vec())));
        edits
    }

    #[test]
    fn somebody_remains_and_nobody_is_in_two_parts() {
        let text = |lists: &[&[usize]]| wanted(&edits(lists), 4).unwrap_err().text.to_string();
        assert_eq!(wanted(&edits(&[&[2], &[], &[0, 3]]), 4).unwrap(), [vec![2], vec![0, 3]]);
        assert!(wanted(&edits(&[&[]]), 4).unwrap().is_empty());
        assert!(text(&[&[4]]).contains("no recipient 4 to split off; the envelope has 4"));
        assert!(text(&[&[1], &[0, 1]]).contains("recipient 1 is split off twice"));
        assert!(text(&[&[1, 2], &[0, 3]]).contains("leaves somebody"));
        assert!(wanted(&edits(&[&[0]]), 0).is_err());
    }

    #[test]
    fn who_is_split_off_is_edited_elsewhere() {
        let others: [fn(usize) -> Edit; 3] = [
            |index| Edit::Fate(index, Fate::Discarded),
            Edit::RemoveRecipient,
            |index| Edit::Property(Bearer::Recipient(Some(index)), "k".into(), 1.into()),
        ];
        for other in others {
            let asks = |index| {
                let mut edits = edits(&[&[1]]);
                edits.push(other(index));
                wanted(&edits, 3)
            };
            assert!(asks(0).is_ok());
            assert!(asks(1).unwrap_err().text.contains("recipient 1 is split off"));
        }
    }

    #[test]
    fn so_many_parts_and_no_more() {
        let lists: Vec<Vec<usize>> = (0..=PARTS_MAX).map(|index| vec![index]).collect();
        let lists: Vec<&[usize]> = lists.iter().map(Vec::as_slice).collect();
        assert!(wanted(&edits(&lists[1..]), 2 * PARTS_MAX).is_ok());
        assert_eq!(wanted(&edits(&lists), 2 * PARTS_MAX).unwrap_err().kind, FaultKind::Limit);
    }

    #[test]
    fn nothing_is_said_of_the_whole() {
        assert!(forbids(&edits(&[&[1]]), &Verdict::Discard).unwrap().contains("not `discard`"));
        assert!(forbids(&edits(&[&[1]]), &Verdict::SkipRest).is_none());
        assert!(forbids(&edits(&[&[]]), &Verdict::Discard).is_none());
    }
}
