//! A next hop that says yes to everything but recipients called `gone`, and to the end of a message only when the test tells it to.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};

/// The hop. Its threads end with the test's process.
pub(crate) struct Hop {
    pub(crate) address: SocketAddr,
    arrivals: Receiver<Arrival>,
}

/// A message whose end has come, and whose sender waits for the reply.
pub(crate) struct Arrival {
    pub(crate) message: String,
    answer: Sender<&'static str>,
}

impl Arrival {
    /// Replies. A sender that is gone does not hear it.
    pub(crate) fn answer(self, line: &'static str) {
        let _ = self.answer.send(line);
    }
}

impl Hop {
    /// Listens on a port of its own.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, arrivals) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let sender = sender.clone();
                // A sender that is killed breaks the connection: that is what these tests are about.
                std::thread::spawn(move || drop(serve(stream, &sender)));
            }
        });
        Self { address, arrivals }
    }

    /// Waits for the next message.
    pub(crate) fn next(&self) -> Arrival {
        self.arrivals.recv_timeout(crate::wait::PATIENCE).expect("a message at the next hop")
    }

    /// The next message, if one is there already.
    pub(crate) fn at_once(&self) -> Option<Arrival> {
        self.arrivals.try_recv().ok()
    }
}

fn serve(stream: TcpStream, arrivals: &Sender<Arrival>) -> io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream).lines();
    writeln!(out, "220 hop.example ESMTP\r")?;
    while let Some(line) = lines.next().transpose()? {
        let reply = match line.split(' ').next().unwrap_or_default().to_ascii_uppercase().as_str() {
            "QUIT" => return writeln!(out, "221 bye\r"),
            "DATA" => {
                writeln!(out, "354 go on\r")?;
                let mut message = String::new();
                loop {
                    let line = lines.next().transpose()?.ok_or(io::ErrorKind::UnexpectedEof)?;
                    if line == "." {
                        break;
                    }
                    message.push_str(line.strip_prefix('.').unwrap_or(&line));
                    message.push('\n');
                }
                let (answer, reply) = channel();
                arrivals.send(Arrival { message, answer }).map_err(io::Error::other)?;
                reply.recv().map_err(io::Error::other)?
            }
            "RCPT" if line.contains("<gone@") => "550 5.1.1 no such user",
            _ => "250 ok",
        };
        writeln!(out, "{reply}\r")?;
    }
    Ok(())
}
