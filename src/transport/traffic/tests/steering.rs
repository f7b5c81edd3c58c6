//! What the remote says, and what an operator does.

use super::world::{World, lane};
use crate::mail::Glob;
use crate::transport::traffic::{Asked, Heard, Suspended, Why};

#[test]
fn a_site_that_is_slow_gets_less_then_a_pause_and_one_connection_after_it() {
    let mut world = World::new("[[traffic]]\nsite = '*'\nconnections = 4\n");
    let (a, b) = (lane("a", "a.example", ""), lane("b", "b.example", ""));
    let mut turns: Vec<_> = (1..=4).map(|id| world.turn(id, &a)).collect();
    world.wait(5, &a, 0);
    world.wait(6, &a, 0);
    world.governor.heard(&a, Heard::Slow, world.now);
    turns.drain(..2);
    assert!(world.woken().is_empty(), "two are left, and they are taken");
    assert_eq!(world.denied(7, &a), (Why::BackOff, None));
    world.governor.heard(&a, Heard::Refused, world.now);
    turns.clear();
    assert!(world.woken().is_empty());
    assert_eq!(world.denied(7, &a), (Why::BackOff, Some(30_000)));
    world.turn(8, &b);
    assert_eq!(world.pass(29_999), Some(1));
    world.pass(1);
    assert_eq!(world.woken(), [5], "one, to see");
    let probe = world.turn(5, &a);
    world.governor.heard(&a, Heard::Refused, world.now);
    drop(probe);
    assert_eq!(world.denied(7, &a), (Why::BackOff, Some(60_000)));
    world.pass(60_000);
    assert_eq!(world.woken(), [6]);
    let probe = world.turn(6, &a);
    assert_eq!(world.denied(7, &a), (Why::BackOff, None));
    world.governor.heard(&a, Heard::Good, world.now);
    let more = world.turn(7, &a);
    assert_eq!(world.denied(9, &a), (Why::BackOff, None));
    for _ in 0..5 {
        world.governor.heard(&a, Heard::Good, world.now);
    }
    drop((probe, more));
    assert_eq!(world.kept(), (0, 0, 0), "when all is well again nothing is kept");
}

#[test]
fn a_grown_window_calls_those_who_wait() {
    let world = World::new("");
    let a = lane("a", "a.example", "");
    world.governor.heard(&a, Heard::Slow, world.now);
    let mut world = world;
    world.pass(30_000);
    let _turn = world.turn(1, &a);
    world.wait(2, &a, 0);
    assert!(world.woken().is_empty());
    world.governor.heard(&a, Heard::Good, world.now);
    assert_eq!(world.woken(), [2]);
}

#[test]
fn back_off_is_forgotten_in_the_end() {
    let mut world = World::new("");
    world.governor.heard(&lane("a", "a.example", ""), Heard::Refused, world.now);
    assert_eq!(world.governor.snapshot()[0].backoff_until, Some(world.now.plus(std::time::Duration::from_secs(30))));
    world.pass(30_000 + 3_600_000 - 1);
    assert_eq!(world.kept().0, 1);
    world.pass(1);
    assert_eq!(world.kept().0, 0);
}

#[test]
fn what_is_suspended_waits_until_it_is_resumed_or_its_time_is_up() {
    let mut world = World::new("");
    let of = |id: u64| lane(["a", "b"][id as usize / 100 - 1], &format!("d{}.example", id % 100), "");
    let what = [Suspended::Site(Glob::new("a")), Suspended::Domain(Glob::new("d2*"))];
    world.governor.suspend(what[0].clone(), None, "they asked");
    world.governor.suspend(what[1].clone(), Some(world.now.plus(std::time::Duration::from_secs(1))), "moving");
    assert_eq!(world.denied(101, &of(101)), (Why::Suspended("they asked".into()), None));
    assert_eq!(world.denied(202, &of(202)), (Why::Suspended("moving".into()), Some(1000)));
    world.turn(201, &of(201));
    for id in [101, 102, 202] {
        assert!(!world.wait(id, &of(id), 0));
    }
    let shown = &world.governor.snapshot()[0];
    assert_eq!((&*shown.site, shown.waiting, shown.suspended.as_deref()), ("a", 2, Some("they asked")));
    world.pass(1000);
    assert_eq!((world.woken(), world.governor.suspensions().len()), (vec![202], 1));
    assert!(world.governor.resume(&what[0], world.now) && !world.governor.resume(&what[0], world.now));
    assert_eq!(world.woken(), [101, 102]);
}

#[test]
fn what_is_suspended_while_it_waits_is_stopped_when_it_is_called() {
    let world = World::new("[[traffic]]\nsite = '*'\nconnections = 1\n");
    let (d, e) = (lane("a", "d.example", ""), lane("a", "e.example", ""));
    let first = world.turn(1, &d);
    world.wait(2, &d, 0);
    world.wait(3, &e, 0);
    world.governor.suspend(Suspended::Domain(Glob::new("d.example")), None, "x");
    drop(first);
    assert_eq!(world.woken(), [2]);
    assert!(matches!(world.ask(2, &d, 0), Asked::Wait(_)));
    assert!(!world.wait(2, &d, 0));
    assert_eq!(world.woken(), [3]);
}

#[tokio::test(start_paused = true)]
async fn time_is_kept() {
    use crate::event::host::Clock;
    use crate::mail::Timestamp;
    use std::sync::Arc;

    #[derive(Debug)]
    struct Paused(tokio::time::Instant);
    impl Clock for Paused {
        fn now(&self) -> Timestamp {
            Timestamp(1_000_000_000).plus(self.0.elapsed())
        }
    }
    let mut world = World::new("[[traffic]]\nsite = '*'\nmessages = '1/1h'\n");
    let clock: Arc<dyn Clock> = Arc::new(Paused(tokio::time::Instant::now()));
    let running = tokio::spawn(world.governor.clone().run(clock.clone()));
    tokio::task::yield_now().await;
    let a = lane("a", "a.example", "");
    drop(world.turn(1, &a));
    world.wait(2, &a, 0);
    tokio::time::sleep(std::time::Duration::from_secs(3599)).await;
    assert!(world.woken().is_empty());
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(world.woken(), [2]);
    world.now = clock.now();
    world.turn(2, &a);
    running.abort();
}
