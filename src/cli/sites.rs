//! `mailsluice queue sites`, `suspend` and `resume`: the outbound traffic, and how to stop a part of it.

use super::out::{Failure, Out, Outcome, note, printable, span};
use super::table::Table;
use super::{site, time};
use crate::admin::{Request, Response, SiteLine, Stop, SuspensionLine, TrafficRequest};
use crate::mail::Timestamp;
use clap::Args;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

/// What to stop or let go on.
#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
pub(super) struct What {
    /// Sites of this name, as `queue sites` shows it; `*` and `?` are wild
    #[arg(long, value_name = "GLOB")]
    site: Option<String>,
    /// Recipient domains; `*` and `?` are wild
    #[arg(long, value_name = "GLOB")]
    domain: Option<String>,
}

impl What {
    fn stop(self) -> Result<Stop, Failure> {
        let usage = || Failure::Usage("which? Give --site or --domain".to_owned());
        self.site.map(Stop::Site).or(self.domain.map(Stop::Domain)).ok_or_else(usage)
    }
}

pub(super) fn list(config: &Path, json: bool) -> Outcome {
    let (mut sites, mut suspensions) = (Vec::new(), Vec::new());
    ask(config, TrafficRequest::Sites, |response| match response {
        Response::Site(line) => sites.push(line),
        Response::Suspension(line) => suspensions.push(line),
        _ => {}
    })?;
    let mut out = Out::new();
    if json {
        out.json(&serde_json::json!({ "sites": sites, "suspensions": suspensions }))?;
        return out.end();
    }
    if sites.is_empty() && suspensions.is_empty() {
        note("no site has connections, is waited for or held back");
    }
    let now = time::now();
    if !sites.is_empty() {
        table(&sites, now).print(&mut out)?;
    }
    for line in &suspensions {
        writeln!(out, "{}", told(line, now))?;
    }
    out.end()
}

pub(super) fn suspend(config: &Path, what: What, time: Option<Duration>, reason: String) -> Outcome {
    let until = time.map(|time| time::now().plus(time));
    let what = what.stop()?;
    let told =
        format!("{what} gets nothing until {}", if until.is_some() { "its time is up" } else { "it is resumed" });
    ask(config, TrafficRequest::Suspend { what, until, reason }, |_| {})?;
    note(&told);
    Ok(())
}

pub(super) fn resume(config: &Path, what: What) -> Outcome {
    let what = what.stop()?;
    let told = format!("{what} gets mail again");
    ask(config, TrafficRequest::Resume { what }, |_| {})?;
    note(&told);
    Ok(())
}

fn ask(config: &Path, request: TrafficRequest, mut keep: impl FnMut(Response)) -> Outcome {
    site::connect(config)?.ask(&Request::Traffic(request), |response| {
        keep(response);
        Ok::<_, Failure>(())
    })?;
    Ok(())
}

fn table(sites: &[SiteLine], now: Timestamp) -> Table {
    let mut table = Table::with_head(&["SITE", "CONNECTIONS", "OF", "WAITING", "STATE"]).right(&[1, 2, 3]).one_line();
    for site in sites {
        let state = match (&site.suspended, site.backoff_until) {
            (Some(reason), _) => format!("suspended: {reason}"),
            (None, Some(until)) => format!("left alone for {}", span(until.since(now))),
            (None, None) => String::new(),
        };
        table.row([
            printable(&site.site),
            site.connections.to_string(),
            site.window.to_string(),
            site.waiting.to_string(),
            printable(&state),
        ]);
    }
    table
}

fn told(line: &SuspensionLine, now: Timestamp) -> String {
    let until =
        line.until.map_or_else(|| "until it is resumed".to_owned(), |at| format!("for {}", span(at.since(now))));
    printable(&format!("{} is suspended {until}: {}", line.what, line.reason))
}
