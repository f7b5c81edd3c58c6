//! The script host: a component that runs a plain script as a sink.
//!
//! The server instantiates it, calls `loader.load` with the script's path, and then the events that `load` named. QuickJS runs the
//! script; the object model that it sees is made in `prelude/`, over the natives of `natives/`. [`events`] has what the server
//! calls, [`engine`] what QuickJS is set up with, [`script`] one call from begin to end, [`module`] how imports are found,
//! [`fault`] how what was thrown becomes a line of text.
//!
//! It is shipped pre-initialised: the engine was booted when it was built, so that an instance starts with QuickJS set up and the
//! prelude run, and only the script is to be read. Nothing may be asked of the world before that is over.

mod call;
mod claims;
mod clock;
mod engine;
mod events;
mod fault;
mod module;
mod natives;
mod script;
mod verdict;
mod wit;

/// What implements the exports.
struct Host;
