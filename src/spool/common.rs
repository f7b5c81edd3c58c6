//! Octets that several new messages of a batch share, as when one is split: written once, to a file that all of them name.
//!
//! Up to `large` octets, all of them together, are not worth a file: each frame has its own then.

use super::body::outside_files;
use super::draft::Draft;
use super::fault::StoreFault;
use super::record::Record;
use crate::mail::{Blob, Content, Piece};
use std::collections::HashMap;
use std::io;
use std::sync::Arc;

/// How often a blob is needed, and octets of it in all.
#[derive(Default)]
struct Need {
    messages: usize,
    octets: u64,
}

/// The blobs that are kept once, with what stands for each: octets that lie in a file.
#[derive(Default)]
pub(super) struct Common(HashMap<usize, Arc<dyn Blob>>);

impl Common {
    /// Looks what is shared by new messages, and writes what does not lie in a file to one made from `draft`.
    pub(super) fn of(records: &[Record], large: u64, draft: impl Fn() -> Draft) -> Result<Self, StoreFault> {
        let accepts = || {
            records
                .iter()
                .filter_map(|record| if let Record::Accept(_, content) = record { Some(content) } else { None })
        };
        if accepts().nth(1).is_none() {
            return Ok(Self::default());
        }
        let mut needs = HashMap::<usize, Need>::new();
        for content in accepts() {
            let need = needs.entry(key(content)).or_default();
            need.messages += 1;
            need.octets += content.pieces().iter().filter(|p| matches!(p, Piece::Blob(_))).map(Piece::len).sum::<u64>();
        }
        let mut shared = HashMap::new();
        for content in accepts() {
            let (key, blob) = (key(content), content.blob());
            let Some(need) = needs.get(&key).filter(|need| need.messages > 1 && need.octets > large) else { continue };
            if shared.contains_key(&key) {
                continue;
            }
            // What lies in files stays where it is, and a little beside that is not worth another one.
            let little = outside_files(blob).saturating_mul(need.messages as u64) <= large;
            shared.insert(key, if little { blob.clone() } else { in_file(blob, draft())? });
        }
        Ok(Self(shared))
    }

    /// The content over what stands for its blob; none if it is not shared.
    pub(super) fn instead(&self, content: &Content) -> Option<Content> {
        let blob = self.0.get(&key(content))?;
        Some(Content::of(blob.clone(), content.pieces().to_vec()))
    }
}

/// Two contents over one blob are known by its address: all of them live while the batch is encoded.
fn key(content: &Content) -> usize {
    Arc::as_ptr(content.blob()).cast::<()>().addr()
}

/// The blob in a file of its own.
fn in_file(blob: &Arc<dyn Blob>, mut draft: Draft) -> Result<Arc<dyn Blob>, StoreFault> {
    draft.spill()?;
    let whole = Content::whole(blob.clone());
    let written = whole.for_each_chunk(|chunk| draft.write(chunk).map_err(io::Error::other));
    written.map_err(|e| StoreFault::io("write what several messages share", &e))?;
    draft.finish()
}
