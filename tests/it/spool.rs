//! What the tests of the spool share: small messages, small segments.

pub(crate) use crate::reference::letters::{accept, claim, entry, envelope, octets, small};

use bytes::Bytes;
use mailsluice::mail::Content;
use mailsluice::spool::{Entry, Fence, NodeId, Record, SegmentLog, Spool, StoreFault};
use std::path::Path;

/// An acceptance by way of a draft, as a session makes it, with a field in front.
pub(crate) fn accept_draft(spool: &dyn Spool, id: u64, len: usize) -> Result<(Record, Bytes), StoreFault> {
    let mut draft = spool.draft();
    let octets = octets(id, len);
    for chunk in octets.chunks(100) {
        draft.write(chunk)?;
    }
    assert_eq!(draft.len(), len as u64);
    let content = Content::whole(draft.finish()?).prepend("Received: here\r\n".into());
    let whole = Bytes::from([b"Received: here\r\n", &octets[..]].concat());
    Ok((Record::Accept(Box::new(entry(id)), content), whole))
}

/// Claims, and does not wait.
pub(crate) async fn fence(spool: &dyn Spool) -> Fence {
    spool.claim(NodeId(1)).await.unwrap().fence
}

pub(crate) fn read(spool: &dyn Spool, entry: &Entry) -> Bytes {
    spool.open(&entry.content).unwrap().to_bytes().unwrap()
}

pub(crate) fn open(dir: &Path) -> SegmentLog {
    SegmentLog::open(dir, small()).unwrap()
}
