//! How it ends: asked to, with every reader's position; killed, with nothing lost.

use crate::server::{Folder, Server};

#[test]
fn it_ends_streams_with_their_positions_and_then_itself() {
    for signal in ["TERM", "INT"] {
        let folder = Folder::create();
        let mut server = Server::start(&folder.data(), &[("NATIVE_READERS", "always")]);
        let stream = server.subscribe("match=a", "");
        server.publish("b", "not for it");
        server.signal(signal);
        let read = stream.rest();
        // A position event, and the end of a chunked body.
        assert!(read.contains("event: cinnabar\n"), "{read}");
        assert!(read.ends_with("\r\n0\r\n\r\n"), "{read}");
        assert_eq!(server.code(), Some(0));
    }
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let folder = Folder::create();
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let mut server = Server::start(&folder.data(), &[]);
        for number in 0..20 {
            acknowledged.push(server.publish("a", &format!("{round}-{number}")));
        }
        server.kill();
    }
    let server = Server::start(&folder.data(), &[]);
    let mut stream = server.subscribe("match=a&last_event_id=earliest", "");
    stream.until(&format!("id: {}\n", acknowledged[acknowledged.len() - 1]));
    let replayed: Vec<&str> =
        stream.read.lines().filter_map(|line| line.strip_prefix("id: ")).collect();
    assert_eq!(replayed, acknowledged);
}
