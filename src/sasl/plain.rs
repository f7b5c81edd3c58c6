//! PLAIN (RFC 4616): `authzid NUL authcid NUL passwd`, in one message.

use super::prep;
use super::server::{Failure, Server, Step, text};
use super::{Claim, Hidden};

pub(super) struct Plain;

impl Server for Plain {
    fn respond(&mut self, response: &[u8]) -> Step {
        read(response).map_or_else(Step::Failed, Step::Check)
    }
}

fn read(response: &[u8]) -> Result<Claim, Failure> {
    let mut parts = text(response)?.split('\0');
    let (Some(authzid), Some(user), Some(password), None) = (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        return Err(Failure::Malformed("PLAIN is not of three parts"));
    };
    if user.is_empty() || password.is_empty() {
        return Err(Failure::Malformed("PLAIN lacks the name or the password"));
    }
    claim(authzid, user, password)
}

/// Prepares the parts, each of which may be anything.
pub(super) fn claim(authzid: &str, user: &str, password: &str) -> Result<Claim, Failure> {
    let unfit = Failure::Refused("a name or password has characters that it may not have, or is too long");
    let authzid = if authzid.is_empty() { None } else { Some(prep::name(authzid).ok_or(unfit)?) };
    let user = prep::name(user).ok_or(unfit)?;
    let password = Hidden::new(prep::password(password).ok_or(unfit)?);
    Ok(Claim::Password { authzid, user, password })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_examples_of_rfc_4616() {
        let check = |message: &[u8]| match Plain.respond(message) {
            Step::Check(Claim::Password { authzid, user, password }) => {
                Some((authzid, user, password.expose().to_owned()))
            }
            _ => None,
        };
        assert_eq!(check(b"\0tim\0tanstaaftanstaaf"), Some((None, "tim".into(), "tanstaaftanstaaf".into())));
        assert_eq!(check(b"Ursel\0Kurt\0xipj3plmq"), Some((Some("Ursel".into()), "Kurt".into(), "xipj3plmq".into())));
        for wrong in [&b""[..], b"tim\0x", b"\0tim\0", b"\0\0x", b"\0a\0b\0c", b"\0a\0\xff", b"\0a\x07\0b"] {
            assert_eq!(check(wrong), None, "{wrong:?}");
        }
    }
}
