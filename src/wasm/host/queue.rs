//! `queue`: what waits for a domain is tried at once, or counted.

use super::super::state::{State, limit, trap};
use super::{clipped, short};
use crate::event::host::{QueueControl, QueueFault, QueueOf, Scope};
use mailsluice_wit::mailsluice::sink::queue::{Error, Host};
use std::sync::Arc;

/// Domains of one question.
const DOMAINS_MAX: usize = 1000;

/// The queue and what it is asked about, or what is wrong with that.
type Asked = Result<(Arc<dyn QueueControl>, Vec<Scope>), Error>;

impl State {
    fn queue(&self) -> wasmtime::Result<&QueueOf> {
        self.terms.grants.queue.as_ref().ok_or_else(|| trap("queue needs `allow.queue = true` in the manifest"))
    }

    /// The queue and the scopes that it is asked about.
    fn asked(&self, domains: Vec<String>) -> wasmtime::Result<Asked> {
        let queue = self.queue()?;
        if domains.len() > DOMAINS_MAX {
            return Err(limit(format!("{} domains, and {DOMAINS_MAX} are allowed", domains.len())));
        }
        let mut scopes = Vec::with_capacity(domains.len());
        for domain in domains {
            let domain = short("a domain", domain)?;
            let Some(scope) = Scope::parse(&domain) else {
                let text = format!(
                    "`{}` is no domain; write `example.com`, or `@example.com` with those below",
                    clipped(&domain)
                );
                return Ok(Err(Error::Invalid(text)));
            };
            scopes.push(scope);
        }
        Ok(queue.get().map(|queue| (queue, scopes)).map_err(told))
    }
}

impl Host for State {
    async fn start(&mut self, domains: Vec<String>) -> wasmtime::Result<Result<u64, Error>> {
        let (queue, scopes) = match self.asked(domains)? {
            Ok(asked) => asked,
            Err(error) => return Ok(Err(error)),
        };
        let by = format!("sink {}", self.terms.name);
        Ok(queue.start(&scopes, &by).await.map(|count| count as u64).map_err(told))
    }

    fn waiting(&mut self, domains: Vec<String>) -> wasmtime::Result<Result<u64, Error>> {
        Ok(self.asked(domains)?.map(|(queue, scopes)| queue.waiting(&scopes) as u64))
    }
}

fn told(fault: QueueFault) -> Error {
    match fault {
        QueueFault::Busy => Error::Busy,
        QueueFault::NotRunning | QueueFault::Unavailable(_) => Error::Unavailable(fault.to_string()),
    }
}
