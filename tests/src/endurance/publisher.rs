//! Publishers, some of which never give up.

use std::io;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::journal::Journal;
use super::patience::PATIENCE;
use crate::hub::Hub;

/// How long a publisher waits before its next attempt.
const RETRY: Duration = Duration::from_millis(20);

/// A publisher of public updates to one topic, which records what it does.
#[derive(Clone)]
pub(super) struct Publisher {
    hub: Arc<Hub>,
    topic: String,
    token: String,
    journal: Arc<Journal>,
}

impl Publisher {
    pub(super) fn new(hub: &Arc<Hub>, topic: &str, journal: &Arc<Journal>) -> Self {
        Self {
            hub: Arc::clone(hub),
            topic: topic.to_owned(),
            token: hub.anyone(),
            journal: Arc::clone(journal),
        }
    }

    /// The same publisher at another hub.
    pub(super) fn at(&self, hub: &Arc<Hub>) -> Self {
        Self { hub: Arc::clone(hub), ..self.clone() }
    }

    /// Publishes when nothing may fail.
    #[track_caller]
    pub(super) fn publish(&self, data: &str) {
        self.attempt(data).unwrap_or_else(|error| panic!("cannot publish: {error}"));
    }

    fn attempt(&self, data: &str) -> io::Result<()> {
        let fields = [("topic", self.topic.as_str()), ("data", data)];
        let publication = self.hub.publication(&fields).bearer(&self.token);
        self.journal.begin(data);
        let answer = publication.try_send()?;
        if answer.status != 200 {
            return Err(io::Error::other(format!("{} {}", answer.status, answer.text())));
        }
        self.journal.acknowledge(data, answer.text());
        Ok(())
    }

    /// Tries again and again, each time with other data, until the hub acknowledges an attempt.
    fn publish_at_last(&self, name: &str) {
        let began = Instant::now();
        for attempt in 0.. {
            match self.attempt(&format!("{name}-{attempt}")) {
                Ok(()) => return,
                Err(error) => assert!(began.elapsed() < PATIENCE, "{name}: {error}"),
            }
            thread::sleep(RETRY);
        }
    }
}

/// Publishers with a thread each. They publish one update after the other until they are told to
/// stop, or the case fails.
pub(super) struct Crew {
    stopped: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Crew {
    /// What each publishes begins with this name.
    pub(super) fn start(name: &'static str, size: usize, publisher: &Publisher) -> Self {
        let stopped = Arc::new(AtomicBool::new(false));
        let start = |number| {
            let (publisher, stopped) = (publisher.clone(), Arc::clone(&stopped));
            thread::spawn(move || {
                let mut updates = 0..;
                while !stopped.load(Ordering::Relaxed)
                    && let Some(update) = updates.next()
                {
                    publisher.publish_at_last(&format!("{name}-{number}-{update}"));
                }
            })
        };
        let threads = (0..size).map(start).collect();
        Self { stopped, threads }
    }

    /// Stops them all, once each has finished its current update.
    pub(super) fn stop(mut self) {
        self.stopped.store(true, Ordering::Relaxed);
        for thread in mem::take(&mut self.threads) {
            thread.join().expect("no publisher gave up");
        }
    }
}

impl Drop for Crew {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Relaxed);
    }
}
