//! Boundaries that occur nowhere in a message.

use bytes::Bytes;

/// What every new boundary begins with. It can occur neither in base64 nor in quoted-printable (RFC 2046 5.1.1).
pub(super) const PREFIX: &[u8] = b"=_";

/// Makes boundaries for one message.
#[derive(Debug)]
pub(super) struct Boundaries {
    body: Bytes,
    hash: blake3::Hasher,
}

impl Boundaries {
    /// For a message with this body. The name of a boundary depends on all of the body, so that no sender can put it
    /// there.
    pub(super) fn for_body(body: &Bytes) -> Self {
        let mut hash = blake3::Hasher::new();
        hash.update(body);
        Self { body: body.clone(), hash }
    }

    /// Another one.
    pub(super) fn make(&mut self) -> String {
        loop {
            self.hash.update(b"boundary");
            let digest = self.hash.finalize().to_hex();
            let boundary = format!("=_{}", digest.get(..32).unwrap_or(&digest));
            if memchr::memmem::find(&self.body, boundary.as_bytes()).is_none() {
                return boundary;
            }
        }
    }
}
