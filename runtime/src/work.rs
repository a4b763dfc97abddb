//! Calls to the log, each in its own task, so that nothing that takes time holds up a stream.

use std::sync::Arc;

use cinnabar_core::{CursorKey, Fetch, Located, Location, Page, Place, StreamId, Subscribe};
use tokio::task::{JoinError, JoinSet};

use crate::machine::Now;
use crate::source::{Read, Source, Tail as _};

/// How many pages of history are read at a time: as many are in memory.
const PAGES_AT_ONCE: usize = 4;

/// What the log has answered.
pub(crate) enum Done<S: Source> {
    /// Where it ends, and the key of its cursors.
    LookedUp(Result<(CursorKey, Place), S::Error>),
    Located(StreamId, Result<Located, S::Error>),
    Page(StreamId, Result<Page, S::Error>),
    /// The tail comes back for the next read.
    Read(S::Tail, Result<Read, S::Error>),
}

/// The calls that are under way.
pub(crate) struct Work<S: Source> {
    source: S,
    now: Now,
    /// Known once the log was opened for this holder.
    key: Option<CursorKey>,
    tasks: JoinSet<Done<S>>,
    /// How many pages are being read.
    pages: usize,
}

impl<S: Source> Work<S> {
    pub(crate) fn new(source: S, now: Now) -> Self {
        Self { source, now, key: None, tasks: JoinSet::new(), pages: 0 }
    }

    /// What was done next; never, while nothing is under way.
    ///
    /// # Errors
    ///
    /// A call has panicked.
    pub(crate) async fn next(&mut self) -> Option<Result<Done<S>, JoinError>> {
        let done = self.tasks.join_next().await;
        match &done {
            Some(Ok(Done::LookedUp(Ok((key, _))))) => self.key = Some(key.clone()),
            Some(Ok(Done::Page(..))) => self.pages -= 1,
            _ => {}
        }
        done
    }

    /// Looks up where the log ends.
    pub(crate) fn look_up(&mut self) {
        let (source, key, now) = (self.source.clone(), self.key.clone(), self.now);
        self.tasks.spawn(async move {
            let end = async {
                let key = match key {
                    Some(key) => key,
                    None => source.open().await?,
                };
                let since = now();
                Ok((key, Place { position: source.head().await?, since }))
            };
            Done::LookedUp(end.await)
        });
    }

    pub(crate) fn locate(&mut self, stream: StreamId, location: Location) {
        let source = self.source.clone();
        self.tasks.spawn(async move { Done::Located(stream, source.locate(location).await) });
    }

    /// Whether one more page may be read at the same time.
    pub(crate) fn takes_pages(&self) -> bool {
        self.pages < PAGES_AT_ONCE
    }

    pub(crate) fn page(&mut self, fetch: Fetch, subscription: Arc<Subscribe>) {
        let source = self.source.clone();
        self.pages += 1;
        self.tasks
            .spawn(async move { Done::Page(fetch.stream, source.page(fetch, subscription).await) });
    }

    /// Follows the log from a place on.
    pub(crate) fn follow(&mut self, from: Place) {
        self.read(self.source.tail(from));
    }

    /// Waits for what comes next.
    pub(crate) fn read(&mut self, mut tail: S::Tail) {
        self.tasks.spawn(async move {
            let read = tail.next().await;
            Done::Read(tail, read)
        });
    }

    /// Abandons all calls, the tail among them.
    pub(crate) fn abandon(&mut self) {
        self.tasks = JoinSet::new();
        self.pages = 0;
        // What another hub's log is, that hub may change.
        self.key = None;
    }
}
