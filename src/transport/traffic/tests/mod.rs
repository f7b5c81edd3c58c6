//! The governor in virtual time.

mod calling;
mod fairness;
mod model;
mod scale;
mod steering;
mod world;
