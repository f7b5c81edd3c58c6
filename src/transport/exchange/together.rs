//! Several questions at once.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// An answer that is awaited, and then has come.
enum Slot<'a, T> {
    Awaited(Pin<Box<dyn Future<Output = T> + Send + 'a>>),
    Come(T),
}

/// All answers, in the order of the questions, once the last has come. For a few: each step looks at all that have not come.
pub(super) async fn together<'a, T: Unpin>(questions: Vec<Pin<Box<dyn Future<Output = T> + Send + 'a>>>) -> Vec<T> {
    let mut slots: Vec<Slot<'a, T>> = questions.into_iter().map(Slot::Awaited).collect();
    poll_fn(move |context| {
        for slot in &mut slots {
            if let Slot::Awaited(question) = slot
                && let Poll::Ready(answer) = question.as_mut().poll(context)
            {
                *slot = Slot::Come(answer);
            }
        }
        if slots.iter().any(|slot| matches!(slot, Slot::Awaited(_))) {
            return Poll::Pending;
        }
        let come = slots.drain(..).filter_map(|slot| if let Slot::Come(answer) = slot { Some(answer) } else { None });
        Poll::Ready(come.collect())
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::{Instant, sleep};

    #[tokio::test(start_paused = true)]
    async fn it_takes_as_long_as_the_longest() {
        let before = Instant::now();
        let wait = |seconds: u64| {
            Box::pin(async move {
                sleep(Duration::from_secs(seconds)).await;
                seconds
            }) as Pin<Box<dyn Future<Output = u64> + Send>>
        };
        assert_eq!(together(vec![wait(3), wait(0), wait(5), wait(1)]).await, [3, 0, 5, 1]);
        assert_eq!(before.elapsed().as_secs(), 5);
        assert_eq!(together(Vec::<Pin<Box<dyn Future<Output = u64> + Send>>>::new()).await, [0; 0]);
    }
}
