//! A subscriber: what its stream carries, and what it is answered.

use std::fmt;
use std::time::Duration;

use http::header::{HeaderName, LINK};
use http::{HeaderValue, StatusCode};
use serde::{Deserialize, Serialize};

use crate::command::presence::Presence;
use crate::command::quota::{Account, Quota};
use crate::matching::matchers::Matchers;
use crate::matching::subject::Subject;
use crate::terms::cursor::Cursor;
use crate::terms::hub_url::HubUrl;
use crate::terms::update::StoredUpdate;
use crate::time::Timestamp;
use crate::wire::answer::{Answer, finish, stream_fields};
use crate::wire::cors::Cors;
use crate::wire::discovery::{self, MetadataUrl};
use crate::wire::reader::Reader;
use crate::wire::refusal::{Limit, Refusal};
use crate::wire::unavailable;

/// An answer that asks its reader to come back ends this long before its token expires: its last
/// bytes take a moment to arrive.
const MARGIN: Duration = Duration::from_secs(1);

/// How many times as long as usual a subscriber waits who has too many streams. It does not help to
/// ask sooner: a client that has gone may be noticed as late as at the next heartbeat.
const PATIENCE: u32 = 8;

/// The answer field of draft-08, and the one of 0.x hubs.
const ANSWER_FIELD: HeaderName = HeaderName::from_static("mercure-last-event-id");
const LEGACY_ANSWER_FIELD: HeaderName = HeaderName::from_static("last-event-id");

/// A subscriber that was admitted, on its way to the holder of its stream.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribe {
    /// The topics it asks for; they grant nothing.
    pub(crate) matchers: Matchers,
    /// The URL that topics are relative to.
    pub(crate) hub: HubUrl,
    /// The topics whose private updates it may read.
    pub(crate) grants: Matchers,
    /// When its token expires.
    pub(crate) expires: Option<Timestamp>,
    /// Where it stands, if it says so.
    pub(crate) cursor: Option<Cursor>,
    /// Whether it asked as clients of 0.x hubs do, and wants their answer field as well.
    pub(crate) legacy: bool,
    pub(crate) reader: Reader,
    /// How long it should wait before it comes back. It differs from stream to stream, so that
    /// streams that end together do not come back together.
    pub(crate) retry: Duration,
    /// How long an answer is held that asks it to come back.
    pub(crate) hold: Duration,
    /// How long its stream lives. It differs from stream to stream for the same reason.
    pub(crate) lifetime: Duration,
    /// How many streams it may have at a time, together with others of the same accounts.
    pub(crate) quotas: Vec<Quota>,
    /// What others are told of it, where they are told.
    pub(crate) presence: Option<Presence>,
    pub(crate) cors: Cors,
    /// Where a challenge leads.
    pub(crate) metadata: Option<MetadataUrl>,
}

impl Subscribe {
    /// Whether this stream carries an update: some matcher selects it and, if it is private, the
    /// token grants one of its topics (draft-08, "Subscribers").
    pub(crate) fn wants(&self, subject: &Subject<'_>, private: bool) -> bool {
        self.matchers.select_any(subject, &self.hub) && self.may_read(subject, private)
    }

    /// Whether this stream carries an update that a log keeps.
    #[must_use]
    pub fn selects(&self, stored: &StoredUpdate) -> bool {
        self.wants(&Subject::of_stored(stored), stored.private)
    }

    /// Roughly how many bytes its matchers keep, and what others are told of them.
    #[must_use]
    pub fn size(&self) -> usize {
        let presence = self.presence.as_ref().map_or(0, Presence::size);
        self.matchers.size() + self.grants.size() + presence
    }

    /// Whether its stream ends as soon as it has caught up.
    pub(crate) fn polls(&self) -> bool {
        self.lifetime.is_zero()
    }

    /// Whether it may read an update that it selected.
    pub(crate) fn may_read(&self, subject: &Subject<'_>, private: bool) -> bool {
        !private || self.grants.select_any(subject.audience(), &self.hub)
    }

