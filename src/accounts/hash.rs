//! Hashes of passwords: argon2id, bcrypt and sha-crypt, as they stand in the user file.
//!
//! What a hash costs is bounded when it is read, so that no line of the file can keep the server busy.

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{CustomizedPasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use sha_crypt::ShaCrypt;
use std::fmt;

/// The most memory that argon2id may take, in KiB.
const MEMORY_MAX: u32 = 1 << 20;
/// The most passes of argon2id over it, and its lanes.
const PASSES_MAX: u32 = 32;
/// The greatest cost of bcrypt: about 5 s.
const BCRYPT_MAX: u32 = 16;
/// The most rounds of sha-crypt: about 1 s.
const ROUNDS_MAX: u32 = 1_000_000;
/// Rounds of new sha-crypt hashes.
const ROUNDS: u32 = 200_000;
/// The cost of new bcrypt hashes.
const BCRYPT: u32 = 12;

/// How a password is hashed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `$argon2id$`
    Argon2id,
    /// `$2a$`, `$2b$`, `$2y$`. Looks at the first 72 octets of a password.
    Bcrypt,
    /// `$5$`
    Sha256Crypt,
    /// `$6$`
    Sha512Crypt,
}

impl Kind {
    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Argon2id => "argon2id",
            Self::Bcrypt => "bcrypt",
            Self::Sha256Crypt => "sha256-crypt",
            Self::Sha512Crypt => "sha512-crypt",
        }
    }
}

/// The hash of a password.
#[derive(Clone, PartialEq, Eq)]
pub struct Hash {
    kind: Kind,
    text: Box<str>,
}

/// Without the hash itself: it is worth guessing at.
impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Hash").field(&self.kind).finish()
    }
}

impl Hash {
    /// Reads a hash. The error says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let kind = match text.strip_prefix('$').and_then(|t| t.split('$').next()) {
            Some("argon2id") => Kind::Argon2id,
            Some("2a" | "2b" | "2y") => Kind::Bcrypt,
            Some("5") => Kind::Sha256Crypt,
            Some("6") => Kind::Sha512Crypt,
            Some(other @ ("argon2i" | "argon2d" | "1" | "2x" | "y" | "7" | "md5" | "apr1" | "sha1")) => {
                return Err(format!("hashes that begin with `${other}$` are not supported"));
            }
            _ => return Err("this is no hash of a password".to_owned()),
        };
        match kind {
            Kind::Argon2id => argon2id(text)?,
            Kind::Bcrypt => bcrypt(text)?,
            Kind::Sha256Crypt => sha_crypt(text, 43)?,
            Kind::Sha512Crypt => sha_crypt(text, 86)?,
        }
        Ok(Self { kind, text: text.into() })
    }

    /// Hashes a prepared password with a new salt and the cost that we recommend. Takes tenths of a second.
    pub fn of_password(password: &str, kind: Kind) -> Result<Self, String> {
        let text = match kind {
            Kind::Argon2id => {
                let salt: [u8; 16] = random()?;
                let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::DEFAULT);
                let hash =
                    argon2::password_hash::PasswordHasher::hash_password_with_salt(&argon2, password.as_bytes(), &salt);
                hash.map(|h: PasswordHash| h.to_string()).map_err(|e| e.to_string())?
            }
            Kind::Bcrypt if password.len() > 72 => {
                return Err("bcrypt looks at the first 72 octets only, and the password is longer".to_owned());
            }
            Kind::Bcrypt => bcrypt::hash(password, BCRYPT).map_err(|e| e.to_string())?,
            Kind::Sha256Crypt | Kind::Sha512Crypt => {
                let salt: [u8; 12] = random()?;
                let name = if kind == Kind::Sha256Crypt { "5" } else { "6" };
                let rounds = sha_crypt::Params::new(ROUNDS).map_err(|e| e.to_string())?;
                let hasher = ShaCrypt::default();
                let hash = hasher.hash_password_customized(password.as_bytes(), &salt, Some(name), None, rounds);
                hash.map(|h| h.to_string()).map_err(|e| e.to_string())?
            }
        };
        Self::parse(&text)
    }

    /// How it was made.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// As it stands in the file.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether this prepared password is the one. Blocks for as long as the hash was made to cost.
    pub fn is_of(&self, password: &str) -> bool {
        let password = password.as_bytes();
        match self.kind {
            Kind::Argon2id => {
                let hash = PasswordHash::new(&self.text);
                hash.is_ok_and(|hash| Argon2::default().verify_password(password, &hash).is_ok())
            }
            Kind::Bcrypt => bcrypt::verify(password, &self.text).unwrap_or(false),
            Kind::Sha256Crypt | Kind::Sha512Crypt => ShaCrypt::default().verify_password(password, &*self.text).is_ok(),
        }
    }
}

