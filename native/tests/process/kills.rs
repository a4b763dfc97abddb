//! A hub and one that follows it are killed again and again while four publishers publish: every update
//! that was acknowledged is delivered everywhere, once and in order.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::server::{Folder, PATIENCE, Server, TOKEN, cinnabar, program};

/// Nothing may leave the history, however often they are killed.
const VARIABLES: [(&str, &str); 3] = [
    ("FEED_SECRET", "a secret of thirty-two bytes that hubs share"),
    ("HISTORY_SIZE", "1000000"),
    ("REPLAY_MAX", "1000000"),
];

/// How many updates are acknowledged between a kill and the next.
const BETWEEN: usize = 30;

/// How often each of the two is killed: `CINNABAR_KILLS`, or else a few times.
fn kills() -> usize {
    std::env::var("CINNABAR_KILLS").map_or(3, |kills| kills.parse().unwrap())
}

fn serving(mut command: Command, address: &str, variables: &[(&str, &str)]) -> Server {
    command.args(["--listen", address]).envs(VARIABLES).envs(variables.iter().copied());
    Server::announced(command)
}

/// An update as a reader saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    id: String,
    data: String,
}

/// The updates in what a stream has sent; what comes after the last of them has yet to be complete.
fn updates(read: &str) -> Vec<Seen> {
    let Some((complete, _)) = read.rsplit_once("\n\n") else { return Vec::new() };
    let field = |event: &str, name| {
        event.lines().find_map(|line| Some(line.strip_prefix(name)?.to_owned()))
    };
    let seen = |event| Some(Seen { data: field(event, "data: ")?, id: field(event, "id: ")? });
    complete.split("\n\n").filter_map(seen).collect()
}

/// Reads the whole log up to the update with this data, over any number of connections. Counts them.
fn read_through(address: &str, last: &str, opened: &AtomicUsize) -> Vec<Seen> {
    let (mut all, began) = (Vec::<Seen>::new(), Instant::now());
    while all.last().is_none_or(|seen| seen.data != last) {
        assert!(began.elapsed() < 10 * PATIENCE, "{last} did not come after {:?}", all.last());
        let after = all.last().map_or("earliest", |seen| &seen.id);
        match open(address, after) {
            Some(mut stream) => {
                opened.fetch_add(1, Ordering::SeqCst);
                all.extend(follow(&mut stream, last));
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
    all
}

/// Opens a stream that begins after this update; `None` if it is not opened just now.
fn open(address: &str, after: &str) -> Option<TcpStream> {
    let mut stream = TcpStream::connect(address).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let url = format!("/.well-known/mercure?match=a&last_event_id={after}");
    let request = format!("GET {url} HTTP/1.1\r\nHost: hub\r\n\r\n");
    stream.write_all(request.as_bytes()).ok()?;
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).ok()?;
        head.extend(byte);
    }
    head.starts_with(b"HTTP/1.1 200").then_some(stream)
}

/// Reads a stream to its end, or to the update with this data.
fn follow(stream: &mut TcpStream, last: &str) -> Vec<Seen> {
    let (mut bytes, mut buffer) = (Vec::new(), [0; 16 * 1024]);
    let (last, mut has_last) = (format!("data: {last}\n"), false);
    while let Ok(read) = stream.read(&mut buffer)
        && read > 0
    {
        let from = bytes.len().saturating_sub(last.len());
        bytes.extend_from_slice(&buffer[..read]);
        has_last |= String::from_utf8_lossy(&bytes[from..]).contains(&last);
        // Its id comes after its data.
        if has_last && unchunked(&bytes).ends_with("\n\n") {
            break;
        }
    }
    updates(&unchunked(&bytes))
}

/// The content of chunks (RFC 9112, section 7.1), as far as it has come.
fn unchunked(bytes: &[u8]) -> String {
    let (mut content, mut rest) = (Vec::new(), bytes);
    while let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
        let length = std::str::from_utf8(&rest[..end]).unwrap();
        let length = usize::from_str_radix(length, 16).unwrap();
        let Some(chunk) = rest.get(end + 2..end + 2 + length) else { break };
        content.extend_from_slice(chunk);
        rest = rest.get(end + 4 + length..).unwrap_or_default();
    }
    String::from_utf8(content).unwrap()
}

/// Publishes; `None` if it is not acknowledged.
fn publish(address: &str, data: &str) -> Option<Seen> {
    let mut connection = TcpStream::connect(address).ok()?;
    connection.set_read_timeout(Some(PATIENCE)).unwrap();
    let body = format!("topic=a&data={data}");
    let head = format!(
        "POST /.well-known/mercure HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\nHost: hub\r\n\r\n",
        body.len()
    );
    connection.write_all((head + &body).as_bytes()).ok()?;
    let mut answer = String::new();
    connection.read_to_string(&mut answer).ok()?;
    let (head, id) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| Seen { id: id.to_owned(), data: data.to_owned() })
}

