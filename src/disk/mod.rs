//! The one way to files that must survive: the operations that the spool and local deliveries need, so that tests can make
//! each of them fail, and model what a power cut leaves.
//!
//! [`Files`] and [`File`] say what each promises, [`Disk`] keeps it on the machine's disks, [`dirs`] makes directories durably,
//! [`replace()`] puts a whole file in the place of another.

pub mod dirs;
mod files;
mod real;
mod replace;

pub use files::{File, Files};
pub use real::Disk;
pub use replace::replace;
