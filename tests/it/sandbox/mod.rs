//! Guests that misbehave, against the server: whatever they do is their own fault, the ledger says so in words that their
//! authors understand, and the mail of others flows on.
//!
//! The guests are in `tests/guests/`; `rows.toml` there says which of the known hazards each acts out, and where it is tested.

mod alone;
mod arena;
mod guests;
mod text;

mod bounds;
mod canaries;
mod changes;
mod files;
mod passes;
mod reach;
mod rows;
mod scripts;
mod served;
mod sessions;
mod swaps;
mod traps;
mod values;
mod views;