/// Publishes one update after another until there is an end. Returns those that were acknowledged.
fn publish_all(address: &str, name: usize, count: &AtomicUsize, ends: &AtomicBool) -> Vec<Seen> {
    let mut acknowledged = Vec::new();
    // Each attempt has its own data: what is not acknowledged may have been published.
    for attempt in 0.. {
        if ends.load(Ordering::SeqCst) {
            break;
        }
        match publish(address, &format!("{name}-{attempt}")) {
            Some(seen) => {
                acknowledged.push(seen);
                count.fetch_add(1, Ordering::SeqCst);
            }
            None => thread::sleep(Duration::from_millis(20)),
        }
    }
    acknowledged
}

fn wait_for(count: &AtomicUsize, more: usize) {
    let (least, began) = (count.load(Ordering::SeqCst) + more, Instant::now());
    while count.load(Ordering::SeqCst) < least {
        assert!(began.elapsed() < PATIENCE, "publishers are not answered");
        thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn nothing_is_lost_or_doubled_when_a_leader_and_a_follower_are_killed_again_and_again() {
    let folder = Folder::create();
    let leads = |address: &str| serving(cinnabar(&folder.data()), address, &[]);
    let mut leader = leads("127.0.0.1:0");
    let at_leader = leader.address.clone();
    let url = format!("http://{at_leader}/.well-known/mercure");
    let follows = |address: &str| {
        let mut command = program();
        command.arg("serve");
        serving(command, address, &[("FOLLOW", &url), ("FOLLOW_PUBLISH", "forward")])
    };
    let (steady, mut other) = (follows("127.0.0.1:0"), follows("127.0.0.1:0"));
    let (at_steady, at_other) = (steady.address.clone(), other.address.clone());

    // One reader stays where it is, and one comes back to a hub that is killed.
    let readers =
        [("who stayed", &at_steady), ("who came back", &at_other)].map(|(name, address)| {
            let (address, opened) = (address.clone(), Arc::new(AtomicUsize::new(0)));
            let counted = Arc::clone(&opened);
            (name, opened, thread::spawn(move || read_through(&address, "the-last", &counted)))
        });
    for (_, opened, _) in &readers {
        let began = Instant::now();
        while opened.load(Ordering::SeqCst) == 0 {
            assert!(began.elapsed() < PATIENCE, "a stream does not open");
            thread::sleep(Duration::from_millis(5));
        }
    }
    let (count, ends) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
    let mut name = 0..;
    let publishers = [&at_leader, &at_leader, &at_steady, &at_other].map(|address| {
        let (address, name) = (address.clone(), name.next().unwrap());
        let (count, ends) = (Arc::clone(&count), Arc::clone(&ends));
        thread::spawn(move || publish_all(&address, name, &count, &ends))
    });
    for kill in 0..kills() {
        // After a varying number of updates, so that it happens at different moments.
        wait_for(&count, BETWEEN + kill % 7 * 5);
        leader.kill();
        leader = leads(&at_leader);
        wait_for(&count, BETWEEN + kill % 5 * 7);
        other.kill();
        other = follows(&at_other);
    }
    wait_for(&count, BETWEEN);
    ends.store(true, Ordering::SeqCst);
    let acknowledged = publishers.map(|publisher| publisher.join().unwrap());
    publish(&at_leader, "the-last").unwrap();

    let log = read_through(&at_leader, "the-last", &AtomicUsize::new(0));
    for (number, seen) in log.iter().enumerate() {
        let twice = log[..number].iter().find(|it| it.id == seen.id || it.data == seen.data);
        assert_eq!(twice, None, "{seen:?} is in the log twice");
    }
    for acknowledged in &acknowledged {
        let mut rest = log.iter();
        for seen in acknowledged {
            assert!(rest.any(|it| it == seen), "{seen:?} is lost, or out of order");
        }
    }
    let streams = readers.map(|(name, opened, reader)| {
        let seen = reader.join().unwrap();
        let differs = seen.iter().zip(&log).find(|(seen, logged)| seen != logged);
        assert_eq!(differs, None, "{name} saw something else than the log has");
        assert_eq!(seen.len(), log.len(), "{name} saw another number of updates");
        opened.load(Ordering::SeqCst)
    });
    assert_eq!(streams[0], 1, "the stream of who stayed was open throughout");
    println!(
        "{} kills of each: {} updates, {} of them acknowledged; who came back did so {} times",
        kills(),
        log.len(),
        acknowledged.iter().map(Vec::len).sum::<usize>(),
        streams[1] - 1,
    );
}
