//! A simulated Internet: names in a zone table, hosts that misbehave at a chosen step, and virtual time, so that days of retries
//! take milliseconds.
//!
//! A [`World`] is the network: the server's connections end at its [`host`]s, in memory. Each host does what its script says, one
//! fault for each connection, and then behaves; what it has taken is [`Taken`]. The runtime's time is paused and goes on by itself
//! when everybody waits; the server's clock is that time.

mod cases;
mod host;
mod outbound;
mod random;
mod reports;
mod secure;
pub(crate) mod splits;
mod stages;
mod verify;
mod wishes;
mod wishes_random;

pub(crate) use host::{Fault, Host, Step, What};

use crate::inside::{Inside, Plan};
use bytes::Bytes;
use mailsluice::event::host::{Clock, Mx, ZoneRecord, ZoneTable};
use mailsluice::intake::Step as Passed;
use mailsluice::mail::{
    Content, Door, Envelope, ForwardPath, Id, Notify, Origin, Recipient, ReversePath, Standing, Timestamp,
    message::header_len,
};
use mailsluice::spool::{Entry, Record, StoreFault};
use mailsluice::transport::deliver::{Network, Stream};
use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::time::Instant;

/// A message that a host has taken.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    pub(crate) host: String,
    pub(crate) sender: String,
    /// `address parameters` as in RCPT.
    pub(crate) recipients: Vec<String>,
    pub(crate) text: String,
    /// Whether the host said so.
    pub(crate) told: bool,
}

impl Taken {
    /// What stands behind `Subject: ` first in it.
    pub(crate) fn token(&self) -> &str {
        field(&self.text, "Subject: ")
    }
}

/// What stands behind a field's name, the last time that it stands at the start of a line.
pub(crate) fn field<'a>(text: &'a str, name: &str) -> &'a str {
    text.lines().filter_map(|line| line.strip_prefix(name)).next_back().unwrap_or_default()
}

/// The network.
#[derive(Default)]
pub(crate) struct World {
    hosts: Mutex<HashMap<IpAddr, Arc<Host>>>,
    /// Servers that are real, by the address that they have here.
    real: Mutex<HashMap<IpAddr, SocketAddr>>,
    /// What hosts do about TLS; others do not offer it.
    certificates: Mutex<HashMap<IpAddr, secure::Door>>,
    pub(crate) taken: Arc<Mutex<Vec<Taken>>>,
}

impl Clone for World {
    fn clone(&self) -> Self {
        let hosts = self.hosts.lock().unwrap();
        let hosts = hosts.iter().map(|(ip, host)| (*ip, Arc::new(Host::clone(host)))).collect();
        let taken = self.taken.lock().unwrap().clone();
        let certificates = self.certificates.lock().unwrap().clone();
        Self {
            hosts: Mutex::new(hosts),
            real: Mutex::new(self.real.lock().unwrap().clone()),
            certificates: Mutex::new(certificates),
            taken: Arc::new(Mutex::new(taken)),
        }
    }
}

#[async_trait::async_trait]
impl Network for World {
    async fn connect(&self, address: SocketAddr, source: Option<IpAddr>) -> io::Result<Stream> {
        let real = self.real.lock().unwrap().get(&address.ip()).copied();
        if let Some(real) = real {
            return Ok(Stream::foreign(TcpStream::connect(real).await?));
        }
        let host = self.hosts.lock().unwrap().get(&address.ip()).cloned();
        let host = host.ok_or_else(|| io::Error::from(io::ErrorKind::ConnectionRefused))?;
        let inner = host.connect(source, self.taken.clone()).await?;
        let door = self.certificates.lock().unwrap().get(&address.ip()).cloned();
        Ok(Stream::foreign(match door {
            Some(door) => door.before(inner),
            None => inner,
        }))
    }
}

const HOUR: Duration = Duration::from_secs(3600);

/// When it all begins.
const START: Timestamp = Timestamp(1_800_000_000_000);

/// The time of the paused runtime, as a clock that began at this time.
#[derive(Debug)]
struct Virtual(Instant, Timestamp);

impl Clock for Virtual {
    fn now(&self) -> Timestamp {
        self.1.plus(self.0.elapsed())
    }
}

/// What is there without a server, and stays when one is gone. A copy goes its own way, but for the names.
#[derive(Clone)]
pub(crate) struct Outside {
    world: World,
    zone: Arc<ZoneTable>,
    time: Timestamp,
}

impl Outside {
    /// Without names and hosts.
    pub(crate) fn new() -> Self {
        Self { world: World::default(), zone: Arc::default(), time: START }
    }

    /// What hosts have taken, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.world.taken.lock().unwrap().clone()
    }
}

/// A server and the Internet around it.
pub(crate) struct Net {
    pub(crate) world: Arc<World>,
    pub(crate) zone: Arc<ZoneTable>,
    pub(crate) inside: Inside,
    clock: Arc<Virtual>,
}

/// The configuration of most tests: nothing is local, and everything is found by its MX records.
pub(crate) const OUTBOUND: &str = "[[listener]]\naddress = '127.0.0.1:0'\n[domains]\nrelay-from = ['127.0.0.0/8']\n";

/// A message whose subject is `token`, and whose body has so many lines.
pub(crate) fn letter(sender: &str, token: &str, lines: usize) -> String {
    format!("From: <{sender}>\r\nSubject: {token}\r\n\r\n{}", "Hello.\r\n".repeat(lines))
}

