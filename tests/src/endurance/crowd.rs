//! Thousands of streams in one hub, most of them idle.

use std::io::ErrorKind;
use std::thread;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::connection::Connection;
use super::patience::PATIENCE;
use crate::case::Suite;
use crate::hub::{Hub, fresh};
use crate::sse::Item;

const IDLE: usize = 2_000;
const BUSY: usize = 100;
const UPDATES: usize = 200;
/// How many connect at a time: more would not fit into the hub's backlog of connections.
const WAVE: usize = 100;

/// The busy streams of a full hub get every update in order. When the clients of the idle ones
/// leave, half of them without closing, their places are free two heartbeats later.
pub(super) fn a_full_hub_serves_its_streams_and_frees_those_whose_clients_left(suite: &Suite) {
    allow_open_files(2 * (IDLE + BUSY) as u64);
    let hub = suite.launch(&[("MAX_STREAMS", "2100"), ("HEARTBEAT", "2s")]);
    let topic = fresh("busy");
    let mut idle = Crowd::open(&hub, &fresh("idle"), IDLE);
    let mut busy = Crowd::open(&hub, &topic, BUSY);
    expect_full(&hub);

    let published = thread::scope(|scope| {
        let publish =
            |number: usize| hub.publish(&[("topic", &topic), ("data", &number.to_string())]);
        let publisher = scope.spawn(move || (0..UPDATES).map(publish).collect::<Vec<_>>());
        busy.read_until(|member| member.updates.len() >= UPDATES);
        publisher.join().expect("every update is acknowledged")
    });
    for member in &busy.members {
        assert_eq!(member.updates, published);
    }

    // With anything unread, a close would be a reset.
    idle.read_what_came(Duration::ZERO);
    let mut leaving = idle.members;
    for member in leaving.split_off(IDLE / 2) {
        member.connection.reset().unwrap();
    }
    drop(leaving);
    // From here to a stream's third heartbeat is at least two intervals.
    let third: Vec<usize> = busy.members.iter().map(|member| member.comments + 3).collect();
    busy.read_until_each(|number, member| member.comments >= third[number]);

    let _newcomers = Crowd::open(&hub, &fresh("idle"), IDLE);
    expect_full(&hub);
}

/// One more subscriber is refused for now: it may come again.
#[track_caller]
fn expect_full(hub: &Hub) {
    let one_more = hub.subscription(&[("match", "https://example.com/one-more")]);
    let answer = one_more.without_header("Accept").send().expect_status(503);
    assert!(answer.header("Retry-After").is_some(), "{:?}", answer.head);
}

/// Lets this process, and the hubs that it starts from now on, open this many files.
fn allow_open_files(count: u64) {
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < count) {
        let raised = Rlimit { current: Some(count), ..limit };
        setrlimit(Resource::Nofile, raised)
            .unwrap_or_else(|error| panic!("cannot open {count} files (`ulimit -Hn`): {error}"));
    }
}

/// Streams that are read by one thread.
struct Crowd {
    members: Vec<Member>,
}

struct Member {
    connection: Connection,
    /// The opening bytes and heartbeats seen so far.
    comments: usize,
    /// The ids of the updates seen so far.
    updates: Vec<String>,
}

impl Crowd {
    /// Opens this many streams of a topic; the hub must accept each.
    #[track_caller]
    fn open(hub: &Hub, topic: &str, size: usize) -> Self {
        let mut crowd = Self { members: Vec::new() };
        while crowd.members.len() < size {
            for _ in 0..WAVE {
                let connection = Connection::open(hub, &[("match", topic)], None).unwrap();
                crowd.members.push(Member { connection, comments: 0, updates: Vec::new() });
            }
            crowd.read_until(|member| member.comments > 0);
        }
        crowd
    }

    #[track_caller]
    fn read_until(&mut self, done: impl Fn(&Member) -> bool) {
        self.read_until_each(|_, member| done(member));
    }

    /// Reads until all members are done.
    #[track_caller]
    fn read_until_each(&mut self, done: impl Fn(usize, &Member) -> bool) {
        let began = Instant::now();
        loop {
            let undone = self
                .members
                .iter()
                .enumerate()
                .filter(|(number, member)| !done(*number, member))
                .count();
            if undone == 0 {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{undone} of {} still wait", self.members.len());
            self.read_what_came(Duration::from_secs(1));
        }
    }

    /// Waits this long for anything to arrive, and reads what has.
    #[track_caller]
    fn read_what_came(&mut self, patience: Duration) {
        let mut sockets: Vec<_> = self
            .members
            .iter()
            .map(|member| PollFd::new(&member.connection, PollFlags::IN))
            .collect();
        let patience = Timespec::try_from(patience).expect("a second or less");
        poll(&mut sockets, Some(&patience)).expect("these are open sockets");
        let ready: Vec<bool> = sockets.iter().map(|socket| !socket.revents().is_empty()).collect();
        for (member, _) in self.members.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            member.read();
        }
    }
}

impl Member {
    #[track_caller]
    fn read(&mut self) {
        match self.connection.read(&mut [0; 16 * 1024], PATIENCE) {
            Err(error) if error.kind() != ErrorKind::Interrupted => {
                panic!("a stream was lost ({error}); its answer was {:?}", self.connection.status())
            }
            _ => {}
        }
        assert!(
            matches!(self.connection.status(), None | Some(200)),
            "{:?}",
            self.connection.status()
        );
        while let Some(item) = self.connection.decoded() {
            match item {
                Item::Comment(_) => self.comments += 1,
                Item::Event(event) => self.updates.push(event.id),
            }
        }
    }
}
