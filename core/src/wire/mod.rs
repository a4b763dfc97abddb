//! HTTP and SSE, as they are on the wire: no policy.

pub(crate) mod answer;
pub(crate) mod client_address;
pub(crate) mod cors;
pub(crate) mod discovery;
pub(crate) mod form;
pub(crate) mod media_type;
pub(crate) mod origin;
pub(crate) mod reader;
pub(crate) mod refusal;
pub(crate) mod request;
pub(crate) mod retry;
pub(crate) mod sampler;
pub(crate) mod sse;
pub(crate) mod subscription;
pub(crate) mod unavailable;
