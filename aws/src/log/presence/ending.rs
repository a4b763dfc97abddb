//! How a subscription ends, whoever ends it: its row is marked, its end told, and its row deleted.

use cinnabar_core::{ActiveSubscription, Located, Location, Position};

use super::Presence;
use super::calls::Mark;
use crate::log::LogError;
use crate::log::locate::locate;

impl Presence {
    /// Ends a subscription, unless it has ended, or somebody else is at it.
    pub(super) async fn end(&self, one: &ActiveSubscription) -> Result<(), LogError> {
        let table = &self.shared.table;
        let end = one.end();
        let is_told = match table.mark(one.topic(), self.shared.me).await? {
            Mark::Refused => return Ok(()),
            Mark::First => false,
            // Whoever marked it may have told it, and died before the row was deleted.
            Mark::Again => {
                let ids = vec![end.id().clone()];
                let sought = Location::Ids { ids, floor: Position::START };
                matches!(locate(table, sought).await?, Located::Found(..))
            }
        };
        if !is_told {
            self.append(end).await?;
        }
        Ok(table.forget(one.topic()).await?)
    }
}
