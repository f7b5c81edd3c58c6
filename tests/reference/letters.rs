//! Small messages for a spool, and the sizes at which they are many.

use bytes::Bytes;
use mailsluice::mail::{Content, Door, Envelope, ForwardPath, Id, Origin, Recipient, ReversePath, Standing, Timestamp};
use mailsluice::spool::{Claim, Entry, Fence, NodeId, Options, Record, Spool};
use std::collections::BTreeMap;
use std::time::Duration;

/// Sizes at which a few messages fill a segment and a few hundred octets are many.
pub(crate) fn small() -> Options {
    Options {
        segment: 4096,
        draft_memory: 256,
        drafts_memory: 2048,
        large: 1500,
        probe_first: Duration::from_millis(1),
        probe_longest: Duration::from_millis(4),
    }
}

pub(crate) fn envelope(recipients: usize) -> Envelope {
    let mut envelope = Envelope::new(ReversePath::parse("<from@example.org>").unwrap());
    for n in 0..recipients {
        let path = ForwardPath::parse(&format!("<u{n}@example.com>")).unwrap();
        envelope.recipients.push(Recipient::new(path, Standing::Local));
    }
    envelope
}

pub(crate) fn entry(id: u64) -> Entry {
    Entry::new(Id(id), Timestamp(id), Origin::door(Door::Smtp), envelope(2), 3, 0)
}

/// Octets that tell the message and the place, so that a mix-up shows.
pub(crate) fn octets(id: u64, len: usize) -> Bytes {
    (0..len).map(|n| (id as usize * 31 + n * 7 + n / 251) as u8).collect::<Vec<u8>>().into()
}

pub(crate) fn accept(id: u64, len: usize) -> Record {
    Record::Accept(Box::new(entry(id)), Content::from(octets(id, len)))
}

/// Claims, and waits until everything is found.
pub(crate) async fn claim(spool: &dyn Spool) -> (Fence, BTreeMap<u64, Entry>) {
    let Claim { fence, newest, found } = spool.claim(NodeId(1)).await.unwrap();
    let outlines = found.all().await.unwrap();
    let count = outlines.len();
    let mut entries = BTreeMap::new();
    for outline in outlines {
        assert!(outline.id <= newest);
        let entry = spool.entry(outline.id).unwrap_or_else(|fault| panic!("{}: {fault}", outline.id));
        assert_eq!(outline.due, entry.due());
        entries.insert(entry.id.0, entry);
    }
    assert_eq!(entries.len(), count, "an entry was given out twice");
    (fence, entries)
}
