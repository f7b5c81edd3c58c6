//! Who is next: priority, tenants in turn, age; and sites in turn where they share a bound.

use super::world::{World, lane};

/// Gives one turn after the other to those who are called, and says who they were.
fn served(
    world: &World,
    turn: crate::transport::traffic::Turn,
    lane_of: impl Fn(u64) -> crate::transport::traffic::Lane,
) -> Vec<u64> {
    let (mut order, mut turn) = (Vec::new(), Some(turn));
    while turn.take().is_some() {
        let woken = world.woken();
        assert!(woken.len() <= 1, "{woken:?}");
        if let Some(id) = woken.first() {
            order.push(*id);
            turn = Some(world.turn(*id, &lane_of(*id)));
        }
    }
    order
}

#[test]
fn by_priority_then_tenant_by_tenant_then_by_age() {
    let world = World::new("[[traffic]]\nsite = '*'\nconnections = 1\n");
    let tenant = |id: u64| ["acme", "bolt", ""][id as usize / 100 - 1];
    let of = |id| lane("a", "a.example", tenant(id));
    let first = world.turn(100, &of(100));
    for id in [103, 101, 102, 201, 301, 302] {
        world.wait(id, &of(id), 0);
    }
    for (id, priority) in [(104, 5), (105, 5), (202, 5), (203, -5), (106, -5), (107, -5)] {
        world.wait(id, &of(id), priority);
    }
    let order = served(&world, first, of);
    assert_eq!(order, [104, 202, 105, 101, 201, 301, 102, 302, 103, 106, 203, 107]);
}

#[test]
fn ten_of_one_tenant_do_not_wait_for_a_thousand_of_another() {
    let world = World::new("[[traffic]]\nsite = '*'\nconnections = 1\n");
    let of = |id: u64| lane("a", "a.example", if id < 5000 { "large" } else { "small" });
    let first = world.turn(1, &of(1));
    for id in (1000..2000).chain(5000..5010) {
        world.wait(id, &of(id), 0);
    }
    let order = served(&world, first, of);
    assert_eq!(order.len(), 1010);
    let last = order.iter().rposition(|id| *id >= 5000).unwrap();
    assert!(last < 21, "the last of the small tenant was number {last}");
}

#[test]
fn sites_take_turns_where_all_connections_are_in_use() {
    let world = World::new("[queue]\nconnections = 1\n");
    let of = |id: u64| lane(["a", "b", "c"][id as usize / 100 - 1], "d.example", "");
    let first = world.turn(100, &of(100));
    for id in [101, 102, 103, 201, 202, 301] {
        world.wait(id, &of(id), 0);
    }
    let order = served(&world, first, of);
    assert_eq!(order[..3].iter().map(|id| id / 100).collect::<std::collections::BTreeSet<_>>().len(), 3, "{order:?}");
    assert_eq!(order.len(), 6);
    assert_eq!(order.last(), Some(&103), "{order:?}");
}

#[test]
fn sites_take_turns_at_the_limit_of_a_tenant() {
    let world = World::new("[[traffic]]\ntenant = 'acme'\nconnections = 1\n");
    let of = |id: u64| lane(["a", "b"][id as usize / 100 - 1], "d.example", "acme");
    let first = world.turn(100, &of(100));
    for id in [101, 102, 103, 201, 202, 203] {
        world.wait(id, &of(id), 0);
    }
    let order = served(&world, first, of);
    assert_eq!(order.len(), 6);
    assert!(order.windows(2).all(|pair| pair[0] / 100 != pair[1] / 100), "{order:?}");
}
