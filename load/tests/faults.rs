//! A hub with faults, which the load must find.
#![expect(clippy::unwrap_used, reason = "all of it is a test")]

use std::io::{self, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cinnabar_load::{Faults, Figures, Hub, Load, Tokens, run};

const STREAMS: u64 = 3;

/// How long the first publisher's second update is not acknowledged.
const STALL: Duration = Duration::from_millis(300);

/// Behind the first update of each publisher, which is the warm-up, everybody loses one of publisher
/// 2 and gets one of publisher 3 twice; and the hub has no room for that of publisher 4. In the
/// warm-up, the same happens to those of publishers 5, 6 and 7.
#[test]
fn what_a_hub_loses_repeats_and_refuses_is_counted() {
    let load = Load {
        streams: STREAMS as usize,
        publishers: 8,
        // Each publisher publishes once a round.
        duration: Duration::ZERO,
        warm_up: Duration::ZERO,
        // What is lost is waited for so long.
        patience: Duration::from_secs(2),
        ..Load::default()
    };
    let tokens = Tokens { publisher: "p".to_owned(), subscriber: "s".to_owned() };
    let hub = Hub::new(&faulty_hub(), tokens, "match").unwrap();
    let figures = run(&load, &hub, None, &|_| {}).unwrap();
    let Figures { publications, refused, deliveries, lost, out_of_order, twice, ended, .. } =
        figures;
    assert_eq!((publications, refused), (7, 1));
    // One was refused, and so is not lost; one was lost.
    assert_eq!((deliveries, lost), (STREAMS * 6, STREAMS));
    assert_eq!((twice, out_of_order, ended), (STREAMS, 0, 0));
    let warm_up = Faults { refused: 1, lost: STREAMS, out_of_order: 0, twice: STREAMS };
    assert_eq!(figures.warm_up, warm_up);
    assert!(figures.latency.is_some_and(|latency| latency.p50 <= latency.max));
}

/// The hub delivers everything at once, but takes its time to acknowledge the first update that is
/// measured. What is due meanwhile is late, however fast it is delivered once it has been sent.
#[test]
fn what_was_due_while_a_hub_stalled_is_late() {
    let load = Load {
        streams: 1,
        rate: Some(100.0),
        duration: Duration::from_secs(1),
        warm_up: Duration::ZERO,
        ..Load::default()
    };
    let tokens = Tokens { publisher: "p".to_owned(), subscriber: "s".to_owned() };
    let hub = Hub::new(&faulty_hub(), tokens, "match").unwrap();
    let figures = run(&load, &hub, None, &|_| {}).unwrap();
    // The second was due after 10 ms.
    let least = STALL.as_secs_f64() * 1000.0 - 15.0;
    assert!(figures.latency.is_some_and(|latency| latency.max >= least), "{figures:?}");
}

/// The hub takes the whole round and longer to acknowledge the first update that is measured. The others
/// were due in that time, and are sent all the same.
#[test]
fn what_was_due_while_a_hub_stalled_at_the_end_is_sent() {
    let load = Load {
        streams: 1,
        rate: Some(100.0),
        duration: STALL / 3,
        warm_up: Duration::ZERO,
        ..Load::default()
    };
    let tokens = Tokens { publisher: "p".to_owned(), subscriber: "s".to_owned() };
    let hub = Hub::new(&faulty_hub(), tokens, "match").unwrap();
    let figures = run(&load, &hub, None, &|_| {}).unwrap();
    assert_eq!((figures.publications, figures.deliveries), (10, 10));
}

/// The faults, by publisher and number.
fn copies(data: &str) -> usize {
    let fault = |stamp: &str| data.starts_with(stamp);
    match () {
        () if fault("0002.0000000001.") || fault("0005.0000000000.") => 0,
        () if fault("0003.0000000001.") || fault("0006.0000000000.") => 2,
        () if is_refused(data) => 0,
        () => 1,
    }
}

fn is_refused(data: &str) -> bool {
    data.starts_with("0004.0000000001.") || data.starts_with("0007.0000000000.")
}

/// Starts the hub, and returns its URL.
fn faulty_hub() -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("http://{}/hub", listener.local_addr().unwrap());
    let streams = Arc::new(Mutex::new(Vec::new()));
    thread::spawn(move || {
        for connection in listener.incoming() {
            let streams = Arc::clone(&streams);
            thread::spawn(move || serve(connection.unwrap(), &streams));
        }
    });
    url
}

/// Serves one connection to its end.
fn serve(mut connection: TcpStream, streams: &Mutex<Vec<TcpStream>>) -> io::Result<()> {
    loop {
        let head = read_until(&mut connection, "\r\n\r\n")?;
        if head.starts_with("GET /hub?match=") {
            connection.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            streams.lock().unwrap().push(connection);
            return Ok(());
        }
        let length = head.split("Content-Length: ").nth(1).and_then(|rest| rest.lines().next());
        let mut form = vec![0; length.unwrap().parse().unwrap()];
        connection.read_exact(&mut form)?;
        let form = String::from_utf8(form).unwrap();
        let data = form.split("data=").nth(1).unwrap();
        let event = format!("data: {data}\nid: 1\n\n");
        for stream in streams.lock().unwrap().iter_mut() {
            for _ in 0..copies(data) {
                write!(stream, "{:x}\r\n{event}\r\n", event.len())?;
            }
        }
        if data.starts_with("0000.0000000001.") {
            thread::sleep(STALL);
        }
        let status = if is_refused(data) { "503 Service Unavailable" } else { "200 OK" };
        write!(connection, "HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n")?;
    }
}

fn read_until(connection: &mut TcpStream, end: &str) -> io::Result<String> {
    let mut text = String::new();
    while !text.ends_with(end) {
        let mut byte = [0];
        connection.read_exact(&mut byte)?;
        text.push(byte[0].into());
    }
    Ok(text)
}
