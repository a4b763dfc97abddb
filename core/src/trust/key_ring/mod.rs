//! The keys that issuers publish, as far as they are known here: a machine that says what to fetch,
//! and hears what came of it.
//!
//! ```text
//!  a token ──▶ verify ──▶ its keys are known ──▶ verified, or not
//!                │   └──▶ they are not ──▶ wait, or come back later
//!                ▼
//!            poll_fetch ──▶ (a shell fetches) ──▶ handle_fetched
//! ```
//!
//! | when | what is fetched |
//! |---|---|
//! | no keys are known | at once; the token waits |
//! | half of their time has passed | in the background |
//! | all of it has | at once; if that fails, the last ones serve until the issuer is back |
//! | a token names a key that is not among them | at once, but only once in five minutes |
//! | a fetch has failed | after a pause, which doubles |
//!
//! So whatever tokens say, they have no more fetched than this: a forged `kid` costs the issuer a
//! request in five minutes.

mod fetch;
mod fetched;
mod freshness;
mod kept;
mod published;
#[cfg(test)]
mod tests;

use crate::time::Timestamp;
use crate::trust::key_source::KeySource;

pub use fetch::{FetchFailure, KeyFetch};
pub use fetched::{Fetched, LogLine};
pub(crate) use published::{Signed, Unverified};

use published::Published;

/// The published keys that a hub trusts, as far as they are known. It starts empty.
#[derive(Debug)]
pub struct KeyRing {
    sources: Vec<Published>,
}

impl KeyRing {
    pub(crate) fn new<'a>(sources: impl IntoIterator<Item = &'a KeySource>) -> Self {
        let mut ring = Self { sources: Vec::new() };
        for source in sources {
            if ring.published(source).is_none() {
                ring.sources.push(Published::new(source.clone()));
            }
        }
        ring
    }

    /// Has everything fetched now that is not known yet, before a token waits for it.
    pub fn want_all(&mut self, now: Timestamp) {
        for published in &mut self.sources {
            published.want_first(now);
        }
    }

    /// Verifies a signature with the keys of this source.
    ///
    /// # Errors
    ///
    /// It is not verified, or cannot be yet.
    pub(crate) fn verify(
        &mut self,
        source: &KeySource,
        signed: &Signed<'_>,
        now: Timestamp,
    ) -> Result<(), Unverified> {
        self.published(source).ok_or(Unverified::Unavailable)?.verify(signed, now)
    }

    /// Whether anything is wanted or under way that a token may wait for.
    #[must_use]
    pub fn is_fetching(&self, now: Timestamp) -> bool {
        self.sources.iter().any(|published| published.is_under_way(now))
    }

    /// The next fetch to make, if there is one. It is made once: whoever else waits for it looks again
    /// when the ring has heard of it.
    #[must_use]
    pub fn poll_fetch(&mut self, now: Timestamp) -> Option<KeyFetch> {
        let mut sources = self.sources.iter_mut().enumerate();
        sources.find_map(|(number, published)| published.poll_fetch(number, now))
    }

    /// A fetch has been answered, or has failed. There may now be another one to make.
    pub fn handle_fetched(
        &mut self,
        fetch: &KeyFetch,
        answer: Result<http::Response<Vec<u8>>, FetchFailure>,
        now: Timestamp,
    ) -> Fetched {
        let published = self.sources.get_mut(fetch.source);
        published.map(|it| it.handle_fetched(fetch, answer, now)).unwrap_or_default()
    }

    /// Somebody else has made this fetch before, and kept [what came of it](Fetched::keep). Returns
    /// whether that is news, so that the fetch need not be made; there may now be another one.
    pub fn handle_kept(&mut self, fetch: &KeyFetch, kept: &[u8], now: Timestamp) -> bool {
        let published = self.sources.get_mut(fetch.source);
        published.is_some_and(|published| published.handle_kept(fetch, kept, now))
    }

    fn published(&mut self, source: &KeySource) -> Option<&mut Published> {
        self.sources.iter_mut().find(|published| published.source() == source)
    }
}
