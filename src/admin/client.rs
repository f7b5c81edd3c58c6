//! The other end of the control socket: what the command line uses. Blocking.

use super::protocol::{Request, Response};
use std::fmt;
use std::io::{self, BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

/// A connection to the running server.
#[derive(Debug)]
pub struct Client {
    reader: BufReader<UnixStream>,
}

/// Why nothing, or not everything, was answered.
#[derive(Debug)]
pub enum ClientError {
    /// There is no socket, or nobody listens at it any more.
    NotRunning(PathBuf),
    /// The system keeps this user from the socket.
    Forbidden(PathBuf),
    /// The server says that it failed, in these words.
    Failed(String),
    /// The connection broke.
    Io(io::Error),
    /// What came is no answer: the server is of another version.
    Strange(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning(path) => write!(f, "the server does not run (no socket at {})", path.display()),
            Self::Forbidden(path) => write!(
                f,
                "you may not use the control socket {}: ask as its owner, as root, or as a member of `admin.group`",
                path.display()
            ),
            Self::Failed(text) => f.write_str(text),
            Self::Io(error) => write!(f, "the connection to the server broke: {error}"),
            Self::Strange(text) => write!(f, "the server's answer can't be read; is it of another version? ({text})"),
        }
    }
}

impl std::error::Error for ClientError {}

impl Client {
    /// Connects to the server whose socket this is.
    pub fn connect(socket: &Path) -> Result<Self, ClientError> {
        match UnixStream::connect(socket) {
            Ok(stream) => Ok(Self { reader: BufReader::new(stream) }),
            Err(error) => Err(match error.kind() {
                io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => {
                    ClientError::NotRunning(socket.to_owned())
                }
                io::ErrorKind::PermissionDenied => ClientError::Forbidden(socket.to_owned()),
                _ => ClientError::Io(error),
            }),
        }
    }

    /// Asks, and hands each line of the answer to `take`, until it is over or `take` fails.
    pub fn ask<E: From<ClientError>>(
        &mut self,
        request: &Request,
        take: impl FnMut(Response) -> Result<(), E>,
    ) -> Result<(), E> {
        self.ask_with(request, &[], take)
    }

    /// The same, with octets that follow the request.
    pub fn ask_with<E: From<ClientError>>(
        &mut self,
        request: &Request,
        octets: &[u8],
        mut take: impl FnMut(Response) -> Result<(), E>,
    ) -> Result<(), E> {
        let written = self.write(request, octets);
        // A server that refuses before it has read everything has said why.
        while let Some(response) = self.next().map_err(|e| written_first(&written, e))? {
            take(response)?;
        }
        Ok(())
    }

    fn write(&mut self, request: &Request, octets: &[u8]) -> io::Result<()> {
        let mut line = serde_json::to_vec(request)?;
        line.push(b'\n');
        let stream = self.reader.get_mut();
        stream.write_all(&line)?;
        stream.write_all(octets)
    }

    fn next(&mut self) -> Result<Option<Response>, ClientError> {
        let mut line = String::new();
        if self.reader.read_line(&mut line).map_err(ClientError::Io)? == 0 {
            let text = "the server has closed it before it had answered";
            return Err(ClientError::Io(io::Error::new(io::ErrorKind::UnexpectedEof, text)));
        }
        match serde_json::from_str(&line).map_err(|e| ClientError::Strange(e.to_string()))? {
            Response::Done => Ok(None),
            Response::Failed(text) => Err(ClientError::Failed(text)),
            response => Ok(Some(response)),
        }
    }
}

/// If the connection broke, the first thing that went wrong tells most.
fn written_first(written: &io::Result<()>, then: ClientError) -> ClientError {
    match (written, &then) {
        (Err(first), ClientError::Io(_)) => ClientError::Io(io::Error::new(first.kind(), first.to_string())),
        _ => then,
    }
}
