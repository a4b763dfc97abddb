//! The log of this object, which answers at once, and what follows from an append: the feed hears of
//! it, and the history is kept within its bounds.

use std::cell::OnceCell;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use cinnabar_core::{
    ActiveSubscription, Appended, Fetch, Located, Location, Page, Place, Position, Subscribe,
    Subscriptions, Timestamp, Update,
};

use crate::feed::Feed;
use crate::log::Log;
use crate::object::Object;
use crate::platform;
use crate::retention::Retention;
use crate::source::Source;
use crate::streams::Streams;

/// The object's own log.
pub(crate) struct OwnLog {
    object: Rc<Object>,
    log: Rc<Log>,
    feed: Rc<Feed>,
    retention: Rc<Retention>,
    /// Those that follow it, once there are any.
    streams: OnceCell<Weak<Streams<Self>>>,
}

impl OwnLog {
    /// What is appended to this log from now on. Its updates so far are durable.
    pub(crate) fn new(object: Rc<Object>, log: Rc<Log>) -> Rc<Self> {
        let feed = Feed::new(Rc::clone(&object), log.newest());
        let retention = Retention::new(Rc::clone(&object), Rc::clone(&log));
        Rc::new(Self { object, log, feed, retention, streams: OnceCell::new() })
    }

    /// Hands these streams what is appended. Called once.
    pub(crate) fn feed(&self, streams: &Rc<Streams<Self>>) {
        let _ = self.streams.set(Rc::downgrade(streams));
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
        if let Some(streams) = self.streams.get().and_then(Weak::upgrade) {
            self.feed.push(Appended { position, update }, &streams);
        }
        Ok(position)
    }

    /// Drops some of what so many appended updates made superfluous.
    pub(crate) fn trim(&self, appended: usize, now: Timestamp) {
        self.retention.trim(appended as u64, now);
    }

    /// Drops what is too old.
    pub(crate) fn sweep(&self) -> worker::Result<()> {
        self.retention.sweep()
    }

    /// Notes for each of these, by `write`, whether it is active. What is half done must not last: the
    /// object starts over, and writes nothing of this turn.
    fn note(
        &self,
        subscriptions: &Subscriptions,
        write: impl Fn(&ActiveSubscription, Timestamp) -> worker::Result<()>,
    ) {
        let (now, mut count) = (platform::now(), 0);
        let written = subscriptions.iter().try_for_each(|one| {
            count += 1;
            write(&one, now)
        });
        match written {
            Ok(()) => self.trim(count, now),
            Err(error) => {
                self.object.start_over(&format!("who is here could not be noted: {error}"));
            }
        }
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

    async fn page(&self, fetch: &Fetch, subscription: &Subscribe) -> worker::Result<Page> {
        self.log.page(fetch, subscription)
    }

    fn register(&self, subscriptions: &Subscriptions) -> worker::Result<()> {
        if self.is_full() {
            return Err("too much waits to be handed to the streams".into());
        }
        self.note(subscriptions, |one, now| {
            let position = self.append(Arc::new(one.beginning()), now)?;
            self.log.note(position, one)
        });
        Ok(())
    }

    fn unregister(&self, subscriptions: &Subscriptions) {
        self.note(subscriptions, |one, now| {
            if self.log.strike(one)? {
                self.append(Arc::new(one.end()), now)?;
            }
            Ok(())
        });
    }

    fn reached(&self) -> Option<Place> {
        let since = platform::now();
        self.feed.handed_over().map(|position| Place { position, since })
    }
}
