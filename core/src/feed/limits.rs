//! How much a link may carry at a time, and how long either side waits.

use std::time::Duration;

use crate::limits::{MAX_LINKED_UPDATE_SIZE, MAX_TOPICS_LENGTH};

/// Longest message, in bytes: a link refuses longer ones. An update of any size that a hub is likely to
/// allow fits, and workerd's own limit, 32 MiB, is far away.
pub const MAX_MESSAGE_SIZE: usize = 16 * 1024 * 1024;

// Besides its text, an update has topics and targets, each as many bytes, with as many between them, and a
// head.
const _: () =
    assert!(MAX_LINKED_UPDATE_SIZE + 4 * MAX_TOPICS_LENGTH + 64 * 1024 <= MAX_MESSAGE_SIZE);

/// How many bytes of updates are joined in one message, unless it is one update.
pub(crate) const JOINED: usize = 256 * 1024;

/// How many bytes of joined updates a leader keeps for those that are a moment behind.
pub(crate) const RECENT: usize = 1024 * 1024;

/// How many bytes may be on their way to a follower, unless it is one message.
pub(crate) const WINDOW: usize = 4 * 1024 * 1024;

/// A follower says how much it has taken whenever that is this much more. With less than this on its
/// way, a leader may send a message of any size. So neither waits for the other, and a follower that
/// gets a little says nothing.
pub(crate) const TAKEN_EVERY: usize = WINDOW / 4;

/// How many questions a follower may have sent without an answer.
pub(crate) const QUESTIONS_ON_THE_WAY: usize = 64;

/// How many questions may wait at a follower. Past it, they fail at once.
pub(crate) const MAX_QUESTIONS: usize = 4 * 1024;

/// How long a question may wait for its answer, however often its link breaks.
pub(crate) const QUESTION_DEADLINE: Duration = Duration::from_secs(10);

/// How many pages for streams of its followers a leader has read at a time.
pub(crate) const PAGES_AT_ONCE: usize = 4;

/// How many subscribers of such pages a leader knows at a time, and how many bytes they may keep.
pub(crate) const READERS: usize = 64;
pub(crate) const READERS_SIZE: usize = 4 * 1024 * 1024;

/// How long a follower waits before it tries to connect again, at first and at most.
pub(crate) const BACKOFF: (Duration, Duration) =
    (Duration::from_millis(20), Duration::from_secs(1));

/// How long a leader may take to say hello.
pub(crate) const HELLO_WITHIN: Duration = Duration::from_secs(10);

/// A follower that heard nothing for this long asks for a sign of life,
pub(crate) const PING_AFTER: Duration = Duration::from_secs(20);

/// and takes the link for dead if there is none within this time.
pub(crate) const PONG_WITHIN: Duration = Duration::from_secs(10);

/// A follower that holds no stream keeps its link for so long: the next subscriber may come soon.
pub(crate) const LINGER: Duration = Duration::from_secs(10);

/// A follower that left without a goodbye, and is away for this long, does not come back: its
/// subscriptions end.
pub const FOLLOWER_GONE: Duration = Duration::from_secs(30);

/// A leader's shell may take a link for dead on which it heard nothing for this long, not even a
/// [`PING`](crate::feed::PING).
pub const LINK_DEAD_AFTER: Duration = Duration::from_secs(60);

/// How long the hub that is followed may take with a publication that was passed on to it. What became of
/// it is not known after that.
pub const FORWARD_PATIENCE: Duration = Duration::from_secs(30);

/// How many bytes of its answer are read: ids and problems are short.
pub const MAX_FORWARDED_ANSWER: usize = 64 * 1024;
