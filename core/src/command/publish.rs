//! A publication: the update, and what its publisher is answered.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::command::buckets::Buckets;
use crate::command::quota::Quota;
use crate::terms::update::Update;
use crate::time::Timestamp;
use crate::wire::answer::{Answer, plain};
use crate::wire::cors::Cors;
use crate::wire::refusal::{Limit, Refusal};
use crate::wire::unavailable;

/// Who chose the id of an update: a log has less work to look up an id that cannot repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdOrigin {
    /// The hub, at random: no other update has it.
    Hub,
    /// The publisher, who may have used it before.
    Publisher,
}

/// An update that its publisher may publish, on its way to the log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Publish {
    pub(crate) update: Arc<Update>,
    pub(crate) id_origin: IdOrigin,
    /// How often its publisher may publish, a second, if that is limited.
    pub(crate) quota: Option<Quota>,
    pub(crate) cors: Cors,
}

impl Publish {
    /// The update to append.
    #[must_use]
    pub fn update(&self) -> &Arc<Update> {
        &self.update
    }

    /// Who chose the id of the update.
    #[must_use]
    pub fn id_origin(&self) -> IdOrigin {
        self.id_origin
    }

    /// Takes the publication from its publisher's bucket; if that is empty, the answer is 429 and the
    /// update must not be appended.
    #[must_use]
    pub fn exceeds(&self, buckets: &mut Buckets, now: Timestamp) -> Option<Answer> {
        let wait = buckets.take(self.quota.as_ref()?, now).err()?;
        Some(Refusal::TooMany(Limit::PublicationsPerSecond, wait).into_answer(&self.cors))
    }

    /// The answer once the update is durable: its id, and nothing else (draft-08, "Publication").
    #[must_use]
    pub fn accepted(&self) -> Answer {
        plain(self.update.id.as_str(), &self.cors)
    }

    /// The answer when the update is larger than the log can hold.
    #[must_use]
    pub fn too_large(&self, bytes: usize, limit: usize) -> Answer {
        let sentence = format!(
            "The update takes {bytes} bytes in the hub's log, and {limit} are allowed; publish less, or a link to it."
        );
        Refusal::TooLarge(sentence).into_answer(&self.cors)
    }

    /// The answer when it cannot be published just now.
    #[must_use]
    pub fn unavailable(&self) -> Answer {
        unavailable::unavailable(&self.cors)
    }

    /// The answer when the log will take no update, this one or another, until its owner has
    /// mended it.
    #[must_use]
    pub fn log_broken(&self) -> Answer {
        Refusal::BrokenLog.into_answer(&self.cors)
    }
}

impl fmt::Debug for Publish {
    /// Shows how large the update is instead of what it says, which may be private.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Publish")
            .field("id", &self.update.id)
            .field("private", &self.update.private)
            .field("topics", &self.update.topics.len())
            .field("data", &format_args!("{} bytes", self.update.data.len()))
            .finish_non_exhaustive()
    }
}
