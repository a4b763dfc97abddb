//! The log of this object, which answers at once, and what follows from an append: the feed hears of
//! it, and the history is kept within its bounds.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::feed::FollowerId;
use cinnabar_core::{
    ActiveSubscription, Appended, Fetch, Located, Location, Page, Place, Position, Subscribe,
    Subscriptions, Timestamp, Update,
};
use worker::console_error;

use crate::feed::Feed;
use crate::log::Log;
use crate::object::Object;
use crate::platform;
use crate::retention::Retention;
use crate::source::Source;

/// How many ends are told in a turn, give or take those of one stream: a crowd may leave at once.
const ENDS: usize = 100;

/// How long to wait before something is tried again that must succeed.
const REST: Duration = Duration::from_secs(10);

/// Whoever is handed what has been appended and is durable.
type Readers = dyn Fn(&[Appended]);

/// The object's own log.
pub(crate) struct OwnLog {
    object: Rc<Object>,
    log: Rc<Log>,
    feed: Rc<Feed>,
    retention: Rc<Retention>,
    /// How those that follow it are handed what was appended, once there are any.
    readers: OnceCell<Rc<Readers>>,
    /// Those whose ends are still to be told. Their rows make sure that it happens.
    ending: RefCell<VecDeque<Subscriptions>>,
    is_ending: Cell<bool>,
}

impl OwnLog {
    /// What is appended to this log from now on. Its updates so far are durable.
    pub(crate) fn new(object: Rc<Object>, log: Rc<Log>) -> Rc<Self> {
        let feed = Feed::new(Rc::clone(&object), log.newest());
        let retention = Retention::new(Rc::clone(&object), Rc::clone(&log));
        let (readers, ending, is_ending) = Default::default();
        Rc::new(Self { object, log, feed, retention, readers, ending, is_ending })
    }

    /// Has what is appended handed over like this, once it is durable. Called once.
    pub(crate) fn feed(&self, hand_over: impl Fn(&[Appended]) + 'static) {
        let _ = self.readers.set(Rc::new(hand_over));
    }

    /// The log itself, to read.
    pub(crate) fn log(&self) -> &Log {
        &self.log
    }

    /// Whether too much is on its way from the log to the streams for anything to be appended.
    pub(crate) fn is_full(&self) -> bool {
        self.feed.is_full()
    }

    /// Appends an update, which the streams are handed once it is durable. After the last of those
    /// that are appended together, call [`OwnLog::trim`].
    pub(crate) fn append(&self, update: Arc<Update>, now: Timestamp) -> worker::Result<Position> {
        let position = self.log.append(&update, now)?;
        self.hand_over(Appended { position, update });
        Ok(position)
    }

    fn hand_over(&self, appended: Appended) {
        if let Some(readers) = self.readers.get() {
            let readers = Rc::clone(readers);
            self.feed.push(appended, move |portion| readers(portion));
        }
    }

    /// Drops some of what so many appended updates made superfluous.
    pub(crate) fn trim(&self, appended: usize, now: Timestamp) {
        self.retention.trim(appended as u64, now);
    }

    /// Drops what is too old.
    pub(crate) fn sweep(&self) -> worker::Result<()> {
        self.retention.sweep()
    }

    /// Notes that these are active, and that this follower holds them; it may ask twice. Nobody is
    /// answered until that is durable: the runtime holds back what is sent.
    pub(crate) fn register_for(
        &self,
        follower: FollowerId,
        subscriptions: &Subscriptions,
    ) -> worker::Result<()> {
        self.register_with(|log, now| log.register_for(follower, subscriptions, now))
    }

    fn register_with(
        &self,
        register: impl FnOnce(&Log, Timestamp) -> worker::Result<Vec<Appended>>,
    ) -> worker::Result<()> {
        if self.is_full() {
            return Err("too much waits to be handed to the streams".into());
        }
        let now = platform::now();
        self.follow_up(register(&self.log, now)?, now);
        Ok(())
    }

