//! A file written anew in the place of the old one: whoever loses power in between has the one or the other, whole.

use super::{Files, dirs};
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::path::Path;

/// Writes a file beside the old one, for those that `mode` lets, and puts it in its place once it is durable. On return it is there
/// for good.
pub fn replace(files: &dyn Files, path: &Path, octets: &[u8], mode: u32) -> io::Result<()> {
    let mut fresh = OsString::from(path);
    fresh.push(".new");
    let fresh = Path::new(&fresh);
    match files.remove(fresh) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = files.create(fresh, mode)?;
    file.write_at(0, octets)?;
    file.sync_data()?;
    files.rename(fresh, path)?;
    files.sync_dir(dirs::parent(path))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::Disk;
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn the_new_takes_the_place_of_the_old_and_of_what_a_crash_left() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.json");
        fs::write(&path, "old and long").unwrap();
        fs::write(dir.path().join("a.json.new"), "half").unwrap();
        replace(&Disk, &path, b"new", 0o600).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
