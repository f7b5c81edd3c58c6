//! Replacing ranges of content, copying nothing that stays.

use crate::mail::{Content, Piece};
use bytes::Bytes;
use std::ops::Range;

/// The octets that take the place of a range; an empty range is an insertion.
#[derive(Clone, Debug)]
pub(super) struct Splice {
    pub(super) range: Range<usize>,
    pub(super) with: Bytes,
}

/// Applies splices. What is put in at one place comes in the order of the list, and before what replaces a range
/// that begins there. Ranges do not overlap.
pub(super) fn splice(content: &Content, mut splices: Vec<Splice>) -> Content {
    splices.sort_by_key(|s| (s.range.start, s.range.end));
    let mut pieces = Vec::new();
    let mut at = 0;
    for Splice { range, with } in splices {
        pieces.extend_from_slice(content.slice(at..range.start as u64).pieces());
        if !with.is_empty() {
            pieces.push(Piece::Inline(with));
        }
        at = at.max(range.end as u64);
    }
    pieces.extend_from_slice(content.slice(at..u64::MAX).pieces());
    Content::of(content.blob().clone(), pieces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::Arc;

    proptest! {
        #[test]
        fn is_the_same_as_on_a_whole_buffer(
            octets in prop::collection::vec(any::<u8>(), 0..60),
            cuts in prop::collection::vec((0usize..8, 0usize..8, prop::collection::vec(any::<u8>(), 0..4)), 0..6),
            seam in 0u64..60,
        ) {
            let blob: Arc<dyn crate::mail::Blob> = Arc::new(Bytes::from(octets.clone()));
            let content = Content::of(blob, vec![Piece::Blob(0..seam), Piece::Blob(seam..60)]);
            let (mut splices, mut whole, mut at, mut shift) = (Vec::new(), octets, 0usize, 0isize);
            let len = whole.len();
            for (gap, run, with) in cuts {
                let start = (at + gap).min(len);
                let end = (start + run).min(len);
                let place = |n: usize| n.checked_add_signed(shift).unwrap();
                whole.splice(place(start)..place(end), with.iter().copied());
                shift += with.len() as isize - (end - start) as isize;
                at = end + 1;
                splices.push(Splice { range: start..end, with: with.into() });
                if at > len {
                    break;
                }
            }
            prop_assert_eq!(splice(&content, splices).to_bytes().unwrap(), whole);
        }
    }
}
