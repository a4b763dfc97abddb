//! Whose keys verify tokens.

pub(crate) mod issuer;
pub(crate) mod issuer_list;
pub(crate) mod key;
pub(crate) mod key_text;
pub(crate) mod role;
pub(crate) mod weakness;
