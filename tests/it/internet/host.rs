//! A host that takes mail for everybody whose name does not begin with `nobody`, knows XHELLO, and misbehaves at a chosen step of a chosen
//! connection.

use super::Taken;
use std::collections::VecDeque;
use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream};

/// Where it misbehaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Connect,
    Greeting,
    Hello,
    Mail,
    Rcpt,
    Data,
    Dot,
}

impl Step {
    pub(crate) const ALL: [Self; 7] =
        [Self::Connect, Self::Greeting, Self::Hello, Self::Mail, Self::Rcpt, Self::Data, Self::Dot];
}

/// How.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum What {
    /// 5xx.
    Refuse,
    /// 4xx.
    Tempfail,
    /// Says nothing for ever.
    Hang,
    Close,
    Garbage,
    /// Answers rightly, after a minute.
    Late,
    /// Takes the message and closes before the reply. Before the end of data: closes.
    TakeAndClose,
}

impl What {
    pub(crate) const ALL: [Self; 7] =
        [Self::Refuse, Self::Tempfail, Self::Hang, Self::Close, Self::Garbage, Self::Late, Self::TakeAndClose];
}

/// One fault of one connection.
pub(crate) type Fault = Option<(Step, What)>;

/// A host.
pub(crate) struct Host {
    name: String,
    dsn: bool,
    /// Further lines of its answer to EHLO.
    offers: Vec<String>,
    script: Mutex<VecDeque<Fault>>,
    /// The addresses that were given in RCPT.
    asked: Mutex<Vec<String>>,
    /// Every command, and where a connection comes from if that was chosen.
    heard: Mutex<Vec<String>>,
}

impl Clone for Host {
    fn clone(&self) -> Self {
        let script = self.script.lock().unwrap().clone().into();
        Self { offers: self.offers.clone(), ..Self::new(&self.name, self.dsn, script) }
    }
}

/// What the session does after a step.
enum Flow {
    Reply(String),
    Silent,
    End,
}

impl Host {
    pub(super) fn new(name: &str, dsn: bool, script: Vec<Fault>) -> Self {
        Self {
            name: name.to_owned(),
            dsn,
            offers: Vec::new(),
            script: Mutex::new(script.into()),
            asked: Mutex::default(),
            heard: Mutex::default(),
        }
    }

    pub(super) fn offering(self, offers: &[&str]) -> Self {
        Self { offers: offers.iter().map(|offer| (*offer).to_owned()).collect(), ..self }
    }

    /// For whom it has been asked since this was called last.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }

    /// What it has heard since this was called last.
    pub(super) fn heard(&self) -> Vec<String> {
        std::mem::take(&mut self.heard.lock().unwrap())
    }

    pub(super) async fn connect(
        self: Arc<Self>,
        source: Option<IpAddr>,
        taken: Arc<Mutex<Vec<Taken>>>,
    ) -> io::Result<DuplexStream> {
        self.heard.lock().unwrap().extend(source.map(|source| format!("from {source}")));
        let fault = self.script.lock().unwrap().pop_front().flatten();
        match fault {
            Some((Step::Connect, What::Hang)) => std::future::pending().await,
            Some((Step::Connect, What::Late)) => tokio::time::sleep(Duration::from_secs(60)).await,
            Some((Step::Connect, _)) => return Err(io::ErrorKind::ConnectionRefused.into()),
            _ => {}
        }
        let (ours, theirs) = tokio::io::duplex(1 << 20);
        tokio::spawn(async move {
            // The other side may go at any moment.
            let _ = self.session(theirs, fault, taken).await;
        });
        Ok(ours)
    }

