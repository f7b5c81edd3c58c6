//! Asking, waiting and being called.

use super::world::{World, lane, traffic};
use crate::config::traffic::Kind;
use crate::mail::{Id, Timestamp};
use crate::transport::traffic::Why;

const TWO: &str = "[[traffic]]\nsite = '*'\nconnections = 2\n";

#[test]
fn whoever_waits_is_called_when_a_turn_is_given_back_and_nothing_is_kept_in_the_end() {
    let world = World::new(TWO);
    let (a, b) = (lane("a", "a.example", ""), lane("b", "b.example", ""));
    let turns = (world.turn(1, &a), world.turn(2, &a));
    assert_eq!(world.denied(3, &a), (Why::Connections(Kind::Site), None));
    assert!(!world.wait(3, &a, 0));
    let other = world.turn(4, &b);
    assert!(world.woken().is_empty());
    drop(turns.0);
    assert_eq!(world.woken(), [3]);
    assert_eq!(world.denied(5, &a).0, Why::Connections(Kind::Site), "what is set aside is not for others");
    let third = world.turn(3, &a);
    drop((turns.1, third, other));
    assert_eq!(world.kept(), (0, 0, 0));
}

#[test]
fn a_turn_given_back_between_asking_and_waiting_is_not_lost() {
    let world = World::new(TWO);
    let a = lane("a", "a.example", "");
    let turns = (world.turn(1, &a), world.turn(2, &a));
    world.denied(3, &a);
    drop(turns);
    assert!(world.wait(3, &a, 0));
    assert_eq!(world.woken(), [3]);
}

#[test]
fn whoever_is_gone_or_does_not_ask_keeps_nobody_waiting() {
    let mut world = World::new(TWO);
    let a = lane("a", "a.example", "");
    let turns = (world.turn(1, &a), world.turn(2, &a));
    for id in 3..=6 {
        world.wait(id, &a, 0);
    }
    world.queue.lock().unwrap().idle.remove(&Id(3));
    drop(turns);
    assert_eq!(world.woken(), [4, 5]);
    world.governor.over(Id(4), world.now);
    assert_eq!(world.woken(), [6]);
    assert_eq!(world.pass(9_999), Some(1));
    assert_eq!(world.denied(7, &a).0, Why::Connections(Kind::Site));
    world.pass(1);
    assert_eq!(world.kept(), (0, 0, 0));
    world.turn(7, &a);
}

#[test]
fn a_message_keeps_to_the_limits_of_all_its_names() {
    let world = World::new(
        "[queue]\nconnections = 4\n[[traffic]]\ndomain = 'd.example'\nconnections = 1\nmessages-per-connection = 9\n\
         [[traffic]]\ntenant = 'acme'\nconnections = 2\nmessages-per-connection = 7\n",
    );
    let (d, e) = (lane("a", "d.example", "acme"), lane("b", "e.example", "acme"));
    let first = world.turn(1, &d);
    assert_eq!(first.messages_per_connection(), Some(7));
    assert_eq!(world.denied(2, &d).0, Why::Connections(Kind::Domain));
    assert_eq!(world.denied(3, &lane("c", "d.example", "")).0, Why::Connections(Kind::Domain));
    let second = world.turn(4, &e);
    assert_eq!(world.denied(5, &e).0, Why::Connections(Kind::Tenant));
    let others = (world.turn(6, &lane("b", "e.example", "")), world.turn(7, &lane("b", "e.example", "other")));
    assert_eq!(world.denied(8, &lane("x", "x.example", "")).0, Why::Total);
    // 9 needs the domain and the tenant, 10 the tenant, 11 only the bound on everything.
    for (id, lane) in [(9, &d), (10, &e), (11, &lane("x", "x.example", ""))] {
        assert!(!world.wait(id, lane, 0));
    }
    drop(second);
    assert_eq!(world.woken(), [10]);
    drop(first);
    assert_eq!(world.woken(), [11], "9 could go now, too, but its site comes after the other");
    drop(others);
    assert_eq!(world.woken(), [9]);
}

#[test]
fn a_rate_is_kept_to_and_those_who_wait_go_in_time() {
    let mut world = World::new("[[traffic]]\ntenant = 'acme'\nmessages = '10/1s'\n");
    let (a, b) = (lane("a", "a.example", "acme"), lane("b", "b.example", "acme"));
    drop(world.turn(1, &a));
    assert_eq!(world.denied(2, &b), (Why::Rate(Kind::Tenant), Some(100)));
    world.wait(2, &b, 0);
    world.wait(3, &a, 0);
    assert_eq!(world.pass(40), Some(60));
    assert!(world.woken().is_empty());
    world.now = world.now.plus(std::time::Duration::from_millis(60));
    assert_eq!(world.denied(9, &a).0, Why::Rate(Kind::Tenant), "who comes by chance does not go before who has waited");
    assert_eq!(world.woken(), [2]);
    drop(world.turn(2, &b));
    world.pass(100);
    assert_eq!(world.woken(), [3]);
}

#[test]
fn limits_that_change_count_at_once() {
    let mut world = World::new(TWO);
    let a = lane("a", "a.example", "acme");
    let turns = (world.turn(1, &a), world.turn(2, &a));
    for id in 3..=9 {
        world.wait(id, &a, 0);
    }
    world.traffic = traffic("[[traffic]]\nsite = '*'\nconnections = 4\n[[traffic]]\ndomain = '*'\nconnections = 3\n");
    assert!(!world.wait(10, &a, 0));
    assert_eq!(world.woken(), [3, 4]);
    let third = world.turn(3, &a);
    assert_eq!(world.turn(4, &a).messages_per_connection(), None, "the two before are not counted by domain");
    drop((turns, third));
}

#[test]
fn a_clock_that_is_set_back_stops_nobody() {
    let mut world = World::new("[[traffic]]\nsite = '*'\nmessages = '1/1m'\n");
    let a = lane("a", "a.example", "");
    drop(world.turn(1, &a));
    world.wait(2, &a, 0);
    world.now = Timestamp(1000);
    world.pass(0);
    world.pass(60_001);
    assert_eq!(world.woken(), [2]);
}
