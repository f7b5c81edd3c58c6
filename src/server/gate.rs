//! How many connections there are, in all and per client.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

/// Counts connections.
#[derive(Debug, Default)]
pub struct Gate {
    all: AtomicUsize,
    clients: Mutex<HashMap<IpAddr, usize>>,
}

/// Why a connection may not come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Full {
    /// `limits.connections`.
    All,
    /// `limits.connections-per-client`.
    Client,
}

/// One counted connection.
#[derive(Debug)]
pub struct Pass {
    gate: Arc<Gate>,
    /// None: nobody knows yet whose it is.
    client: Option<IpAddr>,
}

impl Gate {
    /// Connections now.
    pub fn count(&self) -> usize {
        self.all.load(Relaxed)
    }

    /// Counts a connection in of which nobody knows yet whose it is, unless there are too many in all.
    pub fn arrive(self: &Arc<Self>, all: usize) -> Result<Pass, Full> {
        if self.all.fetch_add(1, Relaxed) >= all {
            self.all.fetch_sub(1, Relaxed);
            return Err(Full::All);
        }
        Ok(Pass { gate: self.clone(), client: None })
    }

    /// Counts a connection in, unless a limit is reached.
    pub fn enter(self: &Arc<Self>, client: IpAddr, all: usize, per_client: usize) -> Result<Pass, Full> {
        self.arrive(all)?.of(client, per_client)
    }
}

impl Pass {
    /// The connection is this client's; counts it as one of his, unless he has too many.
    pub fn of(mut self, client: IpAddr, per_client: usize) -> Result<Self, Full> {
        let mut clients = self.gate.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let count = clients.entry(client).or_default();
        if *count >= per_client {
            if *count == 0 {
                clients.remove(&client);
            }
            return Err(Full::Client);
        }
        *count += 1;
        drop(clients);
        self.client = Some(client);
        Ok(self)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.all.fetch_sub(1, Relaxed);
        let Some(client) = self.client else { return };
        let mut clients = self.gate.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = clients.get_mut(&client) {
            *count -= 1;
            if *count == 0 {
                clients.remove(&client);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counted_in_and_out() {
        let gate = Arc::new(Gate::default());
        let (a, b) = ("192.0.2.1".parse().unwrap(), "192.0.2.2".parse().unwrap());
        let first = gate.enter(a, 2, 1).unwrap();
        assert_eq!(gate.enter(a, 2, 1).unwrap_err(), Full::Client);
        let second = gate.enter(b, 2, 1).unwrap();
        assert_eq!(gate.enter(b, 2, 9).unwrap_err(), Full::All);
        drop(first);
        assert!(gate.enter(a, 2, 1).is_ok());
        let stranger = gate.arrive(2).unwrap();
        assert_eq!(gate.arrive(2).unwrap_err(), Full::All);
        assert_eq!(stranger.of(b, 1).unwrap_err(), Full::Client);
        drop(second);
        assert_eq!(gate.count(), 0);
        assert!(gate.clients.lock().unwrap().is_empty());
    }
}
