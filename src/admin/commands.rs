//! Carries requests out.

use super::protocol::{Act, QueueRequest, Request, Response};
use super::status::Status;
use super::wire::Wire;
use super::{Filter, search, send, tail};
use crate::accounts::Lockout;
use crate::acme::Board;
use crate::intake::{History, Intake};
use crate::mail::{Id, Timestamp};
use crate::manifest::reload::Reloader;
use crate::server::{Gate, Handshakes};
use crate::snapshot::Current;
use crate::transport::traffic::Kept;
use crate::transport::{Operation, Queue};
use std::io;
use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// How long a request waits for what was in the spool at the start to be known.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a running server is made of, as far as operators reach it.
pub struct Ops {
    /// The snapshot in force.
    pub current: Arc<Current>,
    /// What became of transactions and messages.
    pub history: Arc<History>,
    /// What waits.
    pub queue: Arc<Queue>,
    /// What is stopped, over restarts.
    pub suspensions: Arc<Kept>,
    /// Where messages enter.
    pub intake: Arc<Intake>,
    /// The number of sessions.
    pub gate: Arc<Gate>,
    /// Who is locked out.
    pub lockout: Arc<Lockout>,
    /// How handshakes ended.
    pub handshakes: Arc<Handshakes>,
    /// How it stands with certificates by ACME.
    pub certificates: Arc<Board>,
    /// How to put another snapshot in force.
    pub reload: Arc<Reloader>,
    /// When the server started.
    pub started: Timestamp,
    /// The bound addresses, in the order of the listeners in the settings.
    pub addresses: Vec<SocketAddr>,
}

/// Either what to say last before `done`, or `failed` with this text.
pub(super) type Answer = Result<Option<Response>, String>;

impl Ops {
    /// Answers one request. `Break`: the connection is out of step and must be closed.
    pub(super) async fn carry_out(
        &self,
        request: Request,
        wire: &mut Wire,
        stopping: &CancellationToken,
    ) -> io::Result<ControlFlow<()>> {
        let mut flow = ControlFlow::Continue(());
        let answer = match request {
            Request::Status => {
                // A small spool is known at once; of a large one the status says that it is being read.
                self.queue.is_known_within(PATIENCE / 5).await;
                Ok(Some(Response::Status(Box::new(Status::of(self)))))
            }
            Request::Reload => self.reload.reload().await.map(|generation| Some(Response::Reloaded { generation })),
            Request::Renew { name } => self.renew(name.as_deref()),
            Request::Queue(request) => self.queue(request, wire).await?,
            Request::Traffic(request) => self.traffic(request, wire).await?,
            Request::Why { id, filter, limit } => {
                // What is not known by then may still be told by the history.
                self.queue.is_known_within(PATIENCE).await;
                let found = search::why(self, id, &filter, limit).await;
                let told = say_all(found, wire).await?;
                if let Some(id) = id {
                    for step in search::steps(self, id).await? {
                        wire.say(&Response::Step(Box::new(step))).await?;
                    }
                }
                told
            }
            Request::Tail { filter, sink } => {
                flow = ControlFlow::Break(());
                match tail::Wanted::new(&filter, sink) {
                    Ok(wanted) => tail::tail(self, &wanted, wire, stopping).await?,
                    Err(text) => Err(text),
                }
            }
            Request::Send { sender, recipients, reports, octets } => {
                match send::send(self, (sender, recipients), reports, octets, wire).await? {
                    Ok(id) => Ok(Some(Response::Accepted { id })),
                    Err(reply) => {
                        // A refused message may not have been read to its end.
                        flow = ControlFlow::Break(());
                        let text = reply.to_string();
                        wire.say(&Response::Refused(reply)).await?;
                        Err(text)
                    }
                }
            }
        };
        match answer {
            Ok(last) => {
                if let Some(response) = last {
                    wire.say(&response).await?;
                }
                wire.say(&Response::Done).await?;
            }
            Err(text) => wire.say(&Response::Failed(text)).await?,
        }
        Ok(flow)
    }

    fn renew(&self, name: Option<&str>) -> Answer {
        self.certificates.renew(name).map(|names| Some(Response::Renewing { names }))
    }

    async fn queue(&self, request: QueueRequest, wire: &mut Wire) -> io::Result<Answer> {
        if !self.queue.is_known_within(PATIENCE).await {
            return Ok(Err(
                "what was in the spool at the start is still being read; try again a little later".to_owned()
            ));
        }
        match request {
            QueueRequest::List { filter } => say_all(search::queued(self, &filter).await, wire).await,
            QueueRequest::Show { id } => Ok(match search::one(self, id).await? {
                Some(account) => Ok(Some(Response::Account(Box::new(account)))),
                None => Err(format!("{id} is not in the queue; `mailsluice why {id}` may know what became of it")),
            }),
            QueueRequest::Act { act, filter, dry_run } => self.act(act, &filter, dry_run, wire).await,
        }
    }

    async fn act(&self, act: Act, filter: &Filter, dry_run: bool, wire: &mut Wire) -> io::Result<Answer> {
        let ids = match self.picked(filter).await {
            Ok(ids) => ids,
            Err(text) => return Ok(Err(text)),
        };
        let operation = operation(act);
        for id in ids {
            let error = if dry_run {
                (!self.queue.has(id)).then(|| format!("{id} is not in the queue"))
            } else {
                let results = self.queue.operate(&[id], &operation).await;
                results.into_iter().find_map(|(_, result)| result.err())
            };
            wire.say(&Response::Acted { id, error }).await?;
        }
        Ok(Ok(None))
    }

    /// The messages that a filter picks. Ids that it names are kept even if they are not there, so that each is answered.
    async fn picked(&self, filter: &Filter) -> Result<Vec<Id>, String> {
        let only_ids = Filter { ids: filter.ids.clone(), ..Filter::default() };
        if !filter.ids.is_empty() && *filter == only_ids {
            return Ok(filter.ids.clone());
        }
        Ok(search::queued(self, filter).await?.into_iter().map(|account| account.id).collect())
    }
}

fn operation(act: Act) -> Operation {
    match act {
        Act::Retry => Operation::Retry,
        Act::Hold { reason } => Operation::Hold(reason),
        Act::Release { rerun } => Operation::Release { rerun },
        Act::Remove => Operation::Remove,
        Act::Bounce { text } => Operation::Bounce(text),
    }
}

async fn say_all(found: Result<Vec<crate::intake::Account>, String>, wire: &mut Wire) -> io::Result<Answer> {
    match found {
        Ok(accounts) => {
            for account in accounts {
                wire.say(&Response::Account(Box::new(account))).await?;
            }
            Ok(Ok(None))
        }
        Err(text) => Ok(Err(text)),
    }
}
