//! A subscriber that stays: it reads on, and resumes with its last event ID when it is cut off.

use std::cell::Cell;
use std::sync::mpsc::{Receiver, SendError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::journal::Seen;
use super::patience::PATIENCE;
use crate::http::{Body, Request};
use crate::sse::{Item, Parser};

/// How long it waits before it reconnects.
const RETRY: Duration = Duration::from_millis(50);

/// A subscriber with a thread of its own, which ends soon after the case drops it.
pub(super) struct Follower {
    steps: Receiver<Step>,
    openings: Cell<usize>,
}

enum Step {
    /// It has a stream: of the relay with this name, where the hub says so.
    Opened(Option<String>),
    Update(Seen),
    /// It has no stream, and will ask for one again.
    Lost,
    /// The hub refuses it, with this status.
    Refused(u16),
}

/// The case that started the follower no longer listens.
type Abandoned = SendError<Step>;

impl Follower {
    /// Subscribes with this request, to which a `Last-Event-ID` is added when it is sent again.
    pub(super) fn start(subscription: Request) -> Self {
        let (sender, steps) = channel();
        let mut course = Course { subscription, last_event_id: String::new(), steps: sender };
        thread::spawn(move || _ = course.run());
        Self { steps, openings: Cell::new(0) }
    }

    /// How often a stream was opened for it, before the last update that it was asked for.
    pub(super) fn openings(&self) -> usize {
        self.openings.get()
    }

    /// Waits until the hub has opened the stream. Returns the name of the relay that holds it, where the
    /// hub says so.
    #[track_caller]
    pub(super) fn wait_until_open(&self) -> Option<String> {
        match self.step(Instant::now() + PATIENCE) {
            Step::Opened(relay) => relay,
            Step::Update(_) | Step::Lost => panic!("no stream was opened"),
            Step::Refused(status) => panic!("the hub answers {status}"),
        }
    }

    /// The next update, over any number of connections.
    #[track_caller]
    pub(super) fn next(&self) -> Seen {
        // A stream that opens and ends over and over brings no update.
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.step(deadline) {
                Step::Opened(_) | Step::Lost => {}
                Step::Update(seen) => return seen,
                Step::Refused(status) => panic!("the hub answers {status}"),
            }
        }
    }

    /// Waits until its stream has ended, and the hub has opened another. Returns the updates that came
    /// before, and the relay as [`Follower::wait_until_open`] does.
    #[track_caller]
    pub(super) fn until_it_resumes(&self) -> (Vec<Seen>, Option<String>) {
        let (mut log, mut is_lost) = (Vec::new(), false);
        let deadline = Instant::now() + PATIENCE;
        loop {
            match self.step(deadline) {
                Step::Update(seen) => log.push(seen),
                Step::Lost => is_lost = true,
                Step::Opened(relay) if is_lost => return (log, relay),
                Step::Opened(_) => panic!("a second stream was opened beside the first"),
                Step::Refused(status) => panic!("the hub answers {status}"),
            }
        }
    }

    /// All updates from here on, up to and including the one with this data.
    #[track_caller]
    pub(super) fn through(&self, data: &str) -> Vec<Seen> {
        let mut log = Vec::new();
        while log.last().is_none_or(|seen: &Seen| seen.data != data) {
            log.push(self.next());
        }
        log
    }

    #[track_caller]
    fn step(&self, deadline: Instant) -> Step {
        match self.steps.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(step) => {
                if matches!(step, Step::Opened(_)) {
                    self.openings.set(self.openings.get() + 1);
                }
                step
            }
            Err(_) => panic!("the subscriber did not see it within {PATIENCE:?}"),
        }
    }
}

/// What a follower's thread does.
struct Course {
    subscription: Request,
    last_event_id: String,
    steps: Sender<Step>,
}

impl Course {
    fn run(&mut self) -> Result<(), Abandoned> {
        loop {
            if let Ok((head, body)) = self.request().start() {
                match head.status {
                    200 => {
                        self.steps.send(Step::Opened(head.header("X-Relay")))?;
                        self.follow(body)?;
                    }
                    // A passing failure of the hub, or of the platform in front of it.
                    502 | 503 => {}
                    status => self.steps.send(Step::Refused(status))?,
                }
            }
            self.steps.send(Step::Lost)?;
            thread::sleep(RETRY);
        }
    }

    fn request(&self) -> Request {
        let again = self.subscription.clone();
        match self.last_event_id.as_str() {
            "" => again,
            id => again.header("Last-Event-ID", id),
        }
    }

    /// Follows one connection to its end.
    fn follow(&mut self, mut body: Body) -> Result<(), Abandoned> {
        let mut parser = Parser::default();
        // A quiet hub sends heartbeats, so something comes.
        while let Ok(Some(chunk)) = body.chunk(Instant::now() + PATIENCE) {
            for item in parser.push(&chunk) {
                match item {
                    Item::Event(event) if event.event_type == "message" => {
                        self.steps.send(Step::Update(Seen { id: event.id, data: event.data }))?;
                    }
                    // An event of another type is a position: no page hears it.
                    Item::Event(_) | Item::Comment(_) => {}
                }
            }
            // A connection that has brought no id yet takes none away.
            if !parser.last_event_id.is_empty() {
                parser.last_event_id.clone_into(&mut self.last_event_id);
            }
        }
        Ok(())
    }
}
