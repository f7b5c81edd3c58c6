//! Whose mail is this: is the domain ours, does the user exist, whom does an alias stand for, may this client relay.
//!
//! An address is taken apart once, by `mail`, at the last `@` outside of quotes, and nothing here looks for
//! another one inside: `a%b@here`, `b!a@here` and `"a@b"@here` are local parts of `here` and lead nowhere else.
//! The answer holds for the settings it was built from; a reload builds another directory.

mod aliased;
mod builder;
mod expand;
mod expn;
mod lookup;
mod own;
mod users;
mod verify;
mod vrfy;

pub use aliased::{Expansion, Target};
pub use builder::{Builder, DirectoryError};
pub use expand::{ExpandError, RECIPIENTS_MAX, Resolved};
pub use expn::Expn;
pub use lookup::{Directory, User};
pub use verify::{Existence, Verify};
pub use vrfy::Vrfy;
