//! Ending the subscriptions of processes whose lease has run out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use cinnabar_core::{ActiveSubscription, Timestamp};
use tracing::info;

use super::Presence;
use super::calls::Found;
use super::{each, item};
use crate::log::LogError;
use crate::log::fault::Fault;
use crate::log::table::Table;

/// How many subscriptions are ended at a time; the rest are left to the next look.
const AT_A_TIME: usize = 200;

/// Whose lease runs.
#[derive(Debug)]
pub(super) struct Leases {
    now: Timestamp,
    all: BTreeMap<u64, Found>,
    /// Those that have no lease, as far as was read last.
    none: BTreeSet<u64>,
}

impl Leases {
    pub(super) async fn read(table: &Table) -> Result<Self, Fault> {
        let all = table.leases().await?.into_iter().map(|found| (found.holder, found)).collect();
        Ok(Self { now: table.now().wall, all, none: BTreeSet::new() })
    }

    /// Those that have run out, by this machine's clock or by any within the skew.
    pub(super) fn dead(&self, table: &Table) -> Vec<Found> {
        let has_run_out =
            |found: &&Found| found.is_closed || found.ends.plus(table.timing.skew) < self.now;
        self.all.values().filter(has_run_out).copied().collect()
    }

    /// Whether a holder's lease runs. One that is not known may have been made since.
    pub(super) async fn runs(&mut self, table: &Table, holder: u64) -> Result<bool, Fault> {
        if !self.all.contains_key(&holder) && !self.none.contains(&holder) {
            let none = std::mem::take(&mut self.none);
            *self = Self { none, ..Self::read(table).await? };
            if !self.all.contains_key(&holder) {
                self.none.insert(holder);
            }
        }
        Ok(self.all.get(&holder).is_some_and(|found| {
            !found.is_closed && found.ends.plus(table.timing.skew) >= self.now
        }))
    }
}

impl Presence {
    /// Ends what processes have left whose lease has run out.
    pub(super) async fn sweep(&self) -> Result<(), LogError> {
        if self.shared.is_sweeping.swap(true, Ordering::Relaxed) {
            return Ok(());
        }
        let swept = self.sweep_alone().await;
        self.shared.is_sweeping.store(false, Ordering::Relaxed);
        swept
    }

    async fn sweep_alone(&self) -> Result<(), LogError> {
        let table = &self.shared.table;
        let mut leases = Leases::read(table).await?;
        let dead = leases.dead(table);
        let alive = leases.all.len() - dead.len();
        self.shared.leases.store(alive.max(1), Ordering::Relaxed);
        let mut closed = Vec::new();
        for found in dead {
            if found.is_closed || table.close_lease(found).await? {
                closed.push(found.holder);
            }
        }
        if closed.is_empty() {
            return Ok(());
        }
        let (left, holders) = self.left(&mut leases).await?;
        if !left.is_empty() {
            info!(subscriptions = left.len(), "the subscriptions of a process that died are ended");
        }
        let is_all = left.len() < AT_A_TIME;
        let presence = self.clone();
        each(left, move |one| {
            let presence = presence.clone();
            async move { presence.end(&one).await }
        })
        .await?;
        // Only those of which nothing was found: what is marked by somebody else is still theirs.
        for holder in closed.into_iter().filter(|holder| is_all && !holders.contains(holder)) {
            table.delete_lease(holder).await?;
        }
        Ok(())
    }

    /// What processes have left whose lease has run out, and those processes.
    async fn left(
        &self,
        leases: &mut Leases,
    ) -> Result<(Vec<ActiveSubscription>, BTreeSet<u64>), LogError> {
        let table = &self.shared.table;
        let (mut left, mut holders) = (Vec::new(), BTreeSet::new());
        let mut next = Some(*item::ALL.start());
        while let Some(first) = next {
            let page = table.rows(first..=*item::ALL.end()).await?;
            for row in page.rows {
                if leases.runs(table, row.holder).await? {
                    continue;
                }
                holders.insert(row.holder);
                left.extend(row.subscription);
                if left.len() >= AT_A_TIME {
                    return Ok((left, holders));
                }
            }
            next = page.next;
        }
        Ok((left, holders))
    }
}
