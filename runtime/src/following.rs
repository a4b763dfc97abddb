//! The task that owns the core's [`Follower`], its link, and what comes over it.
//!
//! It exists as long as there is a handle. While nobody has a stream, it rests, without a link.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::feed::{
    Answer, Ending, Follower, FollowerId, FollowerOutput, LinkId, Loss, Question, QuestionId,
};
use cinnabar_core::{Appended, CursorKey, Position};
use tokio::sync::mpsc::{Sender, UnboundedReceiver};
use tokio::sync::oneshot;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::timeout;
use tracing::{info, warn};

use crate::alarm::Alarm;
use crate::link::{Carried, Dial, Link};
use crate::machine::{self, Now};
use crate::recent::{Recent, behind};
use crate::source::{Fault, Read, SourceError};

/// How many reads may wait for room in the channel of the tail, before nothing more is taken from the
/// link.
const WAITING: usize = 4;

/// How long the last words of a link may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Why another hub's log did not answer.
#[derive(Clone, Debug, thiserror::Error)]
pub enum FollowError {
    /// There is no link to it, or it cannot answer just now.
    #[error("the hub that is followed does not answer")]
    Away,
    /// The streams cannot go on from where they are.
    #[error("the hub that is followed cannot go on: {0}")]
    Lost(#[from] Loss),
    /// More came than is kept for streams that are about to begin.
    #[error("updates came before the streams were ready for them")]
    Overtaken,
    /// This hub has stopped following it.
    #[error("no hub is followed any more")]
    Closed,
}

impl SourceError for FollowError {
    fn fault(&self) -> Fault {
        match self {
            Self::Away => Fault::Passing,
            Self::Lost(_) | Self::Overtaken | Self::Closed => Fault::Overtaken,
        }
    }
}

/// What the task is asked.
#[derive(Debug)]
pub(crate) enum Ask {
    Question(Question, oneshot::Sender<Result<Answered, FollowError>>),
    /// Hands over what follows this place.
    Tail(Position, Sender<Result<Read, FollowError>>),
    /// To be answered when nothing more has to be told, and the link is closed.
    Close(oneshot::Sender<()>),
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answered {
    pub(crate) answer: Answer,
    /// The key of the log's cursors,
    pub(crate) key: CursorKey,
    /// and up to where it has come.
    pub(crate) position: Position,
}

pub(crate) struct Following<D: Dial> {
    dial: Arc<D>,
    now: Now,
    asks: UnboundedReceiver<Ask>,
    /// None until something is asked, and after streams were cut.
    follower: Option<Follower>,
    /// The key of the log's cursors, while it is followed.
    key: Option<CursorKey>,
    /// Who waits for an answer.
    waiting: BTreeMap<QuestionId, Vec<oneshot::Sender<Result<Answered, FollowError>>>>,
    line: Line<D::Error>,
    /// What has come and was not yet said to be all up to a place.
    fresh: Vec<Appended>,
    recent: Recent,
    tail: Option<TailEnd>,
    /// Who waits for the end.
    closing: Vec<oneshot::Sender<()>>,
    /// What was last complained of.
    complaint: Option<String>,
}

/// The link, as far as there is one.
enum Line<E> {
    None,
    Dialing(LinkId, JoinHandle<Result<Link, E>>),
    Open(LinkId, Link),
}

/// Where reads go.
struct TailEnd {
    reads: Sender<Result<Read, FollowError>>,
    /// It has everything up to here.
    from: Position,
    /// They wait for room.
    waiting: VecDeque<Result<Read, FollowError>>,
}

/// What a link did.
enum Event<E> {
    Dialed(LinkId, Result<Result<Link, E>, JoinError>),
    Came(LinkId, Carried),
    Ended(LinkId),
}

impl<D: Dial> Following<D> {
    pub(crate) fn new(dial: D, now: Now, asks: UnboundedReceiver<Ask>) -> Self {
        Self {
            dial: Arc::new(dial),
            now,
            asks,
            follower: None,
            key: None,
            waiting: BTreeMap::new(),
            line: Line::None,
            fresh: Vec::new(),
            recent: Recent::default(),
            tail: None,
            closing: Vec::new(),
            // The first link is worth a line.
            complaint: Some(String::new()),
        }
    }

