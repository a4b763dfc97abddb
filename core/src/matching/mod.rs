//! What an expression selects, and whose expressions select an update.

pub(crate) mod budget;
pub(crate) mod effort;
pub(crate) mod index;
pub(crate) mod matcher;
pub(crate) mod matchers;
pub(crate) mod subject;
pub(crate) mod template;
pub(crate) mod url_pattern;
#[cfg(test)]
mod vectors;
