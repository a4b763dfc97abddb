//! What a refusal says beside its reason.

use http::StatusCode;

use crate::wire::answer::Answer;
use crate::wire::cors::Cors;
use crate::wire::discovery::MetadataUrl;
use crate::wire::refusal::Refusal;
use crate::wire::request::Request;
use crate::wire::unavailable;

/// What every refusal of one request carries.
#[derive(Clone, Debug)]
pub(super) struct Envelope {
    pub(super) cors: Cors,
    /// Where a challenge leads.
    pub(super) metadata: Option<MetadataUrl>,
    /// Whether it answers a subscription.
    pub(super) subscribes: bool,
    /// Whether it says what is wrong with a token, which is otherwise for the log alone.
    pub(super) explains: bool,
}

impl Envelope {
    /// The answer that refuses the request.
    pub(super) fn refuse(&self, refusal: Refusal) -> Answer {
        let explanation = self.explains.then(|| refusal.explanation()).flatten();
        let mut answer = refusal.challenging(&self.cors, self.metadata.as_ref());
        if let Some(explanation) = explanation {
            *answer.response.body_mut() = explanation.into_bytes();
        }
        self.enclose(answer)
    }

    /// The answer to the request while it cannot be decided: a passing failure.
    pub(super) fn turn_away(&self, request: &Request, random: &[u8; 8]) -> Answer {
        // What is no subscription is never answered with a stream, whoever asks.
        if !self.subscribes {
            return unavailable::unavailable(&self.cors);
        }
        let answer = unavailable::passing(request, &self.cors, random);
        // A stream that asks its reader to come back says it by itself.
        if answer.response.status() == StatusCode::OK { answer } else { self.enclose(answer) }
    }

    fn enclose(&self, answer: Answer) -> Answer {
        if self.subscribes { answer.for_a_subscription() } else { answer }
    }
}
