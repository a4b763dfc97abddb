//! How a process keeps its lease: made with the first subscription that it notes, renewed while it has
//! streams, and given up with the last.
//!
//! A process that starts over, or that has no streams left, stops renewing. Then whatever it has left
//! noted is ended by others, or by itself: it forgets nothing that it has noted until it has ended.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tracing::warn;

use super::Presence;
use super::lease::{LIFE, Lease, RENEWAL};
use crate::log::LogError;
use crate::log::fault::Fault;
use crate::log::random;

/// How long to wait after a renewal that has failed.
const AGAIN: Duration = Duration::from_secs(1);

impl Presence {
    /// The number of the process's lease, which is made if there is none. It is open for as long as it may
    /// take to append an event.
    pub(super) async fn holder(&self) -> Result<u64, Fault> {
        let table = &self.shared.table;
        let mut lease = self.shared.lease.lock().await;
        let now = table.now();
        if let Some(held) = &mut *lease {
            if held.ends > now.wall.plus(table.timing.lease) {
                return Ok(held.number);
            }
            // It may have run out while the process was frozen. Perhaps nobody has noticed.
            let ends = now.wall.plus(LIFE);
            if table.renew_lease(held.number, ends).await? {
                (held.ends, held.tried) = (ends, now);
                return Ok(held.number);
            }
            *lease = None;
            self.shared.was_taken_for_dead.store(true, Ordering::Relaxed);
            return Err(Fault::Unknown("others have taken this process for dead".into()));
        }
        let random: [u8; 8] =
            random::bytes().ok_or_else(|| Fault::Unknown("no random bytes".into()))?;
        let (number, ends) = (u64::from_be_bytes(random), now.wall.plus(LIFE));
        table.make_lease(number, ends).await?;
        *lease = Some(Lease { number, ends, tried: now, wait: RENEWAL });
        Ok(number)
    }

    /// There are no streams yet, and so none to be cut, whatever was found out about those before.
    pub fn begin_anew(&self) {
        self.shared.was_taken_for_dead.store(false, Ordering::Relaxed);
    }

    /// Renews the process's lease, if it is time to. To be called again and again while the process
    /// has streams.
    ///
    /// # Errors
    ///
    /// [`LogError::TakenForDead`]: others have ended its subscriptions. All its streams have to be
    /// cut.
    pub async fn renew(&self) -> Result<(), LogError> {
        let table = &self.shared.table;
        let mut lease = self.shared.lease.lock().await;
        if self.shared.was_taken_for_dead.swap(false, Ordering::Relaxed) {
            return Err(LogError::TakenForDead);
        }
        let Some(held) = &mut *lease else { return Ok(()) };
        let now = table.now();
        if now.since(held.tried) < held.wait {
            return Ok(());
        }
        held.tried = now;
        let ends = now.wall.plus(LIFE);
        match table.renew_lease(held.number, ends).await {
            Ok(true) => (held.ends, held.wait) = (ends, RENEWAL),
            Ok(false) => {
                *lease = None;
                return Err(LogError::TakenForDead);
            }
            Err(fault) => {
                warn!(%fault, "who is here could not be confirmed yet");
                held.wait = AGAIN;
                // Others may have closed it, which can be read where nothing can be written.
                if held.ends <= now.wall && !table.is_lease_open(held.number).await? {
                    *lease = None;
                    return Err(LogError::TakenForDead);
                }
                return Ok(());
            }
        }
        drop(lease);
        self.look_around();
        Ok(())
    }

    /// Looks whose lease has run out: each process now and then, all of them together once a renewal.
    fn look_around(&self) {
        let leases = self.shared.leases.load(Ordering::Relaxed).max(1);
        let chance = random::bytes().map_or(0, u32::from_be_bytes);
        if (chance as usize).is_multiple_of(leases) {
            let presence = self.clone();
            tokio::spawn(async move {
                if let Err(error) = presence.look().await {
                    warn!(%error, "the subscriptions of dead processes could not be ended yet");
                }
            });
        }
    }

    /// Gives the lease up, if nothing is noted any more. If that fails, it runs out.
    pub(super) async fn give_up_lease(&self) {
        let mut lease = self.shared.lease.lock().await;
        if !self.shared.own.is_empty() {
            return;
        }
        if let Some(held) = lease.take()
            && let Err(fault) = self.shared.table.delete_lease(held.number).await
        {
            warn!(%fault, "a lease could not be given up, and runs out");
        }
    }
}
