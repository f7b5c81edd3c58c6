//! How it stands with the certificates that are fetched: what `mailsluice status` tells, and what `mailsluice renew` asks for.

use crate::mail::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// One certificate. Names and meanings are a contract; more may come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The name that it is called after.
    pub name: String,
    /// All names that it is to have.
    pub names: Vec<String>,
    /// When the one that is there ends; none if none is there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// When the authority was asked last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_try: Option<Timestamp>,
    /// What went wrong then; none if nothing did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// When it will be asked next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
    /// It is being asked.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub trying: bool,
}

/// What the task tells, and what it is told.
#[derive(Debug, Default)]
pub struct Board {
    lines: Mutex<Vec<Line>>,
    wanted: Mutex<BTreeSet<String>>,
    asked: Notify,
}

impl Board {
    /// All certificates, in the order of the settings.
    pub fn lines(&self) -> Vec<Line> {
        lock(&self.lines).clone()
    }

    /// Asks for a certificate that is called after `name`, or for all, without waiting for its time; the answer is which. The
    /// error says that there is no such one.
    pub fn renew(&self, name: Option<&str>) -> Result<Vec<String>, String> {
        let names = lock(&self.lines).iter().map(|line| line.name.clone()).collect::<Vec<_>>();
        let picked: Vec<String> =
            names.iter().filter(|known| name.is_none_or(|name| name == **known)).cloned().collect();
        if picked.is_empty() {
            return Err(match name {
                Some(name) if !names.is_empty() => {
                    format!("no certificate is called after `{name}`; there are those of {}", names.join(", "))
                }
                _ => "no certificate is fetched by ACME".to_owned(),
            });
        }
        lock(&self.wanted).extend(picked.iter().cloned());
        self.asked.notify_one();
        Ok(picked)
    }

    /// Puts up how it stands now.
    pub fn put(&self, lines: Vec<Line>) {
        *lock(&self.lines) = lines;
    }

    /// Changes the line of one certificate.
    pub fn change(&self, name: &str, change: impl FnOnce(&mut Line)) {
        if let Some(line) = lock(&self.lines).iter_mut().find(|line| line.name == name) {
            change(line);
        }
    }

    /// What has been asked for since the last time.
    pub fn take_wanted(&self) -> BTreeSet<String> {
        std::mem::take(&mut *lock(&self.wanted))
    }

    /// Waits until something is asked for.
    pub async fn asked(&self) {
        self.asked.notified().await;
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_what_is_there_can_be_asked_for() {
        let board = Board::default();
        assert_eq!(board.renew(None).unwrap_err(), "no certificate is fetched by ACME");
        let line = |name: &str| Line { name: name.to_owned(), ..Line::default() };
        board.put(vec![line("a.example"), line("b.example")]);
        assert!(board.renew(Some("c.example")).unwrap_err().contains("a.example, b.example"));
        assert_eq!(board.renew(Some("b.example")).unwrap(), ["b.example"]);
        board.asked().await;
        assert_eq!(board.renew(None).unwrap(), ["a.example", "b.example"]);
        assert_eq!(board.take_wanted().len(), 2);
        assert!(board.take_wanted().is_empty());
    }
}
