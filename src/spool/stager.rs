//! The thread that makes large messages durable, each in a file of its own, before the committer writes the record that
//! names it: so that they don't hold up the small ones.

use super::committer::{Job, Submission};
use std::io;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

/// Starts the thread. It ends when the sender is dropped; what it is done with goes to `committer`.
pub(super) fn start(committer: Sender<Job>) -> io::Result<(Sender<Submission>, JoinHandle<()>)> {
    let (send, todo) = channel();
    let run = move || stage_all(&todo, &committer);
    Ok((send, std::thread::Builder::new().name("spool-stager".into()).spawn(run)?))
}

fn stage_all(todo: &Receiver<Submission>, committer: &Sender<Job>) {
    for submission in todo {
        let staged = submission.batch.drafts().try_for_each(|draft| draft.stage());
        match staged {
            Ok(()) => {
                // The committer ends only after this thread.
                let _ = committer.send(Job::Commit(submission));
            }
            Err(fault) => {
                tracing::error!(%fault, "a large message was refused");
                submission.answer(Err(fault));
            }
        }
    }
}
