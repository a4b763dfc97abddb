//! Pages of history, for streams that catch up with their holder.
//!
//! A page goes up to the holder's position. Every number up to there was given away, so one that is
//! missing is a hole although no cell may follow it (rule 8): without that, a stream that resumes
//! below a publisher that died would wait for the next publication.

use std::time::Duration;

use cinnabar_core::{Appended, Fetch, Page, StoredUpdate, Update};

use super::LogError;
use super::item::Row;
use super::reader::{Reader, Step};
use super::table::Table;
use super::tail::{probe, seal, spread};

/// How long to wait at first before a hole is looked at again.
const SOON: Duration = Duration::from_millis(25);

pub(super) async fn page(
    table: &Table,
    fetch: &Fetch,
    wants: impl Fn(&str, &str, bool) -> bool,
) -> Result<Page, LogError> {
    let mut page = Page {
        updates: Vec::new(),
        reached: fetch.after,
        since: None,
        // Nothing is dropped that a living stream has yet to read: retention and grace see to it.
        oldest: fetch.after.next(),
    };
    let mut reader: Reader<Row> = Reader::new(fetch.after);
    let mut consistent = false;
    let mut bytes = 0;
    let mut wait = SOON;
    while page.reached < fetch.through {
        let limit = Some(fetch.limit.updates.max(1));
        let (after, through) = (reader.reached(), Some(fetch.through));
        let read = table.cells(after, through, limit, consistent).await?;
        let known = match read.cells.last() {
            Some(last) if read.cut => last.position,
            _ => fetch.through,
        };
        let patience = || spread(table.timing.patience);
        reader.handle_page(read.cells, known, table.now(), patience);
        loop {
            match reader.step(table.now()) {
                Step::Deliver(position, row) => {
                    let stored = &row.stored;
                    let wanted = wants(&stored.topics, &stored.targets, stored.private);
                    bytes += length(&row.stored, wanted);
                    if bytes > fetch.limit.bytes && page.reached > fetch.after {
                        return Ok(page);
                    }
                    page.since = Some(table.timing.began(row.expires));
                    if wanted {
                        let update = Update::restore(row.stored).into();
                        page.updates.push(Appended { position, update });
                    }
                }
                Step::Pass(_) => {}
                Step::Probe(position) => probe(table, &mut reader, position).await?,
                Step::Seal(position) => seal(table, &mut reader, position).await?,
                Step::Poll => break,
            }
            page.reached = reader.reached();
        }
        if page.reached > fetch.after {
            break;
        }
        // A hole, and nothing before it. The first look may have been stale; from then on it has to
        // last, though most are filled soon: their publishers are between their two calls.
        if consistent && let Some(due) = reader.due() {
            table.clock.sleep(due.saturating_sub(table.now().monotonic).min(wait)).await;
            wait *= 2;
        }
        consistent = true;
    }
    Ok(page)
}

/// What a page has to hold of an update while it is made.
fn length(stored: &StoredUpdate, wanted: bool) -> usize {
    let read = stored.topics.len() + stored.targets.len() + stored.id.len();
    read + if wanted { stored.data.len() } else { 0 }
}
