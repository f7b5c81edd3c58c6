//! The properties that travel between servers: what is read can be written, and is the same when it is read again; names are those of sinks.

use mailsluice::mail::Properties;
use mailsluice::mail::property_blob::{PropertyBlob, is_owner};

pub(super) fn property_blob(data: &[u8]) {
    let Ok(blob) = PropertyBlob::parse(data) else { return };
    let again = PropertyBlob::parse(&blob.write()).expect("what was written");
    assert_eq!(blob.is_empty(), again.is_empty());
    assert_eq!(names(&blob), names(&again));
    assert!(names(&blob).iter().all(|(owner, _)| is_owner(owner)));
}

/// Whose properties they are, and their keys. Numbers may lose their last digit on the way.
fn names(blob: &PropertyBlob) -> Vec<(String, String)> {
    let all = std::iter::once(&blob.message).chain(blob.recipients.iter().map(|recipient| &recipient.properties));
    all.flat_map(Properties::iter).map(|(owner, key, _)| (owner.to_owned(), key.to_owned())).collect()
}
