//! The keytab of `[auth] gssapi`: Kerberos finds it by a variable of the environment, which can't safely be changed in a running
//! process. So the server starts itself again with it, before it has touched anything; process and standard streams stay the same.

use crate::accounts::kerberos::{VARIABLE, value};
use crate::config::Settings;
use std::os::unix::process::CommandExt;
use std::process::Command;

/// Goes on if the environment is as the settings want it. Otherwise it does not return, unless that fails.
pub(super) fn point_to(settings: &Settings) -> Result<(), String> {
    let Some(gssapi) = &settings.auth.gssapi else { return Ok(()) };
    let value = value(&gssapi.service.keytab);
    if std::env::var_os(VARIABLE).is_some_and(|set| set == value) {
        return Ok(());
    }
    let failed = |error| format!("auth.gssapi.keytab: the server can't start itself with {VARIABLE} set: {error}");
    let program = std::env::current_exe().map_err(failed)?;
    let mut arguments = std::env::args_os();
    let mut again = Command::new(program);
    // Its name is what it was called by.
    again.arg0(arguments.next().unwrap_or_default());
    again.args(arguments).env(VARIABLE, value);
    Err(failed(again.exec()))
}
