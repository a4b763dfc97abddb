//! From the core's answers to responses that are sent.

use cinnabar_core::Answer;

use crate::body::Body;

/// The response of an answer. Its line for the log is left to the sender.
#[must_use]
pub fn whole(answer: Answer) -> http::Response<Body> {
    answer.response.map(|bytes| Body::held(bytes, answer.hold))
}
