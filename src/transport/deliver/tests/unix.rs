//! LMTP over a socket of this machine.

use super::server::{Seen, serve};
use super::*;
use tokio::net::UnixListener;

#[tokio::test]
async fn a_socket_is_connected_to_by_its_path_and_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("lmtp.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let seen = Seen::default();
    let all = seen.clone();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        serve(stream, vec![], all).await;
    });
    let address = format!("unix:{}", path.display());
    let (hop, means) = (NextHop::Lmtp(address.clone().into()), Means::new(Arc::new(Disk)));
    let fixture = fixture(&["bob@y.example"]);
    for _ in 0..2 {
        let outcomes = fixture.deliver_by(&means, &hop).await;
        assert_eq!(short(&outcomes), ["delivered 2.0.0"]);
        assert_eq!(outcomes[0].details().remote.as_deref(), Some(&*address));
    }
    let hellos = seen.lock().unwrap().iter().filter(|line| *line == "LHLO me.example").count();
    assert_eq!(hellos, 1);
}

#[tokio::test]
async fn a_socket_that_is_not_there_puts_mail_off() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "no socket").unwrap();
    for path in [directory.path().join("gone"), file] {
        let hop = NextHop::Lmtp(format!("unix:{}", path.display()).into());
        let outcomes = fixture(&["bob@y.example"]).deliver(&hop).await;
        assert_eq!(short(&outcomes), ["deferred 4.4.1"]);
        let details = outcomes[0].details();
        assert!(details.note.starts_with("unix:/") && !details.reply.text().contains('/'), "{details:?}");
    }
}
