//! The task that owns the core's [`Leader`]: what becomes durable goes to the hubs that follow this one.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::feed::{Asked, Leader, LeaderOutput, LinkId};
use cinnabar_core::{Fetch, Place};
use cinnabar_runtime::{Alarm, Carried, Link, Read, Source as _, Tail as _, machine};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::sleep;
use tracing::{error, info, warn};

use crate::feed::work::{self, Done};
use crate::log::{Log, LogError, Tail};

/// How many messages of all links may wait for their turn. Then links have to wait.
const WAITING: usize = 64;

/// How long to rest when the log cannot be followed.
const REST: Duration = Duration::from_secs(1);

/// A handle on the task.
#[derive(Clone, Debug)]
pub(crate) struct Feed(UnboundedSender<Link>);

impl Feed {
    /// Starts the task, on the runtime of the caller. It ends when the log is closed.
    pub(crate) fn start(log: Log) -> Self {
        let (links, opened) = mpsc::unbounded_channel();
        tokio::spawn(run(log, opened));
        Self(links)
    }

    /// There is one more link. Each is a connection, and so their number is bounded.
    pub(crate) fn connect(&self, link: Link) {
        // If the log is closed, it ends at once.
        let _ = self.0.send(link);
    }
}

/// Leads until the log is closed. If it cannot go on, all links end, and their followers come back.
async fn run(log: Log, mut opened: UnboundedReceiver<Link>) {
    loop {
        match Lead::begin(&log).await {
            Ok(mut lead) => match lead.run(&mut opened).await {
                Some(LogError::Closed) | None => return,
                Some(error) => {
                    warn!(%error, "all links to hubs that follow this one are cut");
                    lead.end().await;
                }
            },
            Err(LogError::Closed) => return,
            Err(error) => error!(%error, "no hub can follow this one"),
        }
        sleep(REST).await;
    }
}

struct Lead {
    log: Log,
    leader: Leader,
    tail: Tail,
    links: BTreeMap<LinkId, UnboundedSender<Carried>>,
    /// How many links this leader ever had, which numbers them: what one of them said may come after it
    /// has ended.
    count: u64,
    /// What links say, all through one channel.
    said: Receiver<(LinkId, Option<Bytes>)>,
    say: Sender<(LinkId, Option<Bytes>)>,
    work: JoinSet<Done>,
    /// What the leader waits for, by the task that finds it: one that panics takes with it what it has.
    wanted: HashMap<Id, Wanted>,
}

/// What the leader waits for.
enum Wanted {
    Page(Fetch),
    Answer(Asked),
}

impl Lead {
    async fn begin(log: &Log) -> Result<Self, LogError> {
        let key = log.open().await?;
        let noted = log.followers().await?;
        let end = Place::undated(log.head().await?);
        let (say, said) = mpsc::channel(WAITING);
        // What is nobody's may be from before.
        let mut work = JoinSet::new();
        work.spawn(work::end_nobodys(log.clone()));
        Ok(Self {
            leader: Leader::new(key, end, noted, machine::now()),
            tail: log.tail(end),
            log: log.clone(),
            links: BTreeMap::new(),
            count: 0,
            said,
            say,
            work,
            wanted: HashMap::new(),
        })
    }

    /// Runs until the log cannot be followed, or until there is no handle left.
    async fn run(&mut self, opened: &mut UnboundedReceiver<Link>) -> Option<LogError> {
        let mut alarm = Alarm::default();
        loop {
            alarm.set(self.leader.poll_timeout(), machine::now());
            tokio::select! {
                link = opened.recv() => self.connect(link?),
                Some((link, bytes)) = self.said.recv() => self.handle_said(link, bytes),
                read = self.tail.next() => match read {
                    Ok(Read { updates, reached }) => {
                        self.leader.handle_appended(&updates);
                        self.leader.handle_reached(reached);
                    }
                    // Nothing more comes from this tail, and a later one may have missed something.
                    Err(error) => return Some(error),
                },
                Some(done) = self.work.join_next_with_id() => match done {
                    // What was asked, the next leader is asked as well.
                    Ok((_, Done::Closed)) => return Some(LogError::Closed),
                    done => self.handle_done(done),
                },
                () = alarm.ring() => self.leader.handle_timeout(machine::now()),
            }
            self.drive();
        }
    }

