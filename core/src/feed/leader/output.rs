//! What a leader wants done.

use bytes::Bytes;

use crate::feed::ending::Ending;
use crate::feed::message::{Question, QuestionId};
use crate::feed::names::{FollowerId, LinkId};
use crate::streams::history::Fetch;

/// What a leader wants done, in the order in which [`Leader::poll_output`](crate::feed::Leader::poll_output)
/// returns it.
#[derive(Debug)]
pub enum LeaderOutput {
    /// Send these bytes to each of these links, as one binary message.
    Send {
        /// The links.
        links: Vec<LinkId>,
        /// The message.
        bytes: Bytes,
    },
    /// Read this page of the whole log, as a [`Pager`](crate::Pager) [without a
    /// subscriber](crate::Pager::of) fills it, and hand it to
    /// [`Leader::handle_page`](crate::feed::Leader::handle_page). It is for no stream: its `stream` means
    /// nothing.
    Read {
        /// The page.
        fetch: Fetch,
    },
    /// Find the answer to this question, and hand it to
    /// [`Leader::handle_answer`](crate::feed::Leader::handle_answer).
    Answer {
        /// Who asked.
        asked: Asked,
        /// The question.
        question: Question,
    },
    /// Close this link. Nothing that it still brings is taken.
    End {
        /// The link.
        link: LinkId,
        /// Why.
        reason: Ending,
    },
    /// This follower does not come back. In one transaction, note its subscriptions as nobody's, so that
    /// it cannot find some of them; then end them, in as many turns as it takes. What is nobody's when a
    /// leader begins has to be ended likewise.
    Gone {
        /// The follower.
        follower: FollowerId,
    },
}

/// Who asked a question. It goes back with the answer.
#[derive(Debug)]
#[must_use = "a question that is never answered holds others up"]
pub struct Asked {
    pub(crate) link: LinkId,
    pub(crate) number: QuestionId,
    pub(crate) follower: FollowerId,
    pub(crate) kind: Kind,
}

/// What kind of question it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Page,
    /// Who comes and goes.
    Record,
    Other,
}

impl Asked {
    /// The follower that asked: whose subscriptions they are that a log notes.
    #[must_use]
    pub fn follower(&self) -> FollowerId {
        self.follower
    }
}

impl Kind {
    pub(crate) fn of(question: &Question) -> Self {
        match question {
            Question::Page(..) => Self::Page,
            Question::Register(_) | Question::Unregister(_) => Self::Record,
            Question::End | Question::Locate(_) | Question::List(_) => Self::Other,
        }
    }
}
