//! Which configuration is meant, and the server that runs with it.

use super::out::{Failure, Out, Outcome, note};
use super::status::ask_reload;
use crate::admin::{Client, ClientError};
use crate::config::{Diagnostics, Settings};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The variable that names the configuration if `--config` does not.
pub(super) const VARIABLE: &str = "MAILSLUICE_CONFIG";
/// Where the configuration is looked for if nothing names it.
const PLACES: [&str; 2] = ["mailsluice.toml", "/etc/mailsluice/mailsluice.toml"];

/// The path of the configuration.
pub(super) fn config(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let named = given.map(Path::to_owned).or_else(|| {
        let value = std::env::var_os(VARIABLE).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    });
    if let Some(path) = named {
        return Ok(path);
    }
    let found = PLACES.iter().map(Path::new).find(|path| path.exists());
    found.map(Path::to_owned).ok_or_else(|| {
        let looked = PLACES.map(|place| format!("`{place}`")).join(" and ");
        Failure::Failed(format!(
            "there is no configuration: looked for {looked}\n  name one with `--config FILE` or in {VARIABLE}"
        ))
    })
}

/// The settings of a server that may be running with an older state of the file: what is wrong elsewhere in it does not
/// keep an operator from its socket. Not for anything that acts on the settings themselves.
pub(super) fn settings(config: &Path) -> Result<Settings, Failure> {
    let mut found = Diagnostics::default();
    Settings::read(config, &mut found).ok_or_else(|| Failure::Failed(found.to_string()))
}

/// A connection to the running server.
pub(super) fn connect(config: &Path) -> Result<Client, Failure> {
    Ok(Client::connect(&settings(config)?.admin.socket)?)
}

/// Says whether a running server has taken up a change of its files.
pub(super) fn tell_server(settings: &Settings) -> Outcome {
    let mut client = match Client::connect(&settings.admin.socket) {
        Ok(client) => client,
        Err(ClientError::NotRunning(_)) => {
            note("the server does not run; it will have this when it starts");
            return Ok(());
        }
        Err(error) => {
            note(&format!("whether the server has taken it up can't be told: {error}"));
            return Ok(());
        }
    };
    if !settings.reload.watch {
        note("the running server does not watch its files: `mailsluice reload` puts this in force");
        return Ok(());
    }
    // It would see the change by itself a moment later; asking tells how it went.
    let generation = ask_reload(&mut client)?;
    let mut out = Out::new();
    writeln!(out, "reloaded: generation {generation} is in force")?;
    out.end()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_socket_is_found_in_a_configuration_that_would_not_pass() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("m.toml");
        std::fs::write(&file, "hostname = 'mx.example.com'\nlisteners = 5\n[admin]\nsocket = '/run/m.sock'\n").unwrap();
        assert_eq!(settings(&file).unwrap().admin.socket, Path::new("/run/m.sock"));
        std::fs::write(&file, "[admin\n").unwrap();
        let Err(Failure::Failed(text)) = settings(&file) else { panic!() };
        assert!(text.starts_with("error: "), "{text}");
        let Err(Failure::Failed(text)) = connect(&dir.path().join("none.toml")) else { panic!() };
        assert!(text.contains("does not exist") && text.contains("--config"), "{text}");
    }
}
