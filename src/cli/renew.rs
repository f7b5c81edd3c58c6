//! `mailsluice renew`: certificates by ACME before their time, or before the next try.

use super::out::{Failure, Out, Outcome};
use super::site;
use crate::admin::{Request, Response};
use clap::Args;
use std::io::Write;
use std::path::Path;

/// Which certificates.
#[derive(Args, Debug)]
#[command(after_help = "\
The server asks the authority at once, though it would wait otherwise. `mailsluice status` tells how it went.
Authorities count what they issue: most issue five times a week for the same names, and no more.")]
pub(super) struct Renew {
    /// The name that the certificate is called after, the first of its list; without it, all
    name: Option<String>,
}

impl Renew {
    pub(super) fn run(self, config: &Path) -> Outcome {
        let mut asked = Vec::new();
        site::connect(config)?.ask(&Request::Renew { name: self.name }, |response| {
            if let Response::Renewing { names } = response {
                asked = names;
            }
            Ok::<_, Failure>(())
        })?;
        let mut out = Out::new();
        for name in asked {
            writeln!(out, "{name}: the authority is being asked")?;
        }
        out.end()
    }
}
