//! The real file system.

use super::files::{File, Files};
use nix::sys::utsname::uname;
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::Path;
use std::sync::{Arc, LazyLock};

/// From so many files on, syncing their whole file system once is cheaper than syncing each.
const MANY: usize = 3;

/// Whether `syncfs` tells of writes that have failed: since Linux 5.8, of those that failed after its file was opened.
static SYNCFS_TELLS: LazyLock<bool> = LazyLock::new(|| {
    let release = uname().ok().and_then(|name| Some(name.release().to_str()?.to_owned()));
    release.is_some_and(|release| syncfs_tells(&release))
});

fn syncfs_tells(release: &str) -> bool {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|part| part.parse::<u32>().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)) >= (5, 8)
}

/// Files on the machine's disks.
#[derive(Clone, Copy, Debug, Default)]
pub struct Disk;

impl Files for Disk {
    fn create_dir(&self, path: &Path) -> io::Result<()> {
        fs::DirBuilder::new().mode(0o700).create(path)
    }
    fn is_dir(&self, path: &Path) -> io::Result<bool> {
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => Ok(true),
            Ok(_) => Err(io::ErrorKind::NotADirectory.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }
    fn create(&self, path: &Path, mode: u32) -> io::Result<Arc<dyn File>> {
        let file = fs::OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path)?;
        Ok(Arc::new(file))
    }
    fn open(&self, path: &Path) -> io::Result<Arc<dyn File>> {
        Ok(Arc::new(fs::File::open(path)?))
    }
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }
    fn list(&self, path: &Path) -> io::Result<Vec<String>> {
        fs::read_dir(path)?.map(|found| Ok(found?.file_name().to_string_lossy().into_owned())).collect()
    }
    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        fs::File::open(path)?.sync_all()
    }
    fn sync_all(&self, files: &[Arc<dyn File>]) -> io::Result<()> {
        if files.len() < MANY || !*SYNCFS_TELLS {
            return files.iter().try_for_each(|file| file.sync_data());
        }
        // The first file of each file system was opened before the others were written: it hears of all that failed.
        let mut synced = Vec::new();
        for fd in files.iter().filter_map(|file| file.fd()) {
            let device = nix::sys::stat::fstat(fd)?.st_dev;
            if !synced.contains(&device) {
                nix::unistd::syncfs(fd)?;
                synced.push(device);
            }
        }
        files.iter().filter(|file| file.fd().is_none()).try_for_each(|file| file.sync_data())
    }
}

impl File for fs::File {
    fn write_at(&self, offset: u64, octets: &[u8]) -> io::Result<()> {
        self.write_all_at(octets, offset)
    }
    fn read_at(&self, offset: u64, buf: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buf, offset)
    }
    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }
    fn truncate(&self, len: u64) -> io::Result<()> {
        self.set_len(len)
    }
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        Some(self.as_fd())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases() {
        for (release, tells) in [
            ("5.8.0", true),
            ("6.1.0-18-amd64", true),
            ("5.10", true),
            ("5.7.19", false),
            ("4.19.0", false),
            ("", false),
        ] {
            assert_eq!(syncfs_tells(release), tells, "{release}");
        }
    }

    #[test]
    fn many_files_are_synced_at_once() {
        let dir = tempfile::tempdir().unwrap();
        for count in [0, 1, MANY, 10] {
            let made = |n: usize| Disk.create(&dir.path().join(format!("{count}-{n}")), 0o600).unwrap();
            let files: Vec<_> = (0..count).map(made).collect();
            files.iter().for_each(|file| file.write_at(0, b"x").unwrap());
            Disk.sync_all(&files).unwrap();
        }
    }
}
