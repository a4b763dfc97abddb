//! How many streams each account has.

use std::collections::BTreeMap;

use crate::command::quota::{Account, Quota};

/// The streams of each account, of those that have any.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    streams: BTreeMap<Account, u32>,
}

impl Tally {
    /// The first quota that leaves no room for one more stream.
    pub(crate) fn exhausted(&self, quotas: &[Quota]) -> Option<Account> {
        let has_all = |quota: &&Quota| {
            self.streams.get(&quota.account).is_some_and(|streams| *streams >= quota.most)
        };
        quotas.iter().find(has_all).map(|quota| quota.account)
    }

    /// A stream has begun.
    pub(crate) fn enter(&mut self, quotas: &[Quota]) {
        for quota in quotas {
            *self.streams.entry(quota.account).or_default() += 1;
        }
    }

    /// A stream has ended.
    pub(crate) fn leave(&mut self, quotas: &[Quota]) {
        for quota in quotas {
            if let Some(streams) = self.streams.get_mut(&quota.account) {
                *streams -= 1;
                if *streams == 0 {
                    self.streams.remove(&quota.account);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_without_streams_is_forgotten() {
        let quotas = ["a", "b"].map(|token| Quota { account: Account::of_token(token), most: 2 });
        let mut tally = Tally::default();
        tally.enter(&quotas);
        assert_eq!(tally.exhausted(&quotas), None);
        tally.enter(&quotas[1..]);
        assert_eq!(tally.exhausted(&quotas), Some(quotas[1].account));
        assert_eq!(tally.exhausted(&quotas[..1]), None);
        tally.leave(&quotas);
        assert_eq!(tally.exhausted(&quotas), None);
        tally.leave(&quotas[1..]);
        assert!(tally.streams.is_empty());
    }
}
