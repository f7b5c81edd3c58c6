//! All users, and whether what a client claims holds.
//!
//! Whoever does not exist costs what somebody who does would: a name that is not in the table is measured against a user who
//! is, always the same one for the same name, and then refused. So the mix of costs is that of the users, too.

use super::account::Account;
use crate::sasl::scram::Keys;
use aws_lc_rs::hmac;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

/// The users of the user file.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    list: Vec<Account>,
    /// By folded name.
    index: HashMap<Arc<str>, u32>,
    /// By the fingerprint of a certificate: the first who has it and may come in.
    pinned: HashMap<Arc<str>, u32>,
    /// Those whose password can be checked.
    measured: Vec<u32>,
    /// The first who has SCRAM keys: those made up for others look like his.
    pattern: Option<u32>,
    dice: RandomState,
}

/// A reload compares what is said.
impl PartialEq for Accounts {
    fn eq(&self, other: &Self) -> bool {
        self.list == other.list
    }
}

/// What became of a password, and what it cost to find out.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// The user, if it is his.
    pub user: Option<Arc<str>>,
    /// Whose hash was computed. Nothing: nobody has a password.
    pub measured_by: Option<Arc<str>>,
}

impl Accounts {
    /// Adds a user. False, and nothing has changed, if there is one of that name.
    pub fn add(&mut self, account: Account) -> bool {
        let Ok(at) = u32::try_from(self.list.len()) else { return false };
        // Most names are folded as they stand, and need no copy.
        let folded = match fold(&account.name) {
            Cow::Borrowed(_) => account.name.clone(),
            Cow::Owned(folded) => folded.into(),
        };
        match self.index.entry(folded) {
            std::collections::hash_map::Entry::Occupied(_) => return false,
            std::collections::hash_map::Entry::Vacant(place) => place.insert(at),
        };
        for print in account.certificates.iter().filter(|_| !account.disabled) {
            self.pinned.entry(print.clone()).or_insert(at);
        }
        if account.has_password() {
            self.measured.push(at);
            if account.keys.is_some() {
                self.pattern.get_or_insert(at);
            }
        }
        self.list.push(account);
        true
    }

    /// The user of this prepared name, whatever its case.
    pub fn find(&self, name: &str) -> Option<&Account> {
        self.at(*self.index.get(&*fold(name))?)
    }