    async fn session(&self, stream: DuplexStream, fault: Fault, taken: Arc<Mutex<Vec<Taken>>>) -> io::Result<()> {
        let mut stream = BufReader::new(stream);
        let (mut sender, mut recipients) = (String::new(), Vec::new());
        let mut flow = self.at(Step::Greeting, fault, &format!("220 {} ready", self.name)).await;
        loop {
            match flow {
                Flow::Reply(text) => stream.get_mut().write_all(text.as_bytes()).await?,
                Flow::Silent => return std::future::pending().await,
                Flow::End => return Ok(()),
            }
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            let line = line.trim_end();
            self.heard.lock().unwrap().push(line.to_owned());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let rest = line.split_once(':').map_or("", |(_, rest)| rest.trim());
            flow = match verb.as_str() {
                "EHLO" | "HELO" => {
                    let dsn = if self.dsn { "250-DSN\r\n" } else { "" };
                    let offers: String = self.offers.iter().map(|offer| format!("250-{offer}\r\n")).collect();
                    let hello = format!("250-{}\r\n{dsn}{offers}250-8BITMIME\r\n250 PIPELINING", self.name);
                    self.at(Step::Hello, fault, &hello).await
                }
                "MAIL" => {
                    rest.clone_into(&mut sender);
                    recipients.clear();
                    self.at(Step::Mail, fault, "250 2.1.0 ok").await
                }
                "RCPT" => {
                    self.asked.lock().unwrap().push(rest.to_owned());
                    let right = match rest.starts_with("<nobody") {
                        true => "553 5.1.1 nobody of that name",
                        false => "250 2.1.5 ok",
                    };
                    let flow = self.at(Step::Rcpt, fault, right).await;
                    if matches!(&flow, Flow::Reply(text) if text.starts_with("250")) {
                        recipients.push(rest.to_owned());
                    }
                    flow
                }
                "DATA" if recipients.is_empty() => Flow::Reply("554 5.5.1 no recipients\r\n".to_owned()),
                "DATA" => match self.at(Step::Data, fault, "354 go on").await {
                    Flow::Reply(text) if text.starts_with("354") => {
                        stream.get_mut().write_all(text.as_bytes()).await?;
                        let text = content(&mut stream).await?;
                        let flow = self.at(Step::Dot, fault, "250 2.0.0 taken").await;
                        let told = matches!(&flow, Flow::Reply(text) if text.starts_with("250"));
                        if told || fault == Some((Step::Dot, What::TakeAndClose)) {
                            let (host, sender) = (self.name.clone(), sender.clone());
                            let recipients = std::mem::take(&mut recipients);
                            taken.lock().unwrap().push(Taken { host, sender, recipients, text, told });
                        }
                        flow
                    }
                    flow => flow,
                },
                "RSET" | "NOOP" => Flow::Reply("250 2.0.0 ok\r\n".to_owned()),
                "QUIT" => {
                    stream.get_mut().write_all(b"221 2.0.0 bye\r\n").await?;
                    Flow::End
                }
                "XHELLO" => Flow::Reply("250 2.0.0 you too\r\n".to_owned()),
                _ => Flow::Reply("500 5.5.1 what?\r\n".to_owned()),
            };
        }
    }

    /// What it says at a step.
    async fn at(&self, step: Step, fault: Fault, right: &str) -> Flow {
        let right = format!("{right}\r\n");
        let Some((_, what)) = fault.filter(|(at, _)| *at == step) else { return Flow::Reply(right) };
        match what {
            What::Refuse => Flow::Reply("550 5.7.1 never\r\n".to_owned()),
            What::Tempfail => Flow::Reply("451 4.3.0 later\r\n".to_owned()),
            What::Hang => Flow::Silent,
            What::Close | What::TakeAndClose => Flow::End,
            What::Garbage => Flow::Reply("hello there, this is no reply\r\n".to_owned()),
            What::Late => {
                tokio::time::sleep(Duration::from_secs(60)).await;
                Flow::Reply(right)
            }
        }
    }
}

/// The content up to the final dot, dots unstuffed.
async fn content(stream: &mut BufReader<DuplexStream>) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.as_str() {
            ".\r\n" => return Ok(text),
            line => text.push_str(line.strip_prefix('.').unwrap_or(line)),
        }
    }
}
