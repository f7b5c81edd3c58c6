//! A disk of its own that is full: nothing is lost, nobody is told 250 for what is not kept, and mail is taken again as soon as
//! there is room, without anybody's doing.
//!
//! The disk is an ext4 file system in a file, so that syncs are real. Mounting it needs root; where that is not to be had these
//! tests say so and do nothing, or fail if `MAILSLUICE_REQUIRE_PEERS` is set and this process is allowed to mount.

use crate::server::{Server, Site};
use crate::smtp_client::{Reply, SmtpClient};
use crate::wait::eventually;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// A site whose data-dir is a disk of its own. It is unmounted however the test ends: it goes before the site's directory does.
struct Disk {
    point: PathBuf,
}

impl Disk {
    /// A disk of so many MiB on the site's data-dir.
    fn mount(site: &Site, mib: u64) -> Option<Self> {
        let (image, point) = (site.path("disk.img"), site.data_dir());
        fs::create_dir(&point).unwrap();
        File::create(&image).and_then(|file| file.set_len(mib << 20)).expect("an image");
        // Root's reserve would be no room for others.
        let made = run(Command::new("mkfs.ext4").args(["-q", "-F", "-m", "0"]).arg(&image))
            .and_then(|()| run(Command::new("mount").args(["-o", "loop"]).arg(&image).arg(&point)));
        match made {
            Ok(()) => Some(Self { point }),
            Err(why) => {
                let required = std::env::var_os("MAILSLUICE_REQUIRE_PEERS").is_some() && may_mount();
                assert!(!required, "no disk could be mounted: {why}");
                writeln!(io::stderr(), "full disks are not tested: {why}").expect("writing to standard error");
                None
            }
        }
    }

    /// Takes all the room that is left but for this many octets.
    fn fill(&self, but: u64) {
        let disk = nix::sys::statvfs::statvfs(&self.point).expect("the disk");
        let mut ballast = File::options().append(true).create(true).open(self.ballast()).expect("ballast");
        let mut left = (disk.blocks_available() * disk.fragment_size()).saturating_sub(but);
        let zeros = vec![0; 1 << 20];
        while left > 0 {
            match ballast.write(&zeros[..zeros.len().min(left as usize)]) {
                Ok(written) => left -= written as u64,
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("the ballast: {error}"),
            }
        }
        // What is only promised would be found missing later.
        let _ = ballast.sync_all();
    }

    /// Gives it back.
    fn free(&self) {
        fs::remove_file(self.ballast()).expect("removing the ballast");
    }

    fn ballast(&self) -> PathBuf {
        self.point.join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a server that is still there when a test fails has files open on it.
        if let Err(why) = run(Command::new("umount").arg("-l").arg(&self.point)) {
            eprintln!("{} stays mounted: {why}", self.point.display());
        }
    }
}

fn run(command: &mut Command) -> Result<(), String> {
    let output = command.output().map_err(|e| format!("{command:?}: {e}"))?;
    let said = || format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr).trim());
    if output.status.success() { Ok(()) } else { Err(said()) }
}

/// Whether the system would let this process mount (CAP_SYS_ADMIN).
fn may_mount() -> bool {
    const SYS_ADMIN: u64 = 1 << 21;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let rights = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    rights.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok()).is_some_and(|rights| rights & SYS_ADMIN != 0)
}

fn config(free_space: &str) -> String {
    Site::PLAIN.replace("\"0 B\"", &format!("\"{free_space}\"")) + "[queue]\nretry = [\"1s\"]\n"
}

/// Sends a message of about this size, to the first reply that is not what one hopes for.
fn send(server: &Server, id: &str, size: usize) -> Reply {
    let mut client = SmtpClient::greeted(server.address(0));
    let mail = client.command("MAIL FROM:<a@client.example>");
    if mail.code != 250 {
        return mail;
    }
    client.command("RCPT TO:<bob@example.com>").must_be(250);
    client.command("DATA").must_be(354);
    client.content(&format!("Subject: {id}\r\n\r\n{}", "0123456789abcdef\r\n".repeat(size / 18)));
    client.reply()
}

/// Whether it is the answer of a server without room.
#[track_caller]
fn no_room(reply: &Reply) {
    assert!(reply.code == 452 && reply.lines[0].starts_with("4.3.1 "), "{reply}");
}

#[test]
fn less_room_than_free_space_asks_for() {
    let site = Site::new(&config("16 MiB"));
    let Some(disk) = Disk::mount(&site, 320) else { return };
    let server = site.start();
    send(&server, "before", 100).must_be(250);
    server.arrived("example.com", "bob", 1);
    eventually("the room to be gone", || {
        // The store makes room for itself ahead of time and gives some back.
        disk.fill(8 << 20);
        let reply = send(&server, "full", 100);
        (reply.code != 250).then(|| no_room(&reply))
    });
    disk.free();
    eventually("mail to be taken again", || (send(&server, "after", 100).code == 250).then_some(()));
    server.stop();
}

#[test]
fn no_room_at_all() {
    let site = Site::new(&config("0 B"));
    let Some(disk) = Disk::mount(&site, 640) else { return };
    let server = site.start();
    let acknowledged = Mutex::new(BTreeSet::new());
    let keep = |id: String, size: usize| {
        let reply = send(&server, &id, size);
        if reply.code == 250 {
            acknowledged.lock().unwrap().insert(id);
        } else {
            no_room(&reply);
        }
        reply.code == 250
    };
    assert!(keep("before".into(), 100));
    disk.fill(0);
    // A large one needs room at once. Small ones find some as long as there are segments that were made ahead.
    assert!(!keep("large".into(), 3 << 20), "there is room for a large one");
    std::thread::scope(|scope| {
        for client in 0..4 {
            let keep = &keep;
            scope.spawn(move || {
                let mut numbers = 0..2000;
                assert!(numbers.any(|n| !keep(format!("{client}-{n}"), 200 << 10)), "it never fills");
            });
        }
    });
    println!("{} messages were taken by a disk without room", acknowledged.lock().unwrap().len());
    assert_eq!(server.status().spool.state, "sick");
    let pid = server.pid();
    disk.free();
    eventually("mail to be taken again", || keep("after".into(), 100).then_some(()));
    eventually("a large message to be taken again", || keep("large".into(), 3 << 20).then_some(()));
    assert_eq!(server.pid(), pid, "by itself");
    let acknowledged = acknowledged.into_inner().unwrap();
    delivered_once(&server, &acknowledged);
    server.stop();
}

/// Waits for everything that was acknowledged, each once and whole, and for nothing else.
fn delivered_once(server: &Server, acknowledged: &BTreeSet<String>) {
    let folder = server.data_dir().join("mail/example.com/bob/new");
    let files = || fs::read_dir(&folder).map_or(0, Iterator::count);
    eventually("an empty queue", || (server.status().queue.messages == 0).then_some(()));
    assert_eq!(files(), acknowledged.len());
    let mut seen = BTreeMap::<String, usize>::new();
    for file in fs::read_dir(&folder).unwrap() {
        *seen.entry(subject(&file.unwrap().path())).or_default() += 1;
    }
    assert!(seen.values().all(|count| *count == 1), "{seen:?}");
    assert!(seen.keys().eq(acknowledged), "others than those that were acknowledged");
}

/// The subject of a message that ends as it should.
fn subject(file: &Path) -> String {
    let text = fs::read_to_string(file).expect("a message");
    assert!(text.ends_with("0123456789abcdef\n"), "{} was cut", file.display());
    text.lines().find_map(|line| line.strip_prefix("Subject: ")).expect("a subject").to_owned()
}
