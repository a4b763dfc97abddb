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
//! request in five minutes. And what was fetched since a token came is not fetched once more for its
//! sake: the key would be there.
//!
//! Requests share the ring. What it knows is locked for a moment at a time, and never while a signature
//! is verified.

mod fetch;
mod fetched;
mod freshness;
mod kept;
mod published;
mod signed;
#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::time::Timestamp;
use crate::trust::key_source::KeySource;

pub use fetch::{FetchFailure, KeyFetch};
pub use fetched::{Fetched, LogLine};
pub(crate) use signed::{Signed, Unverified};

use published::Published;

/// The published keys that a hub trusts, as far as they are known. It starts empty.
#[derive(Debug)]
pub struct KeyRing {
    sources: Vec<Source>,
}

/// The ring, as it is asked for the sake of one token.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lookup<'a> {
    pub(crate) ring: &'a KeyRing,
    /// When the token came.
    pub(crate) since: Timestamp,
}

/// One source of keys.
#[derive(Debug)]
struct Source {
    source: KeySource,
    published: Mutex<Published>,
}

impl KeyRing {
    pub(crate) fn new<'a>(sources: impl IntoIterator<Item = &'a KeySource>) -> Self {
        let mut ring = Self { sources: Vec::new() };
        for source in sources {
            if ring.find(source).is_none() {
                let published = Mutex::new(Published::new(source.clone()));
                ring.sources.push(Source { source: source.clone(), published });
            }
        }
        ring
    }

    /// Has everything fetched now that is not known yet, before a token waits for it.
    pub fn want_all(&self, now: Timestamp) {
        for source in &self.sources {
            source.published().want_first(now);
        }
    }

    /// Whether anything is wanted or under way that a token may wait for.
    #[must_use]
    pub fn is_fetching(&self, now: Timestamp) -> bool {
        self.sources.iter().any(|source| source.published().is_under_way(now))
    }

    /// The next fetch to make, if there is one. It is made once: whoever else waits for it looks again
    /// when the ring has heard of it.
    #[must_use]
    pub fn poll_fetch(&self, now: Timestamp) -> Option<KeyFetch> {
        let mut sources = self.sources.iter().enumerate();
        sources.find_map(|(number, source)| source.published().poll_fetch(number, now))
    }

    /// A fetch has been answered, or has failed. There may now be another one to make.
    pub fn handle_fetched(
        &self,
        fetch: &KeyFetch,
        answer: Result<http::Response<Vec<u8>>, FetchFailure>,
        now: Timestamp,
    ) -> Fetched {
        let source = self.sources.get(fetch.source);
        source.map(|it| it.published().handle_fetched(fetch, answer, now)).unwrap_or_default()
    }

    /// Somebody else has made this fetch before, and kept [what came of it](Fetched::keep). Returns
    /// whether that is news, so that the fetch need not be made; there may now be another one.
    pub fn handle_kept(&self, fetch: &KeyFetch, kept: &[u8], now: Timestamp) -> bool {
        let source = self.sources.get(fetch.source);
        source.is_some_and(|source| source.published().handle_kept(fetch, kept, now))
    }

    fn find(&self, source: &KeySource) -> Option<&Source> {
        self.sources.iter().find(|known| known.source == *source)
    }
}

impl Lookup<'_> {
    /// Verifies a signature with the keys of this source.
    ///
    /// # Errors
    ///
    /// It is not verified, or cannot be yet.
    pub(crate) fn verify(
        &self,
        source: &KeySource,
        signed: &Signed<'_>,
        now: Timestamp,
    ) -> Result<(), Unverified> {
        let source = self.ring.find(source).ok_or(Unverified::Unavailable)?;
        let mut keys = source.published().keys(now)?;
        loop {
            let Err(refused) = signed.verify(&keys) else { return Ok(()) };
            if signed.key_id.is_some_and(|id| keys.has(id)) {
                return Err(refused);
            }
            let mut published = source.published();
            let newest = published.keys(now)?;
            if Arc::ptr_eq(&newest, &keys) {
                // It may be of a key that is not known yet.
                return Err(published.seek(self.since, now).unwrap_or(refused));
            }
            // Others were fetched while it was verified.
            keys = newest;
        }
    }
}

impl Source {
    fn published(&self) -> MutexGuard<'_, Published> {
        // A panic cannot leave it in a bad state: what it hears is taken whole or not at all.
        self.published.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
