//! From the credentials of a request to what they grant.

pub(crate) mod bearer;
pub(crate) mod grant;
pub(crate) mod invalid_token;
pub(crate) mod payloads;
pub(crate) mod token;
