//! A million messages for a hundred thousand sites.

use super::world::{World, lane};
use crate::mail::Id;
use crate::transport::traffic::{Governor, Turn};

/// Octets that the governor takes at most: a name lies beside the two counts of its `Arc`, in a block that has a header.
fn octets(governor: &Governor) -> usize {
    let state = governor.lock();
    let names: usize = state.gates.iter().map(|gate| gate.name.len().next_multiple_of(8) + 16 + 16).sum();
    state.gates.octets() + state.lines.octets() + names + state.total.sites.len() * 8
}

/// So many messages for so many sites, none of which may go, in an order that trees don't like.
fn fill(sites: u64, messages: u64) -> (World, Turn) {
    let world = World::new("[queue]\nconnections = 1\n");
    let turn = world.turn(0, &lane("first", "first.example", ""));
    for id in 1..=messages {
        let site = id.wrapping_mul(0x9e37_79b9_7f4a_7c15) % sites;
        let tenant = if site.is_multiple_of(7) && id.is_multiple_of(2) { "acme" } else { "" };
        let lane = lane(&format!("(mx1|mx2).site{site}.example"), "d.example", tenant);
        world.governor.wait(Id(id), &lane, &world.traffic, world.now, 0);
    }
    (world, turn)
}

/// A tenth of the size, so that it is soon done: what is measured does not depend on it.
#[test]
fn a_million_messages_for_a_hundred_thousand_sites_take_less_than_a_hundred_megabytes() {
    let (world, turn) = fill(10_000, 100_000);
    assert_eq!(world.kept().1, 100_000);
    let each = octets(&world.governor) / 100_000;
    assert!(each < 100, "{each} octets for each message");
    // Nobody is there to be woken: all of it is cleared away.
    drop(turn);
    for _ in 0..1000 {
        world.governor.tick(world.now);
    }
    assert_eq!(world.kept(), (0, 0, 0));
}
