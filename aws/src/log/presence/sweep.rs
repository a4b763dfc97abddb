//! Whose lease is open, and ending the subscriptions of those who have none.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use cinnabar_core::{ActiveSubscription, Timestamp};
use tracing::info;

use super::lease::RENEWAL;
use super::{Presence, each, item};
use crate::log::LogError;
use crate::log::fault::Fault;
use crate::log::table::Table;

/// How many subscriptions are ended at a time; the rest are left to the next look.
const AT_A_TIME: usize = 200;

/// In one of how many renewals rows without any lease are searched for: a process that was frozen may have
/// written one when its lease had been deleted. Nobody lists them, but their ends have to be told.
const SEARCH: u128 = 30;

/// Whose lease is open, as far as was read last.
#[derive(Debug, Default)]
pub(super) struct Leases {
    open: BTreeSet<u64>,
    closed: BTreeSet<u64>,
    /// Those that have no lease.
    none: BTreeSet<u64>,
}

impl Leases {
    /// Reads all leases, and closes those that have run out, by this machine's clock or by any within
    /// the skew. One that has been renewed meanwhile stays open.
    pub(super) async fn read(table: &Table) -> Result<Self, Fault> {
        let mut leases = Self::default();
        for found in table.leases().await? {
            let has_run_out = found.ends.plus(table.timing.skew) < table.now().wall;
            let is_closed = found.is_closed || has_run_out && table.close_lease(found).await?;
            let group = if is_closed { &mut leases.closed } else { &mut leases.open };
            group.insert(found.holder);
        }
        Ok(leases)
    }

    /// Whether a holder's lease is open. One that is not known may have been made since.
    pub(super) async fn is_open(&mut self, table: &Table, holder: u64) -> Result<bool, Fault> {
        if ![&self.open, &self.closed, &self.none].iter().any(|group| group.contains(&holder)) {
            let none = std::mem::take(&mut self.none);
            *self = Self { none, ..Self::read(table).await? };
            if !self.open.contains(&holder) {
                self.none.insert(holder);
            }
        }
        Ok(self.open.contains(&holder))
    }

    /// Whether some are closed: their holders may have left something.
    pub(super) fn are_some_closed(&self) -> bool {
        !self.closed.is_empty()
    }
}

/// What processes have left that have no open lease.
#[derive(Debug, Default)]
struct Left {
    subscriptions: Vec<ActiveSubscription>,
    holders: BTreeSet<u64>,
    /// Whether there may be more.
    more: bool,
}

impl Presence {
    /// Looks whose lease has run out, and ends what they have left.
    pub(super) async fn look(&self) -> Result<(), LogError> {
        let table = &self.shared.table;
        let leases = Leases::read(table).await?;
        self.shared.leases.store(leases.open.len(), Ordering::Relaxed);
        if leases.are_some_closed() || is_time_to_search(table.now().wall) {
            self.sweep(leases).await?;
        }
        Ok(())
    }

    /// Ends what processes have left that have no open lease. One sweep at a time is enough.
    pub(super) async fn sweep(&self, mut leases: Leases) -> Result<(), LogError> {
        let Ok(_alone) = self.shared.sweeping.try_lock() else { return Ok(()) };
        let table = &self.shared.table;
        let closed = leases.closed.clone();
        let Left { subscriptions, holders, more } = self.left(&mut leases).await?;
        if !subscriptions.is_empty() {
            let count = subscriptions.len();
            info!(subscriptions = count, "the subscriptions of a process that died are ended");
        }
        let presence = self.clone();
        let ended = each(subscriptions, move |one| {
            let presence = presence.clone();
            async move { presence.end(&one).await }
        })
        .await;
        // Only those of which nothing was found: what is marked by somebody else is still theirs.
        for holder in closed.into_iter().filter(|holder| !more && !holders.contains(holder)) {
            table.delete_lease(holder).await?;
        }
        ended
    }

    async fn left(&self, leases: &mut Leases) -> Result<Left, LogError> {
        let table = &self.shared.table;
        let mut left = Left::default();
        let mut next = Some(*item::ALL.start());
        while let Some(first) = next {
            let page = table.rows(first..=*item::ALL.end()).await?;
            for row in page.rows {
                if leases.is_open(table, row.holder).await? {
                    continue;
                }
                if left.subscriptions.len() >= AT_A_TIME {
                    return Ok(Left { more: true, ..left });
                }
                left.holders.insert(row.holder);
                left.subscriptions.push(row.subscription);
            }
            next = page.next;
        }
        Ok(left)
    }
}

/// Whether whoever looks now looks for rows without a lease, too: all processes together look about once
/// in a renewal.
fn is_time_to_search(now: Timestamp) -> bool {
    (u128::from(now.as_millis()) / RENEWAL.as_millis()).is_multiple_of(SEARCH)
}