    /// The user whose certificate this is, by its fingerprint or by one of the names in it that can be believed: the first in the
    /// file, if there are more, of those who may come in.
    pub fn of_certificate<'a>(&self, fingerprint: &str, names: impl Iterator<Item = &'a str>) -> Option<&Account> {
        let pinned = self.pinned.get(fingerprint);
        let named = names.filter_map(|name| self.index.get(&*fold(name)));
        let enabled = |at: &&u32| self.at(**at).is_some_and(|account| !account.disabled);
        self.at(*pinned.into_iter().chain(named).filter(enabled).min()?)
    }

    fn at(&self, index: u32) -> Option<&Account> {
        self.list.get(usize::try_from(index).ok()?)
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &Account> {
        self.list.iter()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether everybody who has a password can use SCRAM: only then clients may be led to prefer it.
    pub fn all_have_keys(&self) -> bool {
        let keyed = |at: &u32| self.at(*at).is_some_and(|account| account.keys.is_some());
        !self.measured.is_empty() && self.measured.iter().all(keyed)
    }

    /// Whether anybody comes in by a certificate of his own.
    pub fn any_certificate(&self) -> bool {
        !self.pinned.is_empty()
    }

    /// Whose password this is. Blocks, for about the same time whether name and password are right or wrong.
    pub fn check(&self, name: &str, password: &str) -> Checked {
        let real = self.find(name).filter(|account| account.has_password());
        let Some(measure) = real.or_else(|| self.stand_in(name)) else {
            return Checked { user: None, measured_by: None };
        };
        let right = measure.is_of(password);
        let user = real.filter(|_| right).map(|account| account.name.clone());
        Checked { user, measured_by: Some(measure.name.clone()) }
    }

    /// Somebody whose hash is computed in place of that of a name which has none.
    fn stand_in(&self, name: &str) -> Option<&Account> {
        let count = u64::try_from(self.measured.len()).unwrap_or(u64::MAX);
        let chosen = self.dice.hash_one(&*fold(name)).checked_rem(count)?;
        self.at(*self.measured.get(usize::try_from(chosen).ok()?)?)
    }

    /// The SCRAM keys of a user, or such as look like it: always the same for the same name.
    pub fn keys(&self, name: &str) -> Keys {
        let account = self.find(name).filter(|account| account.has_password());
        account.and_then(|account| account.keys.as_deref().cloned()).unwrap_or_else(|| self.made_up(name))
    }

    fn made_up(&self, name: &str) -> Keys {
        let pattern = self.pattern.and_then(|at| self.at(at)).and_then(|account| account.keys.as_deref());
        let secret = pattern.map_or([0; 32], |keys| keys.server);
        let key = hmac::Key::new(hmac::HMAC_SHA512, &secret);
        let mut salt = hmac::sign(&key, fold(name).as_bytes()).as_ref().to_vec();
        salt.truncate(pattern.map_or(16, |keys| keys.salt.len()));
        let iterations = pattern.map_or(100_000, |keys| keys.iterations);
        Keys { iterations, salt, stored: [0; 32], server: [0; 32], made_up: true }
    }
}

/// A name as it is compared. Mailboxes and people are not told apart by the case of their letters.
pub fn fold(name: &str) -> Cow<'_, str> {
    if name.bytes().any(|b| b.is_ascii_uppercase()) { name.to_ascii_lowercase().into() } else { name.into() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accounts::Hash;

    fn accounts() -> Accounts {
        let mut accounts = Accounts::default();
        for (name, hash) in [
            ("Alice", "$5$rounds=1000$saltstring$aLKy1A7M0fEBv.Y/Dq9lcIfkIW7aJfGpZvZJHMfEmQ/"),
            ("bob", "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"),
        ] {
            let hash = Hash::parse(hash).ok();
            assert!(accounts.add(Account { hash, ..Account::new(name) }));
        }
        let keys = Some(Box::new(Keys::of_password("pencil", b"0123456789ab", 4096)));
        assert!(accounts.add(Account { keys, ..Account::new("carol") }));
        assert!(accounts.add(Account { disabled: true, ..Account::new("dave") }));
        assert!(!accounts.add(Account::new("ALICE")));
        accounts
    }

    #[test]
    fn whose_password_it_is() {
        let accounts = accounts();
        assert_eq!(accounts.check("BOB", "U*U").user.as_deref(), Some("bob"));
        assert_eq!(accounts.check("carol", "pencil").user.as_deref(), Some("carol"));
        for (name, password) in [("bob", "u*u"), ("nobody", "U*U"), ("dave", ""), ("carol", "U*U")] {
            assert_eq!(accounts.check(name, password).user, None, "{name}");
        }
    }

    #[test]
    fn a_name_that_is_unknown_costs_one_hash_of_a_user_always_the_same() {
        let accounts = accounts();
        let measured = |name: &str| accounts.check(name, "U*U").measured_by.unwrap();
        assert_eq!(&*measured("Bob"), "bob");
        let mut seen = std::collections::BTreeSet::new();
        for n in 0..40 {
            let name = format!("nobody{n}");
            assert_eq!(measured(&name), measured(&name.to_uppercase()));
            assert_eq!(accounts.check(&name, "U*U").user, None);
            seen.insert(measured(&name));
        }
        // All kinds of hashes are there, as among the users.
        assert_eq!(seen.len(), 3);
        // One who is disabled costs the same as one who does not exist.
        assert_ne!(&*measured("dave"), "dave");
    }

    #[test]
    fn whose_certificate_it_is() {
        let mut accounts = accounts();
        for (name, disabled, print) in
            [("off", true, "aa"), ("printer", false, "aa"), ("scanner", false, "aa"), ("z", false, "bb")]
        {
            accounts.add(Account { certificates: vec![print.into()], disabled, ..Account::new(name) });
        }
        let of = |print: &str, names: &[&str]| {
            accounts.of_certificate(print, names.iter().copied()).map(|account| account.name.to_string())
        };
        assert_eq!(of("aa", &[]).as_deref(), Some("printer"), "the first who may come in");
        assert_eq!(of("bb", &["SCANNER", "nobody"]).as_deref(), Some("scanner"), "by name, and earlier in the file");
        assert_eq!(of("cc", &["off", "dave"]), None);
        assert_eq!(of("", &[]), None);
    }

    #[test]
    fn made_up_keys_look_like_keys() {
        let accounts = accounts();
        let (real, made_up) = (accounts.keys("carol"), accounts.keys("nobody"));
        assert!(!real.made_up && made_up.made_up);
        assert_eq!((real.iterations, real.salt.len()), (made_up.iterations, made_up.salt.len()));
        assert_eq!(made_up, accounts.keys("NOBODY"));
        assert_eq!(made_up, super::tests::accounts().keys("nobody"));
        assert_ne!(made_up.salt, accounts.keys("nobody2").salt);
        assert!(accounts.keys("alice").made_up);
        assert!(!accounts.all_have_keys());
    }
}
