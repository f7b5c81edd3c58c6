//! The script host as it is kept, with scripts for each of its rules: what they do, and how what is wrong with them reads.

mod calls;
mod commands;
mod faults;
mod loading;
mod model;
mod outbound;
mod rig;
mod services;
mod stub;
mod transport;
