//! What a leader and its followers say to each other.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::list::{List, Listing};
use crate::command::subscribe::Subscribe;
use crate::command::subscriptions::Subscriptions;
use crate::feed::names::{FollowerId, LinkId};
use crate::streams::history::{Appended, Fetch, Located, Location, Page};
use crate::terms::cursor::{CursorKey, Place, Position};

/// What a follower says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToLeader {
    /// Where it stands: the answer to each [`ToFollower::Hello`].
    Follow(Follow),
    /// How many bytes of messages it has taken since the last hello, without that.
    Taken(u64),
    /// A question, with its number.
    Ask(QuestionId, Question),
    /// It holds no stream, needs nothing more, and closes the link.
    Goodbye,
}

/// Where a follower stands.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Follow {
    /// Who it is.
    pub follower: FollowerId,
    /// Its own name for this link: greater than those of its earlier links, of which nothing is
    /// taken any more.
    pub link: LinkId,
    /// It has everything up to here.
    pub from: Position,
    /// Whether the log notes, or may note, subscriptions of its streams.
    pub is_noted: bool,
}

/// What a leader says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum ToFollower {
    /// What comes first on a link, and again whenever the leader has lost its memory.
    Hello(Hello),
    /// The next updates.
    Updates(Updates),
    /// The answer to a question; none if it cannot be answered just now.
    Answer(QuestionId, Option<Answer>),
    /// The follower's streams cannot go on.
    Lost(Loss),
}

/// What a follower has to know of a log.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Hello {
    /// The key of its cursors.
    #[serde(with = "key")]
    pub key: CursorKey,
    /// Where it ends.
    pub end: Place,
}

/// A stretch of the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Updates {
    /// Where it begins.
    pub after: Position,
    /// Where it ends: some positions may never get an update.
    pub reached: Place,
    /// All its updates.
    #[serde(skip)]
    pub updates: Vec<Appended>,
}

/// Why the streams of a follower cannot go on: they are cut, and their readers resume.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum Loss {
    /// The log keeps no longer everything that they have yet to read.
    #[error("the log no longer keeps what follows")]
    Dropped,
    /// The log is another one, or has lost its end.
    #[error("the log is another one than before, or has lost its end")]
    OtherLog,
    /// The follower was away for so long that its subscriptions were ended.
    #[error("it was away for so long that its subscriptions were ended")]
    Gone,
}

/// The number of a question, as its follower counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct QuestionId(pub(crate) u64);

/// What a holder of streams asks of a log that is elsewhere. Whatever it asks may be asked twice: when
/// a link breaks, nobody knows whether the answer was on its way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Question {
    /// Where the log ends: at or after everything acknowledged before the question. Answered by
    /// [`Answer::End`].
    End,
    /// Finds a place. Answered by [`Answer::Located`].
    Locate(Location),
    /// Reads a page for a stream, which subscribed to this. Answered by [`Answer::Page`].
    Page(Fetch, Arc<Subscribe>),
    /// Does what an [`Output::Register`](crate::Output::Register) says, and notes whose the subscriptions
    /// are. Answered by [`Answer::Done`] once it is durable.
    ///
    /// One that is noted as active already was asked for before: it stays as it is, and nothing is
    /// appended for it.
    Register(Subscriptions),
    /// Does what an [`Output::Unregister`](crate::Output::Unregister) says: nothing for what is not noted
    /// as active. Answered by [`Answer::Done`].
    Unregister(Subscriptions),
    /// Lists who is here. Answered by [`Answer::Listing`].
    List(List),
}

/// What the leader's shell answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    /// The newest durable update.
    End(Place),
    /// What was asked for, or where it is not.
    Located(Located),
    /// A page.
    Page(#[serde(with = "page_head")] Page),
    /// It is done, and durable.
    Done,
    /// What the log notes as active; none for a page that it has no mark for.
    Listing(Option<Listing>),
}

impl ToFollower {
    /// The updates in it, which are not part of its head.
    pub(crate) fn updates(&self) -> &[Appended] {
        match self {
            Self::Updates(Updates { updates, .. }) => updates,
            Self::Answer(_, Some(Answer::Page(page))) => &page.updates,
            _ => &[],
        }
    }

    /// The place for them; `None` if it has none.
    pub(crate) fn updates_mut(&mut self) -> Option<&mut Vec<Appended>> {
        match self {
            Self::Updates(Updates { updates, .. }) => Some(updates),
            Self::Answer(_, Some(Answer::Page(page))) => Some(&mut page.updates),
            _ => None,
        }
    }
}

/// A key, as its bytes.
mod key {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};

    use crate::terms::cursor::CursorKey;

    pub(super) fn serialize<S: Serializer>(
        key: &CursorKey,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        key.to_bytes().serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<CursorKey, D::Error> {
        Deserialize::deserialize(deserializer).map(CursorKey::from_bytes)
    }
}

/// A page without its updates.
mod page_head {
    use serde::de::{Deserialize, Deserializer};
    use serde::ser::{Serialize, Serializer};

    use crate::streams::history::Page;
    use crate::terms::cursor::Position;
    use crate::time::Timestamp;

    type Head = (Position, Option<Timestamp>, Position);

    pub(super) fn serialize<S: Serializer>(page: &Page, serializer: S) -> Result<S::Ok, S::Error> {
        (page.reached, page.since, page.oldest).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Page, D::Error> {
        let (reached, since, oldest) = Head::deserialize(deserializer)?;
        Ok(Page { updates: Vec::new(), reached, since, oldest })
    }
}
