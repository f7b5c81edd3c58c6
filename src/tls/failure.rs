//! Why a handshake failed, in words for an operator.

use std::borrow::Cow;
use std::io;

/// What rustls says if [`Store`](super::store::Store) has nothing that the client can check.
const NOTHING_FITS: &str = "no server certificate chain resolved";

/// What became of a handshake with a client.
pub fn failure(error: &io::Error) -> Cow<'static, str> {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::General(text)) if text == NOTHING_FITS => {
            Cow::Borrowed("the client can check none of the listener's certificates")
        }
        _ => Cow::Owned(error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fits_nobody_is_said_in_plain_words() {
        let told = |error: rustls::Error| failure(&io::Error::new(io::ErrorKind::InvalidData, error));
        assert_eq!(
            told(rustls::Error::General(NOTHING_FITS.into())),
            "the client can check none of the listener's certificates"
        );
        assert_eq!(told(rustls::Error::DecryptError), rustls::Error::DecryptError.to_string());
    }
}