/// Octets that nobody can guess.
pub fn random<const N: usize>() -> Result<[u8; N], String> {
    let mut octets = [0; N];
    aws_lc_rs::rand::fill(&mut octets).map_err(|_| "the system gives no random numbers".to_owned())?;
    Ok(octets)
}

fn argon2id(text: &str) -> Result<(), String> {
    let hash = PasswordHash::new(text).map_err(|e| format!("the argon2id hash is broken: {e}"))?;
    let params = Params::try_from(&hash).map_err(|e| format!("the parameters of the argon2id hash are wrong: {e}"))?;
    if hash.version.is_some_and(|v| v != 0x13) {
        return Err("only version 19 of argon2id is supported".to_owned());
    }
    if hash.salt.is_none() || hash.hash.as_ref().is_none_or(|hash| hash.len() < 16) {
        return Err("the argon2id hash lacks its salt or its end".to_owned());
    }
    if params.m_cost() > MEMORY_MAX || params.t_cost() > PASSES_MAX || params.p_cost() > PASSES_MAX {
        return Err("the argon2id hash costs too much: at most m=1048576 (1 GiB), t=32 and p=32".to_owned());
    }
    Ok(())
}

fn bcrypt(text: &str) -> Result<(), String> {
    let parts: bcrypt::HashParts = text.parse().map_err(|e| format!("the bcrypt hash is broken: {e}"))?;
    if !(4..=BCRYPT_MAX).contains(&parts.get_cost()) {
        return Err("the cost of a bcrypt hash is from 4 to 16".to_owned());
    }
    Ok(())
}

/// `$5$[rounds=N$]salt$hash`
fn sha_crypt(text: &str, len: usize) -> Result<(), String> {
    let mut parts: Vec<&str> = text.split('$').skip(2).collect();
    if let Some(rounds) = parts.first().and_then(|p| p.strip_prefix("rounds=")) {
        let rounds = rounds.parse().ok().filter(|n| (1000..=ROUNDS_MAX).contains(n));
        rounds.ok_or("the rounds of a sha-crypt hash are from 1000 to 1000000")?;
        parts.remove(0);
    }
    let fits = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'/');
    match parts[..] {
        [salt, hash] if (1..=16).contains(&salt.len()) && fits(salt) && hash.len() == len && fits(hash) => Ok(()),
        _ => Err("the sha-crypt hash is broken: expected a salt of up to 16 characters, `$` and the hash".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by openssl passwd, Python's crypt, and the reference implementation of argon2.
    const KNOWN: [(&str, &str); 5] = [
        ("$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5", "Hello world!"),
        ("$5$rounds=10000$saltstringsaltst$3xv.VbSHBb41AL9AvLeujZkZRBAwqFMz2.opqey6IcA", "Hello world!"),
        (
            "$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",
            "Hello world!",
        ),
        ("$2y$05$abcdefghijklmnopqrstuurdoAYieZNzRhwbaAKiEYjGPt1gSx7S.", "p\u{e4}ssword\u{a3}"),
        ("$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "password"),
    ];

    #[test]
    fn hashes_of_other_programs() {
        for (text, password) in KNOWN {
            let hash = Hash::parse(text).unwrap();
            assert!(hash.is_of(password), "{text}");
            assert!(!hash.is_of("Hello world"));
        }
    }

    #[test]
    fn what_is_made_is_read_again() {
        for kind in [Kind::Argon2id, Kind::Bcrypt, Kind::Sha256Crypt, Kind::Sha512Crypt] {
            let hash = Hash::of_password("secret", kind).unwrap();
            assert_eq!(hash.kind(), kind);
            assert!(hash.is_of("secret") && !hash.is_of("Secret"), "{}", hash.as_str());
            assert_ne!(hash, Hash::of_password("secret", kind).unwrap());
        }
        assert!(Hash::of_password(&"x".repeat(73), Kind::Bcrypt).is_err());
    }

    #[test]
    fn what_is_no_hash_or_costs_too_much_is_refused() {
        for wrong in [
            "",
            "secret",
            "$",
            "$1$abc$def",
            "$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW",
            "$2a$05$CCCCC",
            "$5$rounds=999999999$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5",
            "$5$saltstring$",
            "$5$saltstring$5B8vYYiY.CVt1RlTTf8KbXBH3hsxY/GNooZaBBGWEc5$",
            "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$YmFkZm9vZGJhZGZvb2RiYWRmb29kYmFkZm9vZGJhZGY",
            "$argon2id$v=19$m=64,t=2,p=1$c29tZXNhbHQ",
            "$argon2i$v=19$m=64,t=2,p=1$c29tZXNhbHQ$YmFkZm9vZGJhZGZvb2RiYWRmb29kYmFkZm9vZGJhZGY",
        ] {
            assert!(Hash::parse(wrong).is_err(), "{wrong}");
        }
    }
}
