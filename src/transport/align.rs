//! The states of an envelope whose recipients sinks have added to, removed or put into another order: each keeps its own.

use crate::mail::{ForwardPath, Recipient, ReversePath};
use crate::spool::{Entry, RcptState};
use std::collections::{HashMap, VecDeque};

/// A state for each of these recipients: that of the entry's recipient with the same path and list, the first of several first;
/// `new` for one that is not there.
pub(super) fn align(entry: &Entry, recipients: &[Recipient], new: &RcptState) -> Vec<RcptState> {
    let mut known: HashMap<(&ForwardPath, Option<&str>), VecDeque<&RcptState>> = HashMap::new();
    for (recipient, state) in entry.envelope.recipients.iter().zip(&entry.recipients) {
        known.entry(key(recipient)).or_default().push_back(state);
    }
    let state = |recipient| known.get_mut(&key(recipient)).and_then(VecDeque::pop_front).unwrap_or(new).clone();
    recipients.iter().map(state).collect()
}

fn key(recipient: &Recipient) -> (&ForwardPath, Option<&str>) {
    (&recipient.path, recipient.sender.as_ref().map(ReversePath::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mail::{Door, Envelope, Id, Origin, Standing, Timestamp};

    #[test]
    fn each_keeps_its_own_whatever_comes_between() {
        let recipient = |path: &str| Recipient::new(ForwardPath::parse(path).unwrap(), Standing::Local);
        let of_list =
            Recipient { sender: Some(ReversePath::parse("<o@x.example>").unwrap()), ..recipient("a@x.example") };
        let mut envelope = Envelope::new(ReversePath::Null);
        envelope.recipients =
            vec![recipient("a@x.example"), recipient("b@x.example"), recipient("a@x.example"), of_list.clone()];
        let mut entry = Entry::new(Id(7), Timestamp(5), Origin::door(Door::Smtp), envelope, 3, 9);
        (1..).zip(&mut entry.recipients).for_each(|(n, state)| state.attempts = n);
        let now = [of_list, recipient("c@x.example"), recipient("a@x.example"), recipient("a@x.example")];
        let new = RcptState { attempts: 9, ..RcptState::default() };
        let attempts: Vec<u32> = align(&entry, &now, &new).iter().map(|state| state.attempts).collect();
        assert_eq!(attempts, [4, 9, 1, 3]);
    }
}
