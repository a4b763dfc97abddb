//! How much history is read for one page, and which part of it.
//!
//! A page holds one update of any size, or as many as fit its [`PageLimit`]. Updates that its
//! stream does not want count too, since they were looked at, but not their data, which a log need
//! not read. And a page ends once telling what the stream wants has taken [`MAX_EFFORT`].
//!
//! A log offers what it has, in order, and follows the answers:
//!
//! ```
//! use cinnabar_core::{
//!     Fetch, Offer, Page, Pager, Position, StoredUpdate, Subscribe, Timestamp, Update,
//! };
//!
//! struct Row {
//!     position: Position,
//!     appended: Timestamp,
//!     /// Without its data, which is read if it is wanted.
//!     stored: StoredUpdate,
//!     data_length: usize,
//! }
//!
//! fn page(
//!     rows: impl Iterator<Item = Row>,
//!     read_data: impl Fn(Position) -> String,
//!     oldest: Position,
//!     fetch: &Fetch,
//!     subscribe: &Subscribe,
//! ) -> Page {
//!     let mut pager = Pager::new(fetch, subscribe);
//!     for Row { position, appended, stored, data_length } in rows {
//!         match pager.offer(position, appended, &stored, data_length) {
//!             Offer::Take => {
//!                 let data = read_data(position);
//!                 pager.take(position, Update::restore(StoredUpdate { data, ..stored }));
//!             }
//!             Offer::Skip => {}
//!             Offer::Full => return pager.cut(oldest),
//!         }
//!     }
//!     pager.complete(oldest)
//! }
//! ```

use std::sync::Arc;

use crate::command::subscribe::Subscribe;
use crate::limits::MAX_EFFORT;
use crate::matching::subject::Subject;
use crate::streams::history::{Appended, Fetch, Page};
use crate::terms::cursor::Position;
use crate::terms::update::{StoredUpdate, Update};
use crate::time::Timestamp;

/// Fills one page.
#[derive(Debug)]
pub struct Pager<'a> {
    fetch: &'a Fetch,
    /// Whose page it is; without one, it holds every update.
    subscribe: Option<&'a Subscribe>,
    looked_at: usize,
    bytes: usize,
    effort: usize,
    updates: Vec<Appended>,
    reached: Position,
    since: Option<Timestamp>,
}

/// What becomes of an update that a log offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Offer {
    /// Its stream wants it: read its data, and hand it over with [`Pager::take`].
    Take,
    /// Its stream does not want it.
    Skip,
    /// It belongs to the next page.
    Full,
}

impl<'a> Pager<'a> {
    /// An empty page for `fetch`, which the stream of this subscriber asked for.
    #[must_use]
    pub fn new(fetch: &'a Fetch, subscribe: &'a Subscribe) -> Self {
        Self::of(fetch, Some(subscribe))
    }

    /// The same; without a subscriber, the page holds every update, as the [feed](crate::feed) needs
    /// it.
    #[must_use]
    pub fn of(fetch: &'a Fetch, subscribe: Option<&'a Subscribe>) -> Self {
        Self {
            fetch,
            subscribe,
            looked_at: 0,
            bytes: 0,
            effort: 0,
            updates: Vec::new(),
            reached: fetch.after,
            since: None,
        }
    }

    /// Offers the next update of the log, which was appended at `appended`. Its data need not be in
    /// `stored`; `data_length` is how many bytes it has.
    #[must_use]
    pub fn offer(
        &mut self,
        position: Position,
        appended: Timestamp,
        stored: &StoredUpdate,
        data_length: usize,
    ) -> Offer {
        if self.looked_at > 0 && self.effort >= MAX_EFFORT {
            return Offer::Full;
        }
        let wanted = self.subscribe.is_none_or(|subscribe| {
            let subject = Subject::of_stored(stored);
            let wanted = subscribe.wants(&subject, stored.private);
            self.effort += subject.effort().spent();
            wanted
        });
        let bytes = self.bytes + stored.size() - stored.data.len();
        let bytes = if wanted { bytes + data_length } else { bytes };
        let limit = self.fetch.limit;
        if self.looked_at > 0 && (self.looked_at >= limit.updates || bytes > limit.bytes) {
            return Offer::Full;
        }
        self.looked_at += 1;
        self.bytes = bytes;
        self.reached = position;
        self.since = Some(appended);
        if wanted { Offer::Take } else { Offer::Skip }
    }

    /// Hands over an update, after [`Offer::Take`].
    pub fn take(&mut self, position: Position, update: impl Into<Arc<Update>>) {
        self.updates.push(Appended { position, update: update.into() });
    }

    /// There is no update at this position, and never will be.
    pub fn pass(&mut self, position: Position) {
        self.reached = position;
    }

    /// How far the page reaches so far.
    #[must_use]
    pub fn reached(&self) -> Position {
        self.reached
    }

    /// The page so far; `oldest` as in [`Page`].
    #[must_use]
    pub fn cut(self, oldest: Position) -> Page {
        Page { updates: self.updates, reached: self.reached, since: self.since, oldest }
    }

    /// The page, after the log was read to where the fetch ends; or to where the page was full, if
    /// it has as many updates as a page may have.
    #[must_use]
    pub fn complete(self, oldest: Position) -> Page {
        let all = self.looked_at < self.fetch.limit.updates;
        let through = self.fetch.through;
        let page = self.cut(oldest);
        if all { Page { reached: through, ..page } } else { page }
    }
}
