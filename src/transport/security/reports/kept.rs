//! Counts over a restart: `tls-reports.json` in the data directory, a line for each destination, policy and day.
//!
//! It is written once a minute while there is something new, and at the end. A server that is killed loses the last minute; a report
//! that was sent just before may then be sent again, under the same id.

use super::collect::{Basis, Collector, Days, Detail, Tally};
use crate::disk::{Disk, Files, replace};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The file's name in the data directory.
const NAME: &str = "tls-reports.json";

/// The file.
#[derive(Clone)]
pub struct Kept {
    files: Arc<dyn Files>,
    path: PathBuf,
}

/// The counts of one destination under one policy on one day.
#[derive(Serialize, Deserialize)]
struct Row {
    day: u64,
    domain: String,
    basis: Basis,
    successes: u64,
    failures: u64,
    hosts: Vec<String>,
    details: Vec<(Detail, u64, String)>,
}

impl Kept {
    /// In this data directory.
    pub fn under(data_dir: &Path) -> Self {
        Self::on(Arc::new(Disk), data_dir)
    }

    /// The same on these files.
    pub fn on(files: Arc<dyn Files>, data_dir: &Path) -> Self {
        Self { files, path: data_dir.join(NAME) }
    }

    /// Has the collector count on from what was kept. What can't be read is told, and counted from nothing.
    pub fn resume(&self, collector: &Collector) {
        match self.read() {
            Ok(days) => collector.resume(days),
            Err(error) => {
                tracing::warn!(path = %self.path.display(), %error, "the counts for TLS reports can't be read, and begin anew");
            }
        }
    }

    /// Writes what there is, if it is something new. What can't be written now is written the next time.
    pub async fn keep(&self, collector: &Collector) {
        let Some(days) = collector.changed() else { return };
        let this = self.clone();
        let written = tokio::task::spawn_blocking(move || this.write(days)).await;
        if let Err(error) = written.map_err(io::Error::other).and_then(|written| written) {
            collector.not_kept();
            tracing::warn!(path = %self.path.display(), %error, "the counts for TLS reports can't be written");
        }
    }

    fn read(&self) -> io::Result<Days> {
        let file = match self.files.open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Days::new()),
            opened => opened?,
        };
        let rows: Vec<Row> = serde_json::from_slice(&file.read_vec(0, file.len()?)?)?;
        let mut days = Days::new();
        for row in rows {
            let Row { day, domain, basis, successes, failures, hosts, details } = row;
            let details = details.into_iter().map(|(detail, count, text)| (detail, (count, text))).collect();
            days.entry(day).or_default().insert((domain, basis), Tally { successes, failures, hosts, details });
        }
        Ok(days)
    }

    fn write(&self, days: Days) -> io::Result<()> {
        let all = days.into_iter().flat_map(|(day, counts)| counts.into_iter().map(move |counts| (day, counts)));
        let rows = all.map(|(day, ((domain, basis), tally))| {
            let Tally { successes, failures, hosts, details } = tally;
            let details = details.into_iter().map(|(detail, (count, text))| (detail, count, text)).collect();
            Row { day, domain, basis, successes, failures, hosts, details }
        });
        replace(&*self.files, &self.path, &serde_json::to_vec(&rows.collect::<Vec<_>>())?, 0o600)
    }
}
