//! The pickup directory: files that are moved into it are submitted.
//!
//! A file is removed only after its message is durable; what the server can't take now stays and is tried again; what it can't
//! take at all goes to badmail with a note. A crash between the commit and the removal submits a file twice, and none is lost.
//! Who may send is decided by the permissions of the directory, and nothing else.
//!
//! # Layout
//!
//! [`door`] runs it all. `watch` hears of changes, `folder` lists files and takes them away, `shelf` says which of them are due,
//! `file` reads one, `head` finds its envelope, `submit` brings it through intake.

pub mod door;
mod file;
mod folder;
mod head;
mod shelf;
mod submit;
#[cfg(test)]
mod tests;
mod watch;

pub use door::run;
