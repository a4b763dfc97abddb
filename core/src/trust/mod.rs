//! Whose keys verify tokens.

pub(crate) mod algorithm;
mod der;
mod encodings;
pub(crate) mod issuer;
pub(crate) mod issuer_list;
mod jwk;
pub(crate) mod key;
pub(crate) mod key_ring;
mod key_set;
pub(crate) mod key_source;
pub(crate) mod key_text;
mod not_a_secret;
mod pem;
mod public_key;
pub(crate) mod role;
#[cfg(test)]
mod samples;
pub(crate) mod shown;
pub(crate) mod stand_in;
pub(crate) mod trusted;
pub(crate) mod weakness;
