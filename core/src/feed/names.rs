//! The names of links and of followers.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of a link on one side of it. A leader's shell chooses it, and uses none twice while a
/// [`Leader`](crate::feed::Leader) lives; a follower numbers its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LinkId(u64);

impl LinkId {
    /// The link with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    #[must_use]
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// The name of a follower: random, and another one for each [`Follower`](crate::feed::Follower).
///
/// A log notes it beside the subscriptions that the follower holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct FollowerId([u8; 16]);

impl FollowerId {
    /// The name that is these random bytes.
    #[must_use]
    pub const fn from_random(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// A name that a log noted, as [`Display`](fmt::Display) writes it.
    #[must_use]
    pub fn restored(text: &str) -> Option<Self> {
        let is_hexadecimal = text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_one = text.len() == 32 && is_hexadecimal;
        let number = is_one.then(|| u128::from_str_radix(text, 16).ok()).flatten()?;
        Some(Self(number.to_be_bytes()))
    }
}

impl fmt::Display for FollowerId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl From<FollowerId> for String {
    fn from(follower: FollowerId) -> Self {
        follower.to_string()
    }
}

impl TryFrom<String> for FollowerId {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::restored(&text).ok_or("not the name of a follower")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_follower_is_noted_as_text() {
        let follower =
            FollowerId::from_random([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255]);
        let text = follower.to_string();
        assert_eq!(text, "000102030405060708090a0b0c0d0eff");
        assert_eq!(FollowerId::restored(&text), Some(follower));
        for other in
            ["", "0", "+00102030405060708090a0b0c0d0eff", "g00102030405060708090a0b0c0d0eff"]
        {
            assert_eq!(FollowerId::restored(other), None, "{other}");
        }
    }
}
