//! What a server keeps of a password, and the arithmetic of RFC 5802 3.

use aws_lc_rs::{constant_time, digest, hmac, pbkdf2};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use std::fmt;
use std::num::NonZeroU32;

/// Octets of a key: those of SHA-256.
pub const KEY_LEN: usize = 32;
/// The least iterations (RFC 7677 4).
pub const ITERATIONS_MIN: u32 = 4096;
/// More iterations would be a way to keep a client or this server busy.
pub const ITERATIONS_MAX: u32 = 10_000_000;
/// The longest salt, in octets.
pub const SALT_MAX: usize = 64;

/// The keys of one user. The password can't be had from them but by trying.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys {
    /// Rounds of PBKDF2.
    pub iterations: u32,
    /// Its salt.
    pub salt: Vec<u8>,
    /// Proves the client.
    pub stored: [u8; KEY_LEN],
    /// Proves the server.
    pub server: [u8; KEY_LEN],
    /// Whether they were made up, because there is no such user. The exchange then takes its usual course, and fails.
    pub made_up: bool,
}

impl fmt::Debug for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keys").field("iterations", &self.iterations).finish_non_exhaustive()
    }
}

impl Keys {
    /// The keys of a prepared password. Takes as long as `iterations` say.
    pub fn of_password(password: &str, salt: &[u8], iterations: u32) -> Self {
        let salted = salted(password, salt, iterations);
        let stored = sha256(&hmac(&salted, b"Client Key"));
        let server = hmac(&salted, b"Server Key");
        Self { iterations, salt: salt.to_vec(), stored, server, made_up: false }
    }

    /// Whether the prepared password is that of the keys.
    pub fn are_of(&self, password: &str) -> bool {
        let others = Self::of_password(password, &self.salt, self.iterations);
        constant_time::verify_slices_are_equal(&others.stored, &self.stored).is_ok() && !self.made_up
    }

    /// As they stand in the user file behind `{SCRAM-SHA-256}`: `iterations,salt,stored key,server key`.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let mut parts = text.split(',');
        let (Some(iterations), Some(salt), Some(stored), Some(server), None) =
            (parts.next(), parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err("SCRAM keys are four parts: iterations, salt, stored key, server key");
        };
        let iterations = number(iterations).ok_or("the iterations of SCRAM keys are a number")?;
        if !(ITERATIONS_MIN..=ITERATIONS_MAX).contains(&iterations) {
            return Err("the iterations of SCRAM keys are from 4096 to 10000000");
        }
        let salt = STANDARD.decode(salt).map_err(|_| "the salt of SCRAM keys is not base64")?;
        if !(1..=SALT_MAX).contains(&salt.len()) {
            return Err("the salt of SCRAM keys has from 1 to 64 octets");
        }
        let (stored, server) = (key(stored)?, key(server)?);
        Ok(Self { iterations, salt, stored, server, made_up: false })
    }
}

/// As in the user file.
impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encode = |octets: &[u8]| STANDARD.encode(octets);
        write!(f, "{},{},{},{}", self.iterations, encode(&self.salt), encode(&self.stored), encode(&self.server))
    }
}

/// A number without sign and leading zeros.
pub(super) fn number(text: &str) -> Option<u32> {
    let plain = text.bytes().all(|b| b.is_ascii_digit()) && !text.starts_with('0');
    if plain { text.parse().ok() } else { None }
}

fn key(text: &str) -> Result<[u8; KEY_LEN], &'static str> {
    let octets = STANDARD.decode(text).map_err(|_| "a SCRAM key is not base64")?;
    octets.try_into().map_err(|_| "a SCRAM key has 32 octets")
}

/// `SaltedPassword`.
pub(super) fn salted(password: &str, salt: &[u8], iterations: u32) -> [u8; KEY_LEN] {
    let mut out = [0; KEY_LEN];
    let rounds = NonZeroU32::new(iterations).unwrap_or(NonZeroU32::MIN);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, rounds, salt, password.as_bytes(), &mut out);
    out
}

pub(super) fn hmac(key: &[u8], message: &[u8]) -> [u8; KEY_LEN] {
    fixed(hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message).as_ref())
}

pub(super) fn sha256(message: &[u8]) -> [u8; KEY_LEN] {
    fixed(digest::digest(&digest::SHA256, message).as_ref())
}

pub(super) fn xor(a: &[u8; KEY_LEN], b: &[u8; KEY_LEN]) -> [u8; KEY_LEN] {
    let mut out = *a;
    out.iter_mut().zip(b).for_each(|(x, y)| *x ^= y);
    out
}

fn fixed(octets: &[u8]) -> [u8; KEY_LEN] {
    let mut out = [0; KEY_LEN];
    out.iter_mut().zip(octets).for_each(|(to, from)| *to = *from);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_another_program() {
        // doveadm pw -s SCRAM-SHA-256 -p pencil
        let keys = "4096,stQsHm9Fu0uCjC/iFtOtwA==,5+gOyHntsVGcowQ4/dKtAevVHqnIx0EEw5xQA3f4EY0=,g4fLWzcLF1Tgv7NPHF7qdHYviRfDaY0ZvOFZAKoEWL4=";
        assert!(Keys::parse(keys).is_ok_and(|keys| keys.are_of("pencil")));
    }

    #[test]
    fn the_file_s_form_leads_back() {
        let keys = Keys::of_password("pencil", b"0123456789abcdef", 4096);
        assert_eq!(Keys::parse(&keys.to_string()), Ok(keys.clone()));
        assert!(keys.are_of("pencil") && !keys.are_of("Pencil"));
        assert!(!Keys { made_up: true, ..keys.clone() }.are_of("pencil"));
        let text = keys.to_string();
        for wrong in ["", "4096", &text.replace("4096", "04096"), &text.replace("4096", "1"), &text[..text.len() - 5]] {
            assert!(Keys::parse(wrong).is_err(), "{wrong}");
        }
    }
}