/// Runs a test in virtual time.
pub(crate) fn in_virtual_time<F: Future>(what: impl FnOnce() -> F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async { what().await })
}

impl Net {
    /// With this configuration and manifest.
    pub(crate) async fn new(config: &str, plan: impl FnOnce(Plan) -> Plan) -> Self {
        Self::amid(Outside::new(), config, plan).await
    }

    /// The same in an Internet that is there already.
    pub(crate) async fn amid(outside: Outside, config: &str, plan: impl FnOnce(Plan) -> Plan) -> Self {
        let Outside { world, zone, time } = outside;
        let world = Arc::new(world);
        let clock = Arc::new(Virtual(Instant::now(), time));
        let plan = plan(Plan::new(config)).clock(clock.clone()).internet(zone.clone(), world.clone());
        Self { world, zone, inside: plan.open().await, clock }
    }

    /// The Internet as it is now, for the next server.
    pub(crate) fn outside(&self) -> Outside {
        Outside { world: (*self.world).clone(), zone: self.zone.clone(), time: self.clock.now() }
    }

    /// The same on a runtime of its own, whose time is real: sockets and virtual time do not go together.
    pub(crate) fn serving(config: &str, plan: impl FnOnce(Plan) -> Plan) -> Self {
        let (world, zone) = (Arc::new(World::default()), Arc::new(ZoneTable::new()));
        let clock = Arc::new(Virtual(Instant::now(), START));
        let plan = plan(Plan::new(config)).internet(zone.clone(), world.clone());
        Self { world, zone, inside: plan.start(), clock }
    }

    /// A host of this name and address that is a real server at that one: not in virtual time.
    pub(crate) fn real(&self, name: &str, ip: &str, server: SocketAddr) {
        let ip: Ipv4Addr = ip.parse().unwrap();
        self.world.real.lock().unwrap().insert(ip.into(), server);
        self.zone.remove(name).add(name, ZoneRecord::A(ip));
    }

    /// A host of this name and address, with its script.
    pub(crate) fn host(&self, name: &str, ip: &str, dsn: bool, script: Vec<Fault>) -> Arc<Host> {
        let ip: Ipv4Addr = ip.parse().unwrap();
        let host = Arc::new(Host::new(name, dsn, script));
        self.world.hosts.lock().unwrap().insert(ip.into(), host.clone());
        self.zone.remove(name).add(name, ZoneRecord::A(ip));
        host
    }

    /// A host that offers these extensions as well.
    pub(crate) fn host_offering(&self, name: &str, ip: &str, offers: &[&str], script: Vec<Fault>) {
        let ip: Ipv4Addr = ip.parse().unwrap();
        let host = Arc::new(Host::new(name, false, script).offering(offers));
        self.world.hosts.lock().unwrap().insert(ip.into(), host);
        self.zone.remove(name).add(name, ZoneRecord::A(ip));
    }

    /// An MX record.
    pub(crate) fn mx(&self, domain: &str, preference: u16, host: &str) {
        self.zone.add(domain, ZoneRecord::Mx(Mx::new(preference, host)));
    }

    /// Puts a message into the queue, as a door does that has made it durable. Its subject is `token`.
    pub(crate) async fn submit(&self, sender: &str, recipients: &[(&str, Option<Notify>)], token: &str) -> Id {
        self.try_submit(sender, recipients, &letter(sender, token, 1)).await.unwrap()
    }

    /// The same, where it may not become durable, with this text.
    pub(crate) async fn try_submit(
        &self,
        sender: &str,
        recipients: &[(&str, Option<Notify>)],
        text: &str,
    ) -> Result<Id, StoreFault> {
        let mut envelope = Envelope::new(ReversePath::parse(sender).unwrap());
        for (recipient, notify) in recipients {
            let path = ForwardPath::parse(recipient).unwrap();
            let standing = self.inside.server.current.pin().directory.standing(&path, None, true);
            let mut recipient = Recipient::new(path, standing);
            recipient.notify = *notify;
            envelope.recipients.push(recipient);
        }
        assert!(envelope.recipients.iter().all(|r| r.standing != Standing::Denied));
        let content = Content::from(Bytes::from(text.to_owned()));
        let intake = &self.inside.server.intake;
        let (id, now) = (intake.next_id(), self.clock.now());
        let len = header_len(text.as_bytes()) as u64;
        let mut entry = Entry::new(id, now, Origin::door(Door::Smtp), envelope, len, content.len());
        entry.recipients.iter_mut().for_each(|state| state.next = now);
        let accept = Record::Accept(Box::new(entry.clone()), content.clone());
        intake.spool.commit(intake.fence, vec![accept]).await?;
        self.inside.queue.put(entry, content);
        Ok(id)
    }

    /// Waits until the queue is empty, for at most this time.
    pub(crate) async fn run_dry(&self, patience: Duration) {
        let end = Instant::now() + patience;
        while self.inside.queue.count() > 0 {
            assert!(Instant::now() < end, "still in the queue: {:?}", self.inside.queue.accounts(&|_| true));
            tokio::time::sleep(Duration::from_secs(60)).await;
        }
    }

    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// What hosts have taken, in order.
    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.world.taken.lock().unwrap().clone()
    }

    /// The steps of a message, in order.
    pub(crate) fn steps(&self, id: Id) -> Vec<Passed> {
        let mut steps = self.inside.server.intake.history.steps(usize::MAX, |step| step.id == id).unwrap();
        steps.reverse();
        steps
    }
}
