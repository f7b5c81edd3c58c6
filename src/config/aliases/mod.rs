//! `recipients.aliases`: names that stand for others, distribution lists and catch-alls.
//!
//! They come from any number of files, each in the classic form of aliases(5) or in TOML, and from the lists of addresses
//! that those include. Everything is checked when it is read: a bad line is told with its place, and so are names that are
//! given twice, circles and members that nobody has heard of. What comes out is one compact table; expanding an address by
//! it is the directory's work.
//!
//! # Layout
//! * what comes out: [`table`], [`member`]
//! * reading: `read`, with `classic` and `written` for the two forms, `words` for what both have in common, `include`
//! * what only shows when all has been read: `check`, `circles`

mod check;
mod circles;
mod classic;
mod draft;
mod include;
mod member;
mod read;
mod table;
mod words;
mod written;

pub use member::{Member, Whom};
pub(super) use read::{Around, read};
pub use table::{Aliases, Entry, EntryId, Residents};

/// How deep lists may be nested in lists.
pub const DEPTH_MAX: usize = 20;

#[cfg(test)]
mod tests;
