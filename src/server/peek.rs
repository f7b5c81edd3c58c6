//! Polling a future once: most answers are there at once, and replies should not wait for those that are not.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// The result, if the future has it at the first poll.
pub(super) async fn now<F: Future>(mut future: Pin<&mut F>) -> Option<F::Output> {
    poll_fn(|cx| match future.as_mut().poll(cx) {
        Poll::Ready(output) => Poll::Ready(Some(output)),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}