    /// Ends all links, and waits for the end of all tasks: what they have asked of the log, it does before
    /// it tells the next leader whose subscriptions it notes.
    async fn end(mut self) {
        self.links.clear();
        self.work.shutdown().await;
    }

    fn connect(&mut self, link: Link) {
        self.count += 1;
        let id = LinkId::new(self.count);
        let Link { sends, mut comes } = link;
        self.links.insert(id, sends);
        self.leader.handle_connected(id);
        let say = self.say.clone();
        self.work.spawn(async move {
            while let Some(came) = comes.recv().await {
                if let Carried::Bytes(bytes) = came
                    && say.send((id, Some(bytes))).await.is_err()
                {
                    break;
                }
            }
            let _ = say.send((id, None)).await;
            Done::Nothing
        });
        info!("another hub follows this one; {} do", self.links.len());
    }

    fn handle_said(&mut self, link: LinkId, bytes: Option<Bytes>) {
        let now = machine::now();
        match bytes {
            Some(bytes) => self.leader.handle_message(link, &bytes, now),
            None => {
                self.leader.handle_disconnected(link, now);
                if self.links.remove(&link).is_some() {
                    info!(
                        "the link to a hub that follows this one has ended; {} are left",
                        self.links.len()
                    );
                }
            }
        }
    }

    fn handle_done(&mut self, done: Result<(Id, Done), JoinError>) {
        let (id, done) = done.unwrap_or_else(|error| {
            error!(%error, "a panic while a hub that follows this one was answered");
            (error.id(), Done::Nothing)
        });
        match (self.wanted.remove(&id), done) {
            (Some(Wanted::Page(fetch)), Done::Page(page)) => {
                self.leader.handle_page(&fetch, Some(&page), machine::now());
            }
            (Some(Wanted::Page(fetch)), _) => {
                self.leader.handle_page(&fetch, None, machine::now());
            }
            (Some(Wanted::Answer(asked)), Done::Answer(answer)) => {
                self.leader.handle_answer(asked, Some(answer));
            }
            (Some(Wanted::Answer(asked)), _) => self.leader.handle_answer(asked, None),
            (None, _) => {}
        }
    }

    /// Has a task find what the leader waits for.
    fn find(&mut self, wanted: Wanted, task: impl Future<Output = Done> + Send + 'static) {
        let task = self.work.spawn(task);
        self.wanted.insert(task.id(), wanted);
    }

    fn drive(&mut self) {
        while let Some(output) = self.leader.poll_output() {
            match output {
                LeaderOutput::Send { links, bytes } => {
                    for link in links {
                        if let Some(sends) = self.links.get(&link) {
                            // If it has ended, that will be told.
                            let _ = sends.send(Carried::Bytes(bytes.clone()));
                        }
                    }
                }
                LeaderOutput::Read { fetch } => {
                    let log = self.log.clone();
                    self.find(Wanted::Page(fetch), work::page(log, fetch));
                }
                LeaderOutput::Answer { asked, question } => {
                    let (log, follower) = (self.log.clone(), asked.follower());
                    self.find(Wanted::Answer(asked), work::answer(log, follower, question));
                }
                LeaderOutput::End { link, reason } => {
                    if self.links.remove(&link).is_some() {
                        info!("the link to a hub that follows this one is closed: {reason}");
                    }
                }
                LeaderOutput::Gone { follower } => {
                    let log = self.log.clone();
                    self.work.spawn(work::end_all_of(log, follower));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests;
