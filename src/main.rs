//! The server and its command line, with the native sinks that ship.

fn main() -> std::process::ExitCode {
    mailsluice::cli::main(mailsluice::cli::Builder::new())
}
