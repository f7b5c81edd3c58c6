//! The two other sides of [`mailsluice::disk::Files`]: one on which operations fail, and one from which the power is cut.

mod chosen;
mod faulty;
mod power;

pub(crate) use crate::reference::disk::Cached;
pub(crate) use chosen::{cuts, operations};
pub(crate) use faulty::{Faulty, Plan};
pub(crate) use power::Cut;
