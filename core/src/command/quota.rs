//! What one client may use of the hub, and how it is told from others.
//!
//! A client is known by whom its token was issued to, or by its address. Both are personal, and a
//! token is a secret as well. So no more than a digest of them leaves the entry: that is what is
//! counted, kept and logged.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::wire::client_address::ClientAddress;

/// Half of a SHA-256: nobody finds two clients with the same one.
type Digest = [u8; 16];

/// Who a request counts for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Account {
    /// Whoever presents this token, or another one that was issued to the same subject.
    Token(Digest),
    /// Whoever sends from this address.
    Address(Digest),
}

impl Account {
    /// The account of a token's `iss` and `sub`. A token without `iss` is from the hub's own issuer.
    pub(crate) fn of_subject(issuer: &str, subject: &str) -> Self {
        Self::Token(digest(&[b"subject", issuer.as_bytes(), subject.as_bytes()]))
    }

    /// The account of a token that says nothing of a subject. `message` is its signed part, since
    /// some signatures can be changed and stay valid.
    pub(crate) fn of_token(message: &str) -> Self {
        Self::Token(digest(&[b"token", message.as_bytes()]))
    }

    pub(crate) fn of_address(address: ClientAddress) -> Self {
        Self::Address(match address {
            ClientAddress::V4(octets) => digest(&[b"address", &octets]),
            ClientAddress::V6(network) => digest(&[b"address", &network]),
        })
    }
}

/// A digest of several parts, none of which can pass for the end of the one before.
fn digest(parts: &[&[u8]]) -> Digest {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    let whole: [u8; 32] = hash.finalize().into();
    let mut half = [0; 16];
    half.copy_from_slice(&whole[..16]);
    half
}

impl fmt::Display for Account {
    /// A name for it that does not say whose it is. (There are so few addresses of IPv4 that one can be
    /// found by trying them all.)
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, digest) = match self {
            Self::Token(digest) => ("token", digest),
            Self::Address(digest) => ("address", digest),
        };
        write!(formatter, "{kind}-{:032x}", u128::from_be_bytes(*digest))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// How much one account may have: streams at a time, or publications a second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quota {
    pub(crate) account: Account,
    pub(crate) most: u32,
}

impl Quota {
    /// Whose it is.
    #[must_use]
    pub fn account(&self) -> Account {
        self.account
    }

    /// The most that it may have.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.most
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accounts_differ_wherever_their_parts_do() {
        let accounts = [
            Account::of_subject("a", "bc"),
            Account::of_subject("ab", "c"),
            Account::of_subject("", "abc"),
            Account::of_token("abc"),
            Account::of_address(ClientAddress::V4([192, 0, 2, 1])),
            Account::of_address(ClientAddress::V4([192, 0, 2, 2])),
            Account::of_address(ClientAddress::V6([0; 8])),
        ];
        let names: std::collections::BTreeSet<String> =
            accounts.iter().map(Account::to_string).collect();
        assert_eq!(names.len(), accounts.len());
        assert_eq!(Account::of_subject("a", "b"), Account::of_subject("a", "b"));
    }

    #[test]
    fn a_name_says_nothing_of_whose_it_is() {
        let quota = Quota { account: Account::of_subject("https://a.example", "alice"), most: 3 };
        let shown = format!("{quota:?}");
        assert!(shown.starts_with("Quota { account: token-"), "{shown}");
        assert!(!shown.contains("alice"), "{shown}");
    }
}
