//! What a token attaches to the subscriptions that are made with it (draft-08, "Payloads").

use serde_json::Value;

use crate::authorization::invalid_token::InvalidToken;
use crate::limits::MAX_PAYLOAD_LENGTH;
use crate::matching::matchers::Matchers;
use crate::matching::subject::Subject;
use crate::terms::hub_url::HubUrl;

/// The payloads of a token, in its order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Payloads(Vec<(Matchers, Option<Value>)>);

impl Payloads {
    /// Adds what these matchers give a subscription, if no earlier ones match it. That may be nothing:
    /// the first that match count, whether or not they have a payload.
    ///
    /// The specification asks for an object. Laravel sends whatever its application returned, such as
    /// `true`, so anything is passed on.
    ///
    /// # Errors
    ///
    /// It is longer than this hub accepts: everybody who may read the events is sent it.
    pub(crate) fn add(
        &mut self,
        matchers: Matchers,
        payload: Option<&Value>,
    ) -> Result<(), InvalidToken> {
        let payload = payload.filter(|payload| !payload.is_null());
        if payload.is_some_and(|payload| payload.to_string().len() > MAX_PAYLOAD_LENGTH) {
            return Err(InvalidToken::PayloadTooLong);
        }
        self.0.push((matchers, payload.cloned()));
        Ok(())
    }

    /// The payload of a subscription: its matcher is looked at as if it were a topic.
    pub(crate) fn of(&self, matcher: &str, hub: &HubUrl) -> Option<&Value> {
        let subject = Subject::new(std::iter::once(matcher));
        let first = self.0.iter().find(|(matchers, _)| matchers.select_any(&subject, hub));
        first.and_then(|(_, payload)| payload.as_ref())
    }
}
