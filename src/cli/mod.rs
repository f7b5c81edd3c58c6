//! The command line: one file per group of verbs.
//!
//! `serve` runs the server. `check`, `events` and `sink` work on the files; everything else asks the running server over its
//! control socket. Exit codes: 0 done, 1 the thing asked for failed, 2 usage. Under the names of `sendmail` there are no verbs.

mod account;
mod builder;
mod check;
pub mod dialogue;
mod events;
mod filter;
mod metrics;
mod out;
mod queue;
mod renew;
mod send;
mod sendmail;
pub mod serve;
mod sink;
mod site;
mod sites;
mod status;
mod submit;
mod table;
mod tail;
mod time;
mod track;
mod typings;
mod user;
mod why;
mod world;

pub use builder::Builder;

use clap::{Args, Parser, Subcommand};
use out::Outcome;
use std::path::PathBuf;
use std::process::ExitCode;

/// A mail transport server in which everything that may be decided is decided by sinks
#[derive(Parser, Debug)]
#[command(
    name = "mailsluice",
    version,
    arg_required_else_help = true,
    after_help = "\
Without --config, the file is the one that MAILSLUICE_CONFIG names, else ./mailsluice.toml, else
/etc/mailsluice/mailsluice.toml. Exit codes: 0 done, 1 the thing asked for failed, 2 usage.

Examples:
  mailsluice serve --config /etc/mailsluice/mailsluice.toml
  mailsluice why 0D4WM6Q2F0001
  mailsluice help queue release"
)]
struct Cli {
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Run the server in the foreground
    Serve(Serve),
    /// Check configuration, manifest and every file that they name
    Check(check::Check),
    /// Print the catalogue of events, and what a sink may say at each
    Events(events::Events),
    /// Look at the sinks of the manifest, or edit it
    #[command(subcommand, visible_alias = "sinks")]
    Sink(Box<sink::Sink>),
    /// Look at the queue of the running server, or change it
    #[command(subcommand)]
    Queue(queue::Queue),
    /// Look at the users who may log in, or change them
    #[command(subcommand)]
    User(user::User),
    /// Submit standard input as a message, sendmail-fashion
    Send(send::Send),
    /// Tell how the running server does
    Status(status::Show),
    /// Have the running server read everything again
    Reload,
    /// Have the running server fetch certificates by ACME anew
    Renew(renew::Renew),
    /// Print what happens, as it happens
    Tail(tail::Tail),
    /// Tell what became of a message or a refusal, and which sink said what
    Why(why::Why),
}

/// How to run the server.
#[derive(Args, Debug)]
#[command(after_help = "\
Logs go to standard error. `ready` and the bound addresses are printed once connections are accepted.
SIGTERM drains and stops, SIGHUP reloads.")]
struct Serve {
    /// Exit if the manifest does not pass, rather than start with the last one that did
    #[arg(long)]
    strict: bool,
}

/// Runs the command line of this process. The exit code is for `main` to return.
pub fn main(builder: Builder) -> ExitCode {
    #[cfg(feature = "wasm")]
    if let Some(done) = compile() {
        return done;
    }
    let mut arguments = std::env::args_os();
    if let Some(name) = arguments.next().as_ref().and_then(sendmail::Name::of) {
        return sendmail::run(name, arguments);
    }
    match Cli::try_parse() {
        Ok(cli) => run(cli, builder),
        Err(error) => {
            // Nobody is left to be told if this can't be written.
            let _ = error.print();
            ExitCode::from(if error.use_stderr() { 2 } else { 0 })
        }
    }
}

/// A server has this program compile a sink for it: no verb of anybody else's.
#[cfg(feature = "wasm")]
fn compile() -> Option<ExitCode> {
    use crate::manifest::build::{COMPILE, compile_sink};
    let mut arguments = std::env::args_os().skip(1);
    let cache = arguments.next().filter(|verb| verb == COMPILE).and_then(|_| arguments.next())?;
    Some(match compile_sink(std::path::Path::new(&cache)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    })
}

fn run(cli: Cli, builder: Builder) -> ExitCode {
    let natives = builder.natives;
    // These may do without a configuration.
    let verb = match cli.verb {
        Verb::Events(events) => return out::exit(events.run()),
        Verb::Sink(sink) => return out::exit(sink.run(cli.config.as_deref(), natives)),
        verb => verb,
    };
    let config = match site::config(cli.config.as_deref()) {
        Ok(config) => config,
        Err(failure) => return out::exit(Err(failure)),
    };
    let outcome: Outcome = match verb {
        Verb::Serve(Serve { strict }) => return serve::serve(serve::Options { config, strict }, natives),
        Verb::Check(check) => check.run(&config, natives),
        Verb::Events(events) => events.run(),
        Verb::Sink(sink) => sink.run(Some(&config), natives),
        Verb::Queue(queue) => queue.run(&config),
        Verb::User(user) => user.run(&config),
        Verb::Send(send) => send.run(&config),
        Verb::Status(show) => show.run(&config),
        Verb::Reload => status::reload(&config),
        Verb::Renew(renew) => renew.run(&config),
        Verb::Tail(tail) => tail.run(&config),
        Verb::Why(why) => why.run(&config),
    };
    out::exit(outcome)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_help_fits_a_screen_and_every_option_is_explained() {
        Cli::command().debug_assert();
        let mut command = Cli::command();
        let help = command.render_help().to_string();
        assert!(help.lines().count() <= 32, "{} lines\n{help}", help.lines().count());
        explained(&command, "mailsluice");
    }

    fn explained(command: &clap::Command, name: &str) {
        for argument in command.get_arguments().filter(|argument| argument.get_id() != "help") {
            assert!(argument.get_help().is_some(), "{name}: {}", argument.get_id());
        }
        for inner in command.get_subcommands() {
            assert!(inner.get_about().is_some(), "{name} {}", inner.get_name());
            explained(inner, &format!("{name} {}", inner.get_name()));
        }
    }

    #[test]
    fn sendmail_s_way_of_writing_options_is_understood() {
        for line in [
            "mailsluice send -falice@example.com -oi bob@example.com",
            "mailsluice send -t -i -f <>",
            "mailsluice --config x send -FCron -B8BITMIME -oem -f a b c",
            "mailsluice send -ti -r a -N never -R full -V x -v -G -n -bm -em",
            "mailsluice sinks order in.rcpt --config x",
            "mailsluice why --since 2h",
        ] {
            Cli::try_parse_from(line.split(' ')).unwrap_or_else(|error| panic!("{line}\n{error}"));
        }
        for line in ["mailsluice send", "mailsluice why", "mailsluice sink new", "mailsluice sink add x --on in.rcpt"] {
            assert_eq!(Cli::try_parse_from(line.split(' ')).unwrap_err().exit_code(), 2, "{line}");
        }
    }
}
