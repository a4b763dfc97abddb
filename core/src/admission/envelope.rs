//! What a refusal says beside its reason.

use crate::wire::answer::Answer;
use crate::wire::cors::Cors;
use crate::wire::discovery::MetadataUrl;
use crate::wire::refusal::Refusal;

/// What every refusal of one request carries.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) cors: Cors,
    /// Where a challenge leads.
    pub(super) metadata: Option<MetadataUrl>,
    /// Whether it answers a subscription.
    pub(super) subscribes: bool,
}

impl Envelope {
    /// The answer that refuses the request.
    pub(super) fn refuse(&self, refusal: Refusal) -> Answer {
        let answer = refusal.challenging(&self.cors, self.metadata.as_ref());
        if self.subscribes { answer.to_a_subscription() } else { answer }
    }
}
