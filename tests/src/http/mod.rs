//! An HTTP/1 client that hides nothing.
//!
//! Requests are sent byte for byte as a case writes them, broken ones too. The transport chunks of
//! an answer are kept apart ([`Body::chunk`]): that a stream's first bytes come alone is a rule of
//! its own, and a client that joined chunks could not see it broken.

mod connection;
mod endpoint;
mod request;
mod response;

pub(crate) use connection::{Body, Connection, DEADLINE};
pub(crate) use endpoint::Endpoint;
pub(crate) use request::Request;
pub(crate) use response::{Head, Response};