    /// Runs until there is no handle left, or it is closed.
    pub(crate) async fn run(mut self) {
        let mut alarm = Alarm::default();
        loop {
            self.drive();
            if !self.closing.is_empty() && self.has_told_everything() {
                return self.close().await;
            }
            alarm.set(self.follower.as_ref().and_then(Follower::poll_timeout), (self.now)());
            let takes = self.tail.as_ref().is_none_or(|tail| tail.waiting.len() < WAITING);
            tokio::select! {
                ask = self.asks.recv() => match ask {
                    Some(ask) => self.handle_ask(ask),
                    None => return,
                },
                event = next(&mut self.line), if takes => self.handle_event(event),
                has_reader = hand_over(&mut self.tail) => if !has_reader {
                    self.tail = None;
                },
                () = alarm.ring() => {
                    let now = (self.now)();
                    self.follower.iter_mut().for_each(|follower| follower.handle_timeout(now));
                }
            }
        }
    }

    fn handle_ask(&mut self, ask: Ask) {
        let now = (self.now)();
        match ask {
            Ask::Question(question, done) => {
                let Some(follower) = self.follower() else { return };
                // Where it cannot be asked, `done` is dropped, which says so.
                if let Ok(number) = follower.ask(question, now) {
                    self.waiting.entry(number).or_default().push(done);
                }
            }
            Ask::Tail(from, reads) => {
                let position = self.follower.as_ref().and_then(Follower::position);
                let first = match position.and_then(|_| self.recent.after(from)) {
                    Some(reads) => reads.into_iter().map(Ok).collect(),
                    None => VecDeque::from([Err(FollowError::Overtaken)]),
                };
                self.tail = Some(TailEnd { reads, from, waiting: first });
            }
            Ask::Close(done) => self.closing.push(done),
        }
    }

    /// The follower, or a new one.
    fn follower(&mut self) -> Option<&mut Follower> {
        if self.follower.is_none() {
            let Ok(name) = machine::entropy() else {
                warn!("the system has no random bytes, so no hub can be followed");
                return None;
            };
            let seed = machine::entropy().map_or(0, u64::from_be_bytes);
            self.follower = Some(Follower::new(FollowerId::from_random(name), seed));
        }
        self.follower.as_mut()
    }

    fn handle_event(&mut self, event: Event<D::Error>) {
        let now = (self.now)();
        let Some(follower) = &mut self.follower else { return };
        match event {
            Event::Dialed(id, Ok(Ok(link))) => self.line = Line::Open(id, link),
            Event::Dialed(id, Ok(Err(error))) => {
                self.line = Line::None;
                follower.handle_disconnected(id, now);
                self.complain(format!("the hub that is followed cannot be reached: {error}"));
            }
            // It panicked, or was stopped.
            Event::Dialed(id, Err(_)) => {
                self.line = Line::None;
                follower.handle_disconnected(id, now);
            }
            Event::Came(id, Carried::Bytes(bytes)) => {
                let followed = follower.is_following();
                follower.handle_message(id, &bytes, now);
                if !followed && follower.is_following() && self.complaint.take().is_some() {
                    info!("there is a link to the hub that is followed");
                }
            }
            Event::Came(id, Carried::Pong) => follower.handle_pong(id, now),
            Event::Came(_, Carried::Ping) => {}
            Event::Ended(id) => {
                self.line = Line::None;
                follower.handle_disconnected(id, now);
                self.complain("the link to the hub that is followed has ended".to_owned());
            }
        }
    }

    /// Says what is wrong, unless that was the last thing that was said.
    fn complain(&mut self, what: String) {
        if self.complaint.as_ref() != Some(&what) {
            warn!("{what}");
            self.complaint = Some(what);
        }
    }

    /// Does what the follower wants done, until there is nothing left.
    fn drive(&mut self) {
        let (holds, now) = (self.tail.is_some(), (self.now)());
        self.follower.iter_mut().for_each(|follower| follower.handle_holds(holds, now));
        while let Some(output) = self.follower.as_mut().and_then(Follower::poll_output) {
            self.carry_out(output);
        }
    }

