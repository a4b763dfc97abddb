//! The task that owns the core's [`Leader`]: what becomes durable goes to the hubs that follow this one.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use cinnabar_core::feed::{Answer, Asked, FollowerId, Leader, LeaderOutput, LinkId, Question};
use cinnabar_core::{Fetch, Page, Place};
use cinnabar_runtime::{
    Alarm, Carried, Fault, Link, Read, Source as _, SourceError as _, Tail as _, machine,
};
use tokio::sync::mpsc::{self, Receiver, Sender, UnboundedReceiver, UnboundedSender};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;
use tracing::{error, info, warn};

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
            Ok(lead) => match lead.run(&mut opened).await {
                Some(LogError::Closed) | None => return,
                Some(error) => warn!(%error, "all links to hubs that follow this one are cut"),
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
    /// How many links there ever were.
    count: u64,
    /// What links say, all through one channel.
    said: Receiver<(LinkId, Option<Bytes>)>,
    say: Sender<(LinkId, Option<Bytes>)>,
    work: JoinSet<Done>,
}

/// What the log has answered.
enum Done {
    Page(Fetch, Result<Page, LogError>),
    Answer(Asked, Result<Answer, LogError>),
    /// A link is carried no longer, or what a follower held has ended.
    Ended,
}

impl Lead {
    async fn begin(log: &Log) -> Result<Self, LogError> {
        let key = log.open().await?;
        let end = Place::undated(log.head().await?);
        let noted = log.followers().await?;
        let (say, said) = mpsc::channel(WAITING);
        // What is nobody's may be from before.
        let mut work = JoinSet::new();
        work.spawn(end_nobodys(log.clone()));
        Ok(Self {
            leader: Leader::new(key, end, noted, machine::now()),
            tail: log.tail(end),
            log: log.clone(),
            links: BTreeMap::new(),
            count: 0,
            said,
            say,
            work,
        })
    }

    /// Runs until the log cannot be followed, or until there is no handle left.
    async fn run(mut self, opened: &mut UnboundedReceiver<Link>) -> Option<LogError> {
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
                    Err(error) if error.fault() == Fault::Overtaken => return Some(error),
                    Err(error) => warn!(%error, "the log could not be followed"),
                },
                Some(done) = self.work.join_next() => self.handle_done(done),
                () = alarm.ring() => self.leader.handle_timeout(machine::now()),
            }
            self.drive();
        }
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
            Done::Ended
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

    fn handle_done(&mut self, done: Result<Done, JoinError>) {
        match done {
            Ok(Done::Page(fetch, page)) => {
                let page = page.inspect_err(|error| {
                    warn!(%error, "the log could not be read for a hub that follows this one");
                });
                self.leader.handle_page(&fetch, page.ok().as_ref(), machine::now());
            }
            Ok(Done::Answer(asked, answer)) => {
                let answer = answer.inspect_err(|error| {
                    warn!(%error, "a hub that follows this one asked what cannot be answered");
                });
                self.leader.handle_answer(asked, answer.ok());
            }
            Ok(Done::Ended) => {}
            Err(error) => error!(%error, "a panic while a hub that follows this one was answered"),
        }
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
                    self.work.spawn(async move {
                        let page = log.whole_page(fetch).await;
                        Done::Page(fetch, page)
                    });
                }
                LeaderOutput::Answer { asked, question } => {
                    let log = self.log.clone();
                    self.work.spawn(async move {
                        let answer = answer(&log, asked.follower(), question).await;
                        Done::Answer(asked, answer)
                    });
                }
                LeaderOutput::End { link, reason } => {
                    if self.links.remove(&link).is_some() {
                        info!("the link to a hub that follows this one is closed: {reason}");
                    }
                }
                LeaderOutput::Gone { follower } => {
                    let log = self.log.clone();
                    self.work.spawn(async move {
                        until_done(|| log.disown(follower)).await;
                        end_nobodys(log).await
                    });
                }
            }
        }
    }
}

/// Ends what is nobody's.
async fn end_nobodys(log: Log) -> Done {
    until_done(|| log.end_nobodys()).await;
    Done::Ended
}

/// Does something with the log until it succeeds, or the log is closed: what has ended must be told.
async fn until_done<F: Future<Output = Result<(), LogError>>>(what: impl Fn() -> F) {
    while let Err(error) = what().await {
        if matches!(error, LogError::Closed) {
            return;
        }
        warn!(%error, "the subscriptions of a hub that is gone could not be ended yet");
        sleep(REST).await;
    }
}

/// Answers a question of a follower.
async fn answer(log: &Log, follower: FollowerId, question: Question) -> Result<Answer, LogError> {
    Ok(match question {
        Question::End => Answer::End(Place::undated(log.head().await?)),
        Question::Locate(location) => Answer::Located(log.locate(location).await?),
        Question::Page(fetch, subscribe) => Answer::Page(log.page(fetch, subscribe).await?),
        Question::Register(subscriptions) => {
            log.register_for(follower, subscriptions).await?;
            Answer::Done
        }
        Question::Unregister(subscriptions) => {
            log.unregister(subscriptions).await?;
            Answer::Done
        }
        Question::List(list) => Answer::Listing(log.listing(list).await?),
    })
}
