//! Suspensions over a restart: a small file, `suspensions.json` in the data directory.
//!
//! A suspension is in force when the file is durable. Whatever else traffic knows, it learns anew.

use super::governor::Governor;
use super::suspend::{Suspended, Suspension};
use crate::disk::{Disk, Files, replace};
use crate::mail::{Glob, Timestamp};
use serde::{Deserialize, Serialize};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::sync::Mutex;

/// The file's name in the data directory.
const NAME: &str = "suspensions.json";

/// The file, and who keeps the governor in step with it.
pub struct Kept {
    files: Arc<dyn Files>,
    path: PathBuf,
    governor: Arc<Governor>,
    /// One change at a time.
    changing: Mutex<()>,
}

/// One suspension as it is written.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    site: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    reason: String,
}

impl Kept {
    /// Reads the file of a data directory, and puts in force what stands in it.
    pub fn open(governor: Arc<Governor>, data_dir: &Path) -> io::Result<Self> {
        Self::open_on(Arc::new(Disk), governor, data_dir)
    }

    /// The same on these files.
    pub fn open_on(files: Arc<dyn Files>, governor: Arc<Governor>, data_dir: &Path) -> io::Result<Self> {
        let kept = Self { files, path: data_dir.join(NAME), governor, changing: Mutex::default() };
        for suspension in kept.read().map_err(|error| kept.at(&error))? {
            kept.governor.suspend(suspension.what, suspension.until, suspension.reason);
        }
        Ok(kept)
    }

    /// Stops sites or domains, also after a restart.
    pub async fn suspend(self: &Arc<Self>, what: Suspended, until: Option<Timestamp>, reason: &str) -> io::Result<()> {
        let _one = self.changing.lock().await;
        let mut list = self.others(&what);
        list.push(Suspension { what: what.clone(), until, reason: reason.to_owned() });
        self.write_off_the_loop(list).await?;
        self.governor.suspend(what, until, reason);
        Ok(())
    }

    /// Lets go on what was stopped in exactly these words. False if nothing was.
    pub async fn resume(self: &Arc<Self>, what: &Suspended, now: Timestamp) -> io::Result<bool> {
        let _one = self.changing.lock().await;
        self.write_off_the_loop(self.others(what)).await?;
        Ok(self.governor.resume(what, now))
    }

    fn others(&self, what: &Suspended) -> Vec<Suspension> {
        self.governor.suspensions().into_iter().filter(|known| known.what != *what).collect()
    }

    async fn write_off_the_loop(self: &Arc<Self>, list: Vec<Suspension>) -> io::Result<()> {
        let kept = self.clone();
        let written = tokio::task::spawn_blocking(move || kept.write(&list)).await;
        written.map_err(io::Error::other)?.map_err(|error| self.at(&error))
    }

    fn read(&self) -> io::Result<Vec<Suspension>> {
        let file = match self.files.open(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        let octets = file.read_vec(0, file.len()?)?;
        let lines: Vec<Line> = serde_json::from_slice(&octets)?;
        lines.into_iter().map(Suspension::try_from).collect()
    }

    fn write(&self, list: &[Suspension]) -> io::Result<()> {
        let lines: Vec<Line> = list.iter().map(Line::from).collect();
        let octets = serde_json::to_vec_pretty(&lines)?;
        replace(&*self.files, &self.path, &octets, 0o600)
    }

    fn at(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("{}: {error}", self.path.display()))
    }
}

impl From<&Suspension> for Line {
    fn from(suspension: &Suspension) -> Self {
        let (site, domain) = match &suspension.what {
            Suspended::Site(glob) => (Some(glob.to_string()), None),
            Suspended::Domain(glob) => (None, Some(glob.to_string())),
        };
        Self { site, domain, until: suspension.until, reason: suspension.reason.clone() }
    }
}

impl TryFrom<Line> for Suspension {
    type Error = io::Error;
    fn try_from(line: Line) -> io::Result<Self> {
        let what = match (line.site, line.domain) {
            (Some(site), None) => Suspended::Site(Glob::new(&site)),
            (None, Some(domain)) => Suspended::Domain(Glob::new(&domain)),
            _ => return Err(io::Error::new(ErrorKind::InvalidData, "an entry has to name either a site or a domain")),
        };
        Ok(Self { what, until: line.until, reason: line.reason })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn open(dir: &Path) -> io::Result<(Arc<Governor>, Arc<Kept>)> {
        let governor = Governor::new();
        Ok((governor.clone(), Arc::new(Kept::open(governor, dir)?)))
    }

    #[tokio::test]
    async fn what_was_stopped_is_so_after_a_restart_until_it_is_resumed() {
        let dir = tempfile::tempdir().unwrap();
        let (site, domain) = (Suspended::Site(Glob::new("mx.*")), Suspended::Domain(Glob::new("x.example")));
        let (governor, kept) = open(dir.path()).unwrap();
        kept.suspend(site.clone(), Some(Timestamp(9_000)), "moving").await.unwrap();
        kept.suspend(domain.clone(), None, "asked").await.unwrap();
        kept.suspend(domain.clone(), None, "asked again").await.unwrap();
        let before = governor.suspensions();
        let (governor, kept) = open(dir.path()).unwrap();
        assert_eq!(governor.suspensions(), before);
        assert_eq!(before.len(), 2);
        assert!(kept.resume(&site, Timestamp(0)).await.unwrap());
        assert!(!kept.resume(&site, Timestamp(0)).await.unwrap());
        let (governor, _) = open(dir.path()).unwrap();
        assert_eq!(governor.suspensions().iter().map(|s| s.reason.as_str()).collect::<Vec<_>>(), ["asked again"]);
    }

    #[tokio::test]
    async fn what_can_not_be_written_is_not_in_force_and_what_can_not_be_read_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let (governor, kept) = open(dir.path()).unwrap();
        fs::create_dir(dir.path().join("suspensions.json.new")).unwrap();
        let what = Suspended::Domain(Glob::new("x.example"));
        assert!(kept.suspend(what, None, "x").await.is_err());
        assert!(governor.suspensions().is_empty());
        for broken in ["{", "[{\"reason\":\"x\"}]", "[{\"site\":\"a\",\"domain\":\"b\",\"reason\":\"x\"}]"] {
            fs::write(dir.path().join(NAME), broken).unwrap();
            let error = open(dir.path()).err().map(|error| error.to_string()).unwrap_or_default();
            assert!(error.contains("suspensions.json: "), "{broken}: {error}");
        }
    }
}
