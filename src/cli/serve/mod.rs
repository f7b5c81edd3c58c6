//! `mailsluice serve`: everything wired together, from the lock on data-dir to the last reply.
//!
//! The order matters. The configuration is read, the lock taken, and ports and control socket are bound before privileges are
//! dropped, and that before there are threads. The spool is recovered before anything accepts. `ready` is printed when it does.

mod certificates;
mod keytab;
mod log;
mod privileges;
mod run;
mod start;

use crate::admin::Bound;
use crate::config::Diagnostics;
use crate::event::Natives;
use crate::manifest::load::{Inputs, read_settings};
use log::Log;
use privileges::Heir;
use start::{Opened, Prepared};
use std::path::PathBuf;
use std::process::ExitCode;

/// How to serve.
#[derive(Clone, Debug)]
pub struct Options {
    /// The configuration file.
    pub config: PathBuf,
    /// Rather exit than fall back to the last good manifest.
    pub strict: bool,
}

/// Serves until SIGTERM or SIGINT. Why it could not is told on standard error.
pub fn serve(options: Options, natives: Natives) -> ExitCode {
    let log = Log::default();
    let served = prepare(&options, &log).and_then(|prepared| run::run(options, natives, prepared));
    log.flush();
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{}", why.trim_end());
            ExitCode::FAILURE
        }
    }
}

/// What is done before there is a runtime.
fn prepare(options: &Options, log: &Log) -> Result<Prepared, String> {
    let (mut found, mut inputs) = (Diagnostics::default(), Inputs::default());
    let settings = read_settings(&options.config, &mut inputs, &mut found);
    let Some(settings) = settings.filter(|_| !found.has_errors()) else { return Err(found.to_string()) };
    keytab::point_to(&settings)?;
    start::logging(&settings.log, log);
    privileges::raise_file_limit();
    let heir = Heir::of(&settings)?;
    let lock = start::lock(&settings.data_dir, heir.as_ref())?;
    let (sockets, doors) = start::bind(&settings)?;
    let owner = heir.as_ref().map(|h| (h.uid, h.gid));
    let control = Bound::new(&settings.admin.socket, settings.admin.group.as_deref(), owner)?;
    if let Some(heir) = &heir {
        heir.become_them()?;
        privileges::look_again(&mut inputs);
    }
    log.detach().map_err(|e| format!("no thread for the log: {e}"))?;
    Ok(Prepared { lock, opened: Opened { settings, found, inputs, sockets, doors, control } })
}