    /// The head of the stream's response; `resumed` is where its replay begins, if it resumes.
    pub(crate) fn opened(&self, resumed: Option<&str>) -> http::Response<()> {
        let mut headers = stream_fields();
        headers.extend(discovery::link(&self.hub).map(|link| (LINK, link)));
        // As bytes: a cursor may hold characters that are not ASCII.
        if let Some(Ok(cursor)) = resumed.map(|cursor| HeaderValue::from_bytes(cursor.as_bytes())) {
            if self.legacy {
                headers.insert(LEGACY_ANSWER_FIELD, cursor.clone());
            }
            headers.insert(ANSWER_FIELD, cursor);
        }
        finish(StatusCode::OK, headers, &self.cors)
    }

    /// The answer to a `HEAD`: what a `GET` would be answered, without a stream.
    pub(crate) fn probed(&self) -> Answer {
        self.opened(self.unresumed()).map(|()| Vec::new()).into()
    }

    /// The answer once its token has expired.
    ///
    /// It was valid when the subscriber was admitted. But the way from there to the holder can be
    /// long, and a stream may not be open past its token's `exp`, not even for its greeting
    /// (draft-08, "Subscribers").
    #[must_use]
    pub fn expired(&self, now: Timestamp) -> Option<Answer> {
        let has_expired = self.expires.is_some_and(|expires| expires <= now);
        has_expired.then(|| {
            let refusal = Refusal::expired_token();
            refusal.challenging(&self.cors, self.metadata.as_ref()).for_a_subscription()
        })
    }

    /// The answer when it cannot be served just now.
    #[must_use]
    pub fn unavailable(&self, now: Timestamp) -> Answer {
        self.turned_away(Refusal::Unavailable, self.retry, now)
    }

    /// The answer when an account of its has as many streams as it may.
    #[must_use]
    pub fn limited(&self, account: Account, now: Timestamp) -> Answer {
        let limit = match account {
            Account::Token(_) => Limit::StreamsPerToken,
            Account::Address(_) => Limit::StreamsPerAddress,
        };
        let wait = self.retry * PATIENCE;
        let answer = self.turned_away(Refusal::TooMany(limit, wait), wait, now);
        Answer { log: answer.log.or_else(|| Some(limit.line())), ..answer }
    }

    /// How many streams it may have at a time, and on whose account.
    #[must_use]
    pub fn quotas(&self) -> &[Quota] {
        &self.quotas
    }

    /// When its stream will have ended, if it begins now; `None` if it ends as soon as it has caught
    /// up.
    #[must_use]
    pub fn ends(&self, now: Timestamp) -> Option<Timestamp> {
        let ends = now.plus(self.lifetime);
        (!self.polls()).then(|| self.expires.map_or(ends, |expires| expires.min(ends)))
    }

    /// A passing failure: this refusal, or for readers that would take it for final, a stream that
    /// asks them to come back after `retry`.
    fn turned_away(&self, refusal: Refusal, retry: Duration, now: Timestamp) -> Answer {
        if let Some(answer) = self.expired(now) {
            return answer;
        }
        if !self.reader.gives_up_on_errors {
            return refusal.into_answer(&self.cors).for_a_subscription();
        }
        let known = self.unresumed().filter(|_| self.reader.native);
        // draft-08, "Subscribers": closed no later than `exp`, this one, too.
        let left = self.expires.map(|expires| expires.minus(MARGIN).since(now));
        let hold = left.map_or(self.hold, |left| left.min(self.hold));
        unavailable::come_back(self.opened(self.unresumed()), known, retry, hold)
    }

    /// What the answer field says when nothing is replayed after a cursor: the cursor. After an
    /// empty one it would have to be the newest id, which only the log knows.
    fn unresumed(&self) -> Option<&str> {
        self.cursor.as_ref().and_then(Cursor::as_str)
    }
}

impl fmt::Debug for Subscribe {
    /// Counts what it asks for instead of showing it: topics come from a query, and may be secret.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Subscribe")
            .field("matchers", &self.matchers.len())
            .field("grants", &self.grants.len())
            .field("expires", &self.expires)
            .field("resumes", &self.cursor.is_some())
            .field("reader", &self.reader)
            .field("retry", &self.retry)
            .field("hold", &self.hold)
            .field("lifetime", &self.lifetime)
            .field("presence", &self.presence)
            .finish_non_exhaustive()
    }
}