    fn carry_out(&mut self, output: FollowerOutput) {
        match output {
            FollowerOutput::Connect { link } => {
                let dial = Arc::clone(&self.dial);
                self.hang_up();
                self.line = Line::Dialing(link, tokio::spawn(async move { dial.dial().await }));
            }
            FollowerOutput::Send { link, bytes } => self.send(link, Carried::Bytes(bytes)),
            FollowerOutput::Ping { link } => self.send(link, Carried::Ping),
            FollowerOutput::Disconnect { link, reason } => {
                if self.line.id() == Some(link) {
                    self.hang_up();
                    match reason {
                        Ending::Idle => {}
                        reason => self.complain(format!(
                            "the link to the hub that is followed is closed: {reason}"
                        )),
                    }
                }
            }
            FollowerOutput::Begin { key, end } => {
                self.key = Some(key);
                self.fresh.clear();
                self.recent.begin(end.position);
            }
            FollowerOutput::Appended { updates } => self.fresh.extend(updates),
            FollowerOutput::Reached { place } => {
                let updates = std::mem::take(&mut self.fresh);
                let read = Read { updates, reached: place };
                if let Some(tail) = &mut self.tail {
                    tail.waiting.extend(behind(&read, tail.from).map(Ok));
                }
                self.recent.push(read);
            }
            FollowerOutput::Answered { question, answer } => {
                let follower = self.follower.as_ref();
                let standing = self.key.as_ref().zip(follower.and_then(Follower::position));
                let Some((key, position)) = standing else { return };
                for done in self.waiting.remove(&question).into_iter().flatten() {
                    let (answer, key) = (answer.clone(), key.clone());
                    let _ = done.send(Ok(Answered { answer, key, position }));
                }
            }
            FollowerOutput::Failed { question } => {
                for done in self.waiting.remove(&question).into_iter().flatten() {
                    let _ = done.send(Err(FollowError::Away));
                }
            }
            FollowerOutput::Cut { loss } => {
                if let Some(tail) = &mut self.tail {
                    tail.waiting.push_back(Err(loss.into()));
                }
                self.hang_up();
                self.follower = None;
            }
        }
    }

    fn send(&mut self, link: LinkId, message: Carried) {
        if let Line::Open(id, open) = &self.line
            && *id == link
        {
            // If it has ended, that will be told.
            let _ = open.sends.send(message);
        }
    }

    fn hang_up(&mut self) {
        if let Line::Dialing(_, dialing) = std::mem::replace(&mut self.line, Line::None) {
            dialing.abort();
        }
    }

    /// Whether nothing is asked any more. The follower itself may have something to tell, for which nobody
    /// waits.
    fn has_told_everything(&self) -> bool {
        self.follower.as_ref().is_none_or(|follower| follower.questions() == 0)
    }

    /// Says goodbye.
    async fn close(mut self) {
        let Some(follower) = &mut self.follower else { return };
        follower.handle_shutdown();
        while let Some(output) = follower.poll_output() {
            if let (FollowerOutput::Send { bytes, .. }, Line::Open(_, link)) = (output, &self.line)
            {
                let _ = link.sends.send(Carried::Bytes(bytes));
            }
        }
        if let Line::Open(_, Link { sends, mut comes }) = self.line {
            drop(sends);
            let ended = async { while comes.recv().await.is_some() {} };
            let _ = timeout(LAST_WORDS, ended).await;
        }
        // Those that wait for it learn of it as their senders are dropped.
    }
}

impl<E> Line<E> {
    fn id(&self) -> Option<LinkId> {
        match self {
            Self::None => None,
            Self::Dialing(id, _) | Self::Open(id, _) => Some(*id),
        }
    }
}

/// What a link does next; never, while there is none.
async fn next<E>(line: &mut Line<E>) -> Event<E> {
    match line {
        Line::None => std::future::pending().await,
        Line::Dialing(id, dialing) => Event::Dialed(*id, dialing.await),
        Line::Open(id, link) => match link.comes.recv().await {
            Some(came) => Event::Came(*id, came),
            None => Event::Ended(*id),
        },
    }
}

/// Hands over the next read once there is room for it. Returns whether there is still a reader; never,
/// while nothing changes.
async fn hand_over(tail: &mut Option<TailEnd>) -> bool {
    let Some(TailEnd { reads, waiting, .. }) = tail else { return std::future::pending().await };
    if waiting.is_empty() {
        reads.closed().await;
        return false;
    }
    let Ok(room) = reads.reserve().await else { return false };
    if let Some(read) = waiting.pop_front() {
        room.send(read);
    }
    true
}
