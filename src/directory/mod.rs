//! Whose mail is this: is the domain ours, does the user exist, may this client relay.
//!
//! An address is taken apart once, by `mail`, at the last `@` outside of quotes, and nothing here looks for
//! another one inside: `a%b@here`, `b!a@here` and `"a@b"@here` are local parts of `here` and lead nowhere else.
//! The answer holds for the settings it was built from; a reload builds another directory.

mod builder;
mod lookup;
mod users;
mod vrfy;

pub use builder::{Builder, DirectoryError};
pub use lookup::{Directory, User};
pub use vrfy::Vrfy;
