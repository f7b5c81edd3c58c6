//! Where recovery puts what it can't read: nothing is thrown away, and nothing stops the rest.
//!
//! A damaged range is copied to `quarantine/<segment>-<offset>`, once; a file of `blobs/` that may belong to a damaged
//! record is moved there. One line in the log for each says what, where from, why and where to.

use super::place::{Place, file_name};
use super::scan::Damage;
use super::segment::Name;
use crate::disk::{File, Files};
use std::io;
use std::sync::Arc;

/// The folder `quarantine/`.
pub(super) struct Quarantine {
    files: Arc<dyn Files>,
    place: Place,
    there: Vec<String>,
}

impl Quarantine {
    pub(super) fn open(files: Arc<dyn Files>, place: Place) -> io::Result<Self> {
        let there = files.list(&place.quarantine())?;
        Ok(Self { files, place, there })
    }

    /// Copies a damaged range and says so. False if it could not be copied: then its segment must stay.
    pub(super) fn keep(&self, name: Name, file: &dyn File, damage: &Damage) -> bool {
        let Damage { range, id, why } = damage;
        let message = id.map_or("unknown".to_owned(), |id| id.to_string());
        let kept = format!("{:016x}-{:x}", name.number, range.start);
        if self.there.contains(&kept) {
            tracing::debug!(segment = %name, offset = range.start, "damage that was quarantined before");
            return true;
        }
        let copied = self.copy(&kept, file, damage);
        let octets = range.end - range.start;
        match &copied {
            Ok(()) => tracing::warn!(
                segment = %name, offset = range.start, octets, %message, %why, kept = format_args!("quarantine/{kept}"),
                "a record of the spool can't be read and was put aside"
            ),
            Err(error) => tracing::error!(
                segment = %name, offset = range.start, octets, %message, %why, %error,
                "a record of the spool can't be read and could not be put aside; its segment stays"
            ),
        }
        copied.is_ok()
    }

    fn copy(&self, kept: &str, file: &dyn File, damage: &Damage) -> io::Result<()> {
        let dir = self.place.quarantine();
        let octets = file.read_vec(damage.range.start, damage.range.end - damage.range.start)?;
        let part = dir.join(format!("{kept}.part"));
        if self.there.contains(&format!("{kept}.part")) {
            self.files.remove(&part)?;
        }
        let copy = self.files.create(&part, 0o600)?;
        copy.write_at(0, &octets)?;
        copy.sync_data()?;
        self.files.rename(&part, &dir.join(kept))?;
        self.files.sync_dir(&dir)
    }

    /// Moves a file of `blobs/` that no readable record names.
    pub(super) fn keep_blob(&self, name: u64) -> io::Result<()> {
        let kept = format!("blob-{}", file_name(name));
        tracing::warn!(
            blob = file_name(name),
            kept = format_args!("quarantine/{kept}"),
            "no record that can be read names this message's file; it was put aside"
        );
        self.files.rename(&self.place.blob(name), &self.place.quarantine().join(kept))
    }
}
