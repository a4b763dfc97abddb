//! Clients that come and go.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::http::{Body, Request};
use crate::hub::Hub;

/// How long a client may take to find a hub that was killed, and how long a crowd may take to come.
const PATIENCE: Duration = Duration::from_secs(90);

/// How long it waits where the hub does not answer.
const RETRY: Duration = Duration::from_millis(20);

/// The longest that a client stays, or stays away.
const LONGEST: u64 = 400;

/// Clients, each in a thread of its own: it opens a stream, stays for a moment, and leaves.
pub(super) struct Crowd {
    topic: String,
    arrivals: Arc<AtomicUsize>,
    settling: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Option<Member>>>,
}

/// A client that has stayed.
pub(super) struct Member {
    name: String,
    _body: Body,
}

impl Member {
    /// The matcher that this stream alone has.
    pub(super) fn name(&self) -> &str {
        &self.name
    }
}

impl Crowd {
    /// Has this many come and go, each with the topic and with a name of its own.
    pub(super) fn start(hub: &Hub, topic: &str, clients: usize) -> Self {
        let (arrivals, settling) =
            (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let start = |number| {
            // Without `Accept`, a passing failure is an error.
            let plain = hub.subscription(&[]).without_header("Accept");
            let mut client = Client {
                number,
                chance: number,
                visits: 0,
                topic: topic.to_owned(),
                path: hub.path().to_owned(),
                plain,
                arrivals: Arc::clone(&arrivals),
                settling: Arc::clone(&settling),
            };
            thread::spawn(move || client.run())
        };
        let clients = (1..=clients as u64).map(start).collect();
        Self { topic: topic.to_owned(), arrivals, settling, clients }
    }

    pub(super) fn topic(&self) -> &str {
        &self.topic
    }

    /// Waits until so many more have come.
    #[track_caller]
    pub(super) fn wait_for_arrivals(&self, count: usize) {
        let (deadline, before) = (Instant::now() + PATIENCE, self.arrivals.load(Ordering::Relaxed));
        while self.arrivals.load(Ordering::Relaxed) < before + count {
            assert!(Instant::now() < deadline, "fewer than {count} came within {PATIENCE:?}");
            thread::sleep(Duration::from_millis(5));
        }
    }

    /// Nobody comes or goes any more: every other client stays, and the rest have left.
    #[track_caller]
    pub(super) fn settle(self) -> Vec<Member> {
        self.settling.store(true, Ordering::Relaxed);
        let members = self.clients.into_iter().map(|client| client.join().expect("a client"));
        members.flatten().collect()
    }
}

struct Client {
    number: u64,
    chance: u64,
    visits: u64,
    topic: String,
    path: String,
    plain: Request,
    arrivals: Arc<AtomicUsize>,
    settling: Arc<AtomicBool>,
}

impl Client {
    fn run(&mut self) -> Option<Member> {
        while !self.settling.load(Ordering::Relaxed) {
            let visit = self.visit();
            self.pause();
            drop(visit);
            self.pause();
        }
        let stays = self.number.is_multiple_of(2);
        stays.then(|| self.visit())
    }

    /// Opens a stream, however often it has to ask.
    fn visit(&mut self) -> Member {
        let deadline = Instant::now() + PATIENCE;
        loop {
            // A name for each attempt: one whose answer was lost may have been registered.
            self.visits += 1;
            let name = format!("{}/{}-{}", self.topic, self.number, self.visits);
            let query = crate::form::pairs(&[("match", &self.topic), ("match", &name)]);
            let request = self.plain.clone().target(format!("{}?{query}", self.path));
            if let Ok((head, mut body)) = request.start()
                && head.status == 200
                && matches!(body.chunk(deadline), Ok(Some(_)))
            {
                self.arrivals.fetch_add(1, Ordering::Relaxed);
                return Member { name, _body: body };
            }
            assert!(Instant::now() < deadline, "the hub does not answer");
            thread::sleep(RETRY);
        }
    }

    /// Waits for some time, different each time. It need not be random, only irregular.
    fn pause(&mut self) {
        self.chance = self.chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        thread::sleep(Duration::from_millis((self.chance >> 33) % LONGEST));
    }
}
