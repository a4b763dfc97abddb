//! How many connections there may be, and what becomes of one too many.

use std::io::{ErrorKind, Read as _, Write as _};
use std::process::Command;
use std::time::Duration;

use crate::server::{Folder, KEY, Server, cinnabar};

#[test]
fn a_connection_too_many_waits_until_another_ends() {
    let folder = Folder::create();
    let mut command = cinnabar(&folder.data());
    command.args(["--max-connections", "2"]);
    let server = Server::announced(command);
    let streams = [server.subscribe("match=a", ""), server.subscribe("match=a", "")];
    server.until_it_says("all 2 connections are in use");
    // The system accepts it, and the hub does not: so it gets no answer yet.
    let mut waiting = server.connect();
    waiting.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
    waiting.write_all(b"GET /healthz HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n").unwrap();
    let nothing = waiting.read(&mut [0]).unwrap_err();
    assert!(matches!(nothing.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{nothing}");
    drop(streams);
    waiting.set_read_timeout(Some(crate::server::PATIENCE)).unwrap();
    let mut answer = String::new();
    waiting.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn a_hub_whose_connections_are_all_in_use_ends_when_it_is_asked_to() {
    let folder = Folder::create();
    let mut command = cinnabar(&folder.data());
    command.args(["--max-connections", "1"]);
    let mut server = Server::announced(command);
    let stream = server.subscribe("match=a", "");
    server.until_it_says("all 1 connections are in use");
    server.signal("TERM");
    assert!(stream.rest().ends_with("0\r\n\r\n"));
    assert_eq!(server.code(), Some(0));
}

#[test]
fn the_limit_of_open_files_is_told_where_it_is_too_low() {
    let folder = Folder::create();
    let cinnabar = cinnabar(&folder.data());
    for (files, arguments, told) in [
        (64, "", "may open no more than 64 files"),
        (100, " --max-connections 40", "ask for 36 at most"),
    ] {
        let words = std::iter::once(cinnabar.get_program()).chain(cinnabar.get_args());
        let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
        let limited = format!("ulimit -n {files} && exec {}{arguments}", words.join(" "));
        let output = Command::new("sh")
            .args(["-c", &limited])
            .envs([("MERCURE_PUBLISHER_JWT_KEY", KEY), ("ANONYMOUS", "1")])
            .output()
            .unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
}
