//! What becomes of a subscriber.

use cinnabar_core::Answer;

use crate::body::Body;

/// What becomes of a subscriber.
#[derive(Debug)]
pub enum Opened {
    /// A stream.
    Stream(http::Response<Body>),
    /// It cannot be served just now.
    Answer(Answer),
}
