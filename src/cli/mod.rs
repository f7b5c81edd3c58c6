//! The command line: one file per group of verbs.

pub mod serve;

use crate::event::Natives;
use std::process::ExitCode;

/// Runs the command line with these native sinks.
pub fn main(natives: Natives) -> ExitCode {
    match std::env::args().skip(1).collect::<Vec<_>>().as_slice() {
        [verb, flag, config] if verb == "serve" && flag == "--config" => {
            serve::serve(serve::Options { config: config.into(), strict: false }, natives)
        }
        _ => {
            eprintln!("usage: mailsluice serve --config FILE");
            ExitCode::from(2)
        }
    }
}
