//! From the core's answers to responses that are sent.

use cinnabar_core::{Response, Unavailable};

use crate::body::Body;

/// A response that is sent at once.
#[must_use]
pub fn whole(response: Response) -> http::Response<Body> {
    response.map(Body::whole)
}

/// The answer to a passing failure, whose end may have to wait.
#[must_use]
pub fn unavailable(unavailable: Unavailable) -> http::Response<Body> {
    unavailable.response.map(|bytes| Body::held(bytes, unavailable.hold))
}
