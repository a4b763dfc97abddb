//! What a follower wants done.

use bytes::Bytes;

use crate::feed::ending::Ending;
use crate::feed::message::{Answer, Loss, QuestionId};
use crate::feed::names::LinkId;
use crate::streams::history::Appended;
use crate::terms::cursor::{CursorKey, Place};

/// What a follower wants done, in the order in which
/// [`Follower::poll_output`](crate::feed::Follower::poll_output) returns it.
#[derive(Clone, Debug)]
pub enum FollowerOutput {
    /// Open a link to the leader. If that fails, or when the link has ended, call
    /// [`Follower::handle_disconnected`](crate::feed::Follower::handle_disconnected) with its name.
    Connect {
        /// The name of the link.
        link: LinkId,
    },
    /// Send these bytes, as one binary message.
    Send {
        /// The link.
        link: LinkId,
        /// The message.
        bytes: Bytes,
    },
    /// Send [`PING`](crate::feed::PING), as a text message.
    Ping {
        /// The link.
        link: LinkId,
    },
    /// Close this link, or stop opening it. Nothing that it still brings is taken.
    Disconnect {
        /// The link.
        link: LinkId,
        /// Why.
        reason: Ending,
    },
    /// Begin a [`Holder`](crate::Holder) with this key and end, in place of an earlier one, which has no
    /// stream left.
    Begin {
        /// The key of the log's cursors.
        key: CursorKey,
        /// Where the log ends.
        end: Place,
    },
    /// These updates are durable: for [`Holder::handle_appended`](crate::Holder::handle_appended).
    Appended {
        /// The next updates.
        updates: Vec<Appended>,
    },
    /// The log holds nothing beyond them up to here: for
    /// [`Holder::handle_reached`](crate::Holder::handle_reached).
    Reached {
        /// The place.
        place: Place,
    },
    /// A question was answered.
    Answered {
        /// The question.
        question: QuestionId,
        /// Its answer.
        answer: Answer,
    },
    /// A question could not be answered, for a passing reason.
    Failed {
        /// The question.
        question: QuestionId,
    },
    /// Cut all streams: they cannot go on from here, and their readers resume. This follower does nothing
    /// any more; make another, with another name.
    Cut {
        /// Why.
        loss: Loss,
    },
}
