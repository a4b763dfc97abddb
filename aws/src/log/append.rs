//! Appending: the calls of a [`Publication`], until it is acknowledged or refused.

use std::time::Duration;

use cinnabar_core::{IdOrigin, Position, Update};

use super::error::AppendError;
use super::fault::Fault;
use super::item::{ITEM_LIMIT, Row, Token, size};
use super::publication::{Publication, Put, Refusal, Step};
use super::random;
use super::table::Table;

/// How long to wait before a call is repeated: twice as long each time, and partly at random.
const BACKOFF: Duration = Duration::from_millis(25);

/// The longest such wait.
const LONGEST_BACKOFF: Duration = Duration::from_secs(1);

pub(super) async fn append(
    table: &Table,
    update: &Update,
    id_origin: IdOrigin,
) -> Result<Position, AppendError> {
    let mut publication = Publication::begin(table.now());
    let token: Token = random::bytes().ok_or_else(|| unavailable("no random bytes"))?;
    let row = Row {
        stored: update.store(),
        expires: publication.expires(&table.timing),
        own: id_origin == IdOrigin::Publisher,
    };
    let mut allotted = table.now().wall;
    // Checked before a number is taken, which it would waste.
    let bytes = size(&table.items.update(Position::new(u64::MAX), &row, token, allotted));
    if bytes > ITEM_LIMIT {
        return Err(AppendError::TooLarge { bytes, limit: ITEM_LIMIT });
    }
    let mut faults = 0;
    loop {
        let fault = match publication.step(&table.timing, table.now()) {
            Step::Number => match table.number(&publication).await {
                Ok(number) => {
                    publication.handle_number(number);
                    allotted = table.now().wall;
                    continue;
                }
                Err(fault) => fault,
            },
            Step::Put(number) => {
                let item = table.items.update(number, &row, token, allotted);
                match table.put(&publication, item, token).await {
                    Ok(put) => {
                        if put == Put::Tombstone {
                            tracing::warn!(number = number.get(), "a number was sealed");
                        }
                        publication.handle_put(put);
                        continue;
                    }
                    Err(fault) => fault,
                }
            }
            Step::Acknowledge(position) => return Ok(position),
            Step::Refuse(refusal @ (Refusal::Late | Refusal::Sealed)) => {
                return Err(unavailable(refusal));
            }
            Step::Refuse(refusal @ Refusal::Taken(_)) => {
                tracing::error!("{refusal}");
                return Err(AppendError::Broken(refusal.to_string()));
            }
        };
        match fault {
            Fault::Broken(reason) => {
                tracing::error!(reason, "an update could not be appended");
                return Err(AppendError::Broken(reason));
            }
            Fault::Refused(_) => return Err(unavailable(fault)),
            // Make the same call again. If the answer with a number was lost, that number is
            // wasted; a write recognizes its own update by the token.
            Fault::Throttled(_) | Fault::Unknown(_) => {
                tracing::warn!("a call of a publication is repeated: {fault}");
                let longest = BACKOFF.saturating_mul(1 << faults).min(LONGEST_BACKOFF);
                table.clock.sleep(longest / 2 + random::up_to(longest / 2)).await;
                faults = (faults + 1).min(10);
            }
        }
    }
}

fn unavailable(reason: impl ToString) -> AppendError {
    AppendError::Unavailable(reason.to_string())
}
