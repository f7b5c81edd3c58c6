//! Reaches for what is outside: files, environment, arguments, input, the network, names, processes, clocks. It tells what it
//! found; and it ends itself.

use mailsluice_guests::{Fault, Said, Submitted, act as told, guest, unknown, well};
use std::io::Read;
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};
use std::time::{Instant, SystemTime};

/// What was within reach; nothing, if all is well.
fn reached() -> Vec<&'static str> {
    let mut input = Vec::new();
    let found = [
        ("a file to read", std::fs::read("/etc/passwd").is_ok()),
        ("a file to write", std::fs::write("/tmp/mailsluice-guest", "x").is_ok()),
        ("the folder", std::fs::read_dir(".").is_ok()),
        ("the environment", std::env::vars().next().is_some()),
        ("arguments", std::env::args().next().is_some()),
        ("input", std::io::stdin().read_to_end(&mut input).is_ok_and(|n| n > 0)),
        ("a connection", TcpStream::connect("127.0.0.1:25").is_ok()),
        ("a port", TcpListener::bind("127.0.0.1:0").is_ok()),
        ("datagrams", UdpSocket::bind("127.0.0.1:0").is_ok_and(|s| s.send_to(b"x", "127.0.0.1:53").is_ok())),
        ("names", ("localhost", 25).to_socket_addrs().is_ok_and(|mut all| all.next().is_some())),
        ("a process", std::process::Command::new("/bin/true").spawn().is_ok()),
        ("a thread", std::thread::Builder::new().spawn(|| ()).is_ok()),
    ];
    found.into_iter().filter(|(_, there)| *there).map(|(what, _)| what).collect()
}

fn act(heard: &mut Submitted<'_>) -> Said {
    match told(heard).as_str() {
        "reach" => match reached()[..] {
            [] => well(),
            ref all => Err(Fault::error(format!("within reach: {}", all.join(", ")))),
        },
        "print" => {
            println!("on standard output");
            eprintln!("on standard error");
            well()
        }
        "clocks" => {
            let (began, wall) = (Instant::now(), SystemTime::now());
            let mut work = 0_u64;
            (0..1_000_000_u64).for_each(|n| work = std::hint::black_box(work ^ n));
            let (took, passed) = (began.elapsed(), wall.elapsed().unwrap_or_default());
            heard.set_header("X-Took", &format!("{} {}", took.as_nanos(), passed.as_nanos()))?;
            well()
        }
        "exit" => std::process::exit(3),
        "quit" => std::process::exit(0),
        "abort" => std::process::abort(),
        other => unknown(other),
    }
}

guest!(act);
