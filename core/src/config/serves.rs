//! Which part of the hub one deployment serves.
//!
//! A hub may be deployed as two functions, so that streams cannot starve publishers: each answers
//! only its own methods.

/// Which part of the hub a deployment serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Serves {
    Both,
    Publish,
    Subscribe,
}

impl Serves {
    /// The methods of the hub's path.
    pub(crate) fn methods(self) -> &'static str {
        match self {
            Self::Both => "GET, HEAD, QUERY, POST, OPTIONS",
            Self::Publish => "POST, OPTIONS",
            Self::Subscribe => "GET, HEAD, QUERY, OPTIONS",
        }
    }

    pub(crate) fn publishes(self) -> bool {
        self != Self::Subscribe
    }

    pub(crate) fn subscribes(self) -> bool {
        self != Self::Publish
    }
}
