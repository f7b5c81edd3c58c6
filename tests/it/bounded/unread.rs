//! Clients that ask and never read what they are told.

use super::{MIB, attacked, greeted, warm};
use crate::wait::eventually;
use std::io::Write;
use std::time::Duration;

#[test]
fn replies_that_are_never_read() {
    const CLIENTS: usize = 50;
    let server = warm("idle = \"2 s\"\nidle-commands = 4000000000\nconnections-per-client = 1000\n");
    // 32 KiB of replies for each, and what they ask.
    attacked("replies never read", &server, 12 * MIB, || {
        let blocked = |n: usize| {
            let mut client = greeted(server.address(0));
            client.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
            let ask = if n.is_multiple_of(2) { "HELP\r\n" } else { "EHLO client.example\r\n" }.repeat(1000);
            let mut asked = 0;
            // The server takes no more once nobody takes what it says, long before this is over.
            while client.write_all(ask.as_bytes()).is_ok() {
                asked += ask.len();
                assert!(asked < 64 * MIB, "the server goes on reading");
            }
            client
        };
        let clients: Vec<_> = (0..CLIENTS).map(blocked).collect();
        eventually("the clients to be given up", || (server.status().sessions <= 1).then_some(()));
        drop(clients);
    });
}