    /// A follower does not come back: tells the ends of what it held.
    pub(crate) fn disown(self: &Rc<Self>, follower: FollowerId) {
        // What it registers later, it holds.
        let (log, through) = (Rc::clone(self), self.log.newest());
        self.object.spawn(async move {
            at_last("a follower is gone, which could not be noted yet", || {
                log.log.disown(follower, through)
            })
            .await;
            log.end_nobodys().await;
        });
    }

    /// Tells the ends of what is noted as active, and nobody's: of streams that were cut with an earlier
    /// object, or with a follower.
    pub(crate) fn end_what_is_left_behind(self: &Rc<Self>) {
        let log = Rc::clone(self);
        self.object.spawn(async move { log.end_nobodys().await });
    }

    async fn end_nobodys(&self) {
        let mut after = Position::START;
        while let Some((left, last)) =
            at_last("it is not known yet who was here", || self.log.left_behind(after)).await
        {
            self.end_all(&Subscriptions::from(left)).await;
            after = last;
        }
    }

    /// Ends these in a turn of their own, once the streams have been handed enough of what was
    /// appended before.
    pub(crate) async fn end_all(&self, subscriptions: &Subscriptions) {
        platform::let_others_run().await;
        while self.is_full() {
            platform::let_others_run().await;
        }
        let end = || {
            let now = platform::now();
            Ok((self.log.unregister(subscriptions, now)?, now))
        };
        let (ended, now) = at_last("who has left could not be told of yet", end).await;
        self.follow_up(ended, now);
    }

    /// The next of those that wait for their end: as many as a turn tells.
    fn next_ending(&self) -> Option<Subscriptions> {
        let mut ending = self.ending.borrow_mut();
        let mut next: Vec<ActiveSubscription> = ending.pop_front()?.iter().collect();
        while next.len() < ENDS
            && let Some(more) = ending.pop_front()
        {
            next.extend(more.iter());
        }
        Some(next.into())
    }

    /// Does what follows from events that were appended together.
    fn follow_up(&self, appended: Vec<Appended>, now: Timestamp) {
        let count = appended.len();
        appended.into_iter().for_each(|one| self.hand_over(one));
        self.trim(count, now);
    }
}

impl Source for OwnLog {
    async fn end(&self) -> worker::Result<Place> {
        // Some of it may have been acknowledged without the feed having heard that it is durable.
        self.feed.settle().await?;
        // What is not handed over yet was published a moment ago, and not after now.
        Ok(self.reached().unwrap_or_else(|| Place::undated(self.feed.durable())))
    }

    async fn locate(&self, location: Location) -> worker::Result<Located> {
        self.log.locate(location)
    }

    async fn page(&self, fetch: &Fetch, subscription: &Arc<Subscribe>) -> worker::Result<Page> {
        self.log.page(fetch, Some(subscription))
    }

    async fn register(&self, subscriptions: Subscriptions) -> worker::Result<()> {
        self.register_with(|log, now| log.register(&subscriptions, now))
    }

    fn unregister(self: &Rc<Self>, subscriptions: Subscriptions) {
        self.ending.borrow_mut().push_back(subscriptions);
        if self.is_ending.replace(true) {
            return;
        }
        let log = Rc::clone(self);
        self.object.spawn(async move {
            while let Some(next) = log.next_ending() {
                log.end_all(&next).await;
            }
            log.is_ending.set(false);
        });
    }

    fn reached(&self) -> Option<Place> {
        let since = platform::now();
        self.feed.handed_over().map(|position| Place { position, since })
    }
}

/// Tries something until it succeeds: nobody else could tell who has left.
async fn at_last<T>(problem: &str, attempt: impl Fn() -> worker::Result<T>) -> T {
    loop {
        match attempt() {
            Ok(done) => return done,
            Err(error) => console_error!("{problem}: {error}"),
        }
        platform::sleep(REST).await;
    }
}
