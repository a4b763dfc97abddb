//! The hub inside a server of one's own: the example, as it is.

use std::path::Path;
use std::process::Command;

use crate::server::{KEY, Server};

#[test]
fn the_example_publishes_to_its_own_readers_and_ends() {
    // cargo builds examples before it runs tests, beside the folder of this one.
    let tests = std::env::current_exe().unwrap();
    let example = tests.ancestors().nth(2).map(|folder| folder.join("examples/axum")).unwrap();
    assert!(Path::new(&example).exists(), "cargo test --examples builds it");
    let mut command = Command::new(example);
    command
        .arg("127.0.0.1:0")
        .env_clear()
        .envs([("MERCURE_PUBLISHER_JWT_KEY", KEY), ("ANONYMOUS", "1")]);
    let mut server = Server::announced(command);
    let mut stream = server.subscribe("match=https://example.com/books/1", "");
    let answer = server.send(
        "PUT /books/1 HTTP/1.1\r\nHost: hub\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    );
    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    stream.until("data: {}\n");
    let id = server.publish("https://example.com/books/1", "from elsewhere");
    stream.until(&format!("id: {id}\n"));
    server.signal("INT");
    assert!(stream.rest().ends_with("0\r\n\r\n"));
    assert_eq!(server.code(), Some(0));
}
