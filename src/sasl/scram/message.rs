//! The messages of SCRAM (RFC 5802 7), read strictly: attributes in their order, none unknown that is mandatory.

use super::NONCE_MAX;
use super::keys::{ITERATIONS_MAX, KEY_LEN, SALT_MAX, number};
use crate::sasl::prep;
use crate::sasl::server::Failure;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Whether and how the client binds the exchange to its TLS connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sasl) enum Bound {
    /// `n`: the client knows no channel binding.
    No,
    /// `y`: the client knows it and believes that the server does not.
    Missed,
    /// `p=`: by this type of binding.
    By(String),
}

/// The header that SCRAM and OAUTHBEARER have of GS2 (RFC 5801 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::sasl) struct Gs2 {
    pub(in crate::sasl) bound: Bound,
    pub(in crate::sasl) authzid: Option<String>,
}

impl Gs2 {
    /// The header with its closing comma, and what follows it.
    pub(in crate::sasl) fn parse(text: &str) -> Result<(Self, &str), Failure> {
        let broken = Failure::Malformed("the GS2 header is none");
        let (flag, rest) = text.split_once(',').ok_or(broken)?;
        let bound = match flag {
            "n" => Bound::No,
            "y" => Bound::Missed,
            _ => {
                let kind = flag.strip_prefix("p=").ok_or(broken)?;
                let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'.' || b == b'-';
                if kind.is_empty() || kind.len() > 64 || !kind.bytes().all(fits) {
                    return Err(broken);
                }
                Bound::By(kind.to_owned())
            }
        };
        let (authzid, rest) = rest.split_once(',').ok_or(broken)?;
        let authzid = match authzid {
            "" => None,
            some => Some(name(some.strip_prefix("a=").ok_or(broken)?)?),
        };
        Ok((Self { bound, authzid }, rest))
    }
}

/// A name with its escapes (`=2C`, `=3D`) undone, and prepared.
fn name(text: &str) -> Result<String, Failure> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('=') {
        out.push_str(before);
        let (c, after) = match after.get(..2) {
            Some("2C") => (',', &after[2..]),
            Some("3D") => ('=', &after[2..]),
            _ => return Err(Failure::Malformed("a name has a broken escape")),
        };
        out.push(c);
        rest = after;
    }
    out.push_str(rest);
    prep::name(&out).ok_or(Failure::Refused("a name has characters that it may not have, or is too long"))
}

/// A name with `,` and `=` escaped.
pub(in crate::sasl) fn escape(name: &str) -> String {
    name.replace('=', "=3D").replace(',', "=2C")
}

fn nonce(text: &str) -> Result<&str, Failure> {
    let fits = (1..=NONCE_MAX).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_graphic() && b != b',');
    if fits { Ok(text) } else { Err(Failure::Malformed("the nonce is none")) }
}

fn attribute<'a>(part: Option<&'a str>, name: &str) -> Result<&'a str, Failure> {
    let value = part.and_then(|p| p.strip_prefix(name)).and_then(|p| p.strip_prefix('='));
    value.ok_or(Failure::Malformed("an attribute is missing or out of order"))
}

/// The client's first message.
#[derive(Debug)]
pub(super) struct ClientFirst<'a> {
    pub(super) gs2: Gs2,
    /// The header as it was sent.
    pub(super) header: &'a str,
    /// What follows the header.
    pub(super) bare: &'a str,
    pub(super) user: String,
    pub(super) nonce: &'a str,
}

impl<'a> ClientFirst<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Failure> {
        let (gs2, bare) = Gs2::parse(text)?;
        let header = &text[..text.len() - bare.len()];
        let mut parts = bare.split(',');
        // `m=`, an extension that must be understood, would stand here.
        let user = name(attribute(parts.next(), "n")?)?;
        let nonce = nonce(attribute(parts.next(), "r")?)?;
        Ok(Self { gs2, header, bare, user, nonce })
    }
}

/// The client's final message.
#[derive(Debug)]
pub(super) struct ClientFinal<'a> {
    pub(super) binding: Vec<u8>,
    pub(super) nonce: &'a str,
    /// The message up to the proof.
    pub(super) without_proof: &'a str,
    pub(super) proof: [u8; KEY_LEN],
}

impl<'a> ClientFinal<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Failure> {
        let (without_proof, proof) = text.rsplit_once(",p=").ok_or(Failure::Malformed("the proof is missing"))?;
        let mut parts = without_proof.split(',');
        let binding = STANDARD.decode(attribute(parts.next(), "c")?);
        let binding = binding.map_err(|_| Failure::Malformed("the channel binding is not base64"))?;
        let nonce = nonce(attribute(parts.next(), "r")?)?;
        let proof = STANDARD.decode(proof).map_err(|_| Failure::Malformed("the proof is not base64"))?;
        let proof = proof.try_into().map_err(|_| Failure::Malformed("the proof has not 32 octets"))?;
        Ok(Self { binding, nonce, without_proof, proof })
    }
}

/// The server's first message, as a client reads it.
#[derive(Debug)]
pub(super) struct ServerFirst<'a> {
    pub(super) nonce: &'a str,
    pub(super) salt: Vec<u8>,
    pub(super) iterations: u32,
}

impl<'a> ServerFirst<'a> {
    pub(super) fn parse(text: &'a str) -> Result<Self, Failure> {
        let mut parts = text.split(',');
        let nonce = nonce(attribute(parts.next(), "r")?)?;
        let salt = STANDARD.decode(attribute(parts.next(), "s")?);
        let salt = salt.ok().filter(|salt| (1..=SALT_MAX * 4).contains(&salt.len()));
        let iterations = number(attribute(parts.next(), "i")?).filter(|n| *n <= ITERATIONS_MAX);
        Ok(Self {
            nonce,
            salt: salt.ok_or(Failure::Malformed("the salt is none"))?,
            iterations: iterations.ok_or(Failure::Malformed("the iterations are none, or far too many"))?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_their_escapes() {
        assert_eq!(name("a=2Cb=3Dc"), Ok("a,b=c".to_owned()));
        for wrong in ["a=", "=2c", "=41", "="] {
            assert!(name(wrong).is_err(), "{wrong}");
        }
        for text in ["plain", "a,b=c", "=2C", "ü"] {
            assert_eq!(name(&escape(text)).as_deref(), Ok(text));
        }
    }

    #[test]
    fn headers() {
        let (gs2, rest) = Gs2::parse("p=tls-exporter,a=x,n=user").unwrap();
        assert_eq!((gs2.bound, gs2.authzid.as_deref(), rest), (Bound::By("tls-exporter".into()), Some("x"), "n=user"));
        for wrong in ["", "n", "n,", "x,,", "p=,,", "n,b=x,", "p=a b,,", "N,,"] {
            assert!(Gs2::parse(wrong).is_err(), "{wrong}");
        }
        for wrong in ["n,,m=x,n=u,r=1", "n,,r=1,n=u", "n,,n=u", "n,,n=,r=1", "n,,n=u,r="] {
            assert!(ClientFirst::parse(wrong).is_err(), "{wrong}");
        }
    }
}
