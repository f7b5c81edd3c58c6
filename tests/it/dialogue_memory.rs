//! Dialogues with the machine in memory.

use crate::dialogue::{self, Packets};
use crate::reference::memory::Memory;

fn run_all(packets: impl IntoIterator<Item = Packets> + Clone) {
    let mut wrong = Vec::new();
    for dialogue in dialogue::all().into_iter().filter(|d| !d.setup.is_whole()) {
        for packets in packets.clone() {
            if let Err(what) = dialogue.run(&mut Memory::new(&dialogue.setup), packets) {
                wrong.push(format!("{} ({packets:?}): {what}", dialogue.name));
                break;
            }
        }
    }
    assert!(wrong.is_empty(), "{} dialogues failed:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn as_written() {
    run_all([Packets::AsWritten]);
}

#[test]
fn in_one_packet() {
    run_all([Packets::One]);
}

#[test]
fn octet_by_octet() {
    run_all([Packets::Octets]);
}

#[test]
fn split_at_random() {
    run_all((0..50).map(Packets::Random));
}

#[test]
fn names_say_where_the_rule_comes_from() {
    let dialogues = dialogue::all();
    assert!(dialogues.len() > 80, "{}", dialogues.len());
    for dialogue in dialogues {
        let known = ["rfc", "hazard-", "limit-", "sink-"].iter().any(|p| dialogue.name.starts_with(p));
        assert!(known, "{}: begin it with the RFC and section, or hazard-, limit- or sink-", dialogue.name);
    }
}
