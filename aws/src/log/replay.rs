//! Pages of history, for streams that catch up with their holder.
//!
//! A page goes up to the holder's position. Every number up to there was given away, so a missing
//! one is a hole even if no cell follows it (rule 8). Otherwise a stream that resumes below the
//! number of a publisher that died would wait for the next publication.
//!
//! What had not expired when the stream arrived is delivered, however long its reader takes (rule
//! 7). Where that is longer than the table keeps what has expired, the page says so, and the stream
//! ends.

use std::time::Duration;

use cinnabar_core::{Appended, Fetch, Page, Place, StoredUpdate, Update};

use super::LogError;
use super::item::Row;
use super::reader::{Look, Reader, Step};
use super::table::Table;
use super::tail::{probe, seal, spread};

/// How long to wait at first before a hole is looked at again.
const SOON: Duration = Duration::from_millis(25);

pub(super) async fn page(
    table: &Table,
    fetch: &Fetch,
    wants: impl Fn(&str, bool) -> bool,
) -> Result<Page, LogError> {
    let mut page = Page {
        updates: Vec::new(),
        reached: fetch.after,
        since: None,
        // Nothing is deleted that the stream has yet to read, unless the reader finds otherwise.
        oldest: fetch.after.next(),
    };
    let mut reader: Reader<Row> = Reader::new(Place::undated(fetch.after), fetch.as_of);
    let mut consistent = false;
    let mut bytes = 0;
    let mut wait = SOON;
    while page.reached < fetch.through {
        let limit = Some(fetch.limit.updates.max(1));
        let (after, through) = (reader.reached(), Some(fetch.through));
        let asked = table.now().wall;
        let read = table.cells(after, through, limit, consistent).await?;
        let known = match read.cells.last() {
            Some(last) if read.cut => last.position,
            _ => fetch.through,
        };
        let patience = || spread(table.timing.patience);
        let look = Look { asked, cells: read.cells, known, cut: read.cut };
        reader.handle_look(&table.timing, look, table.now(), patience);
        loop {
            match reader.step(&table.timing, table.now()) {
                Step::Deliver(position, row) => {
                    let wanted = wants(&row.stored.topics, row.stored.private);
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
                Step::Overtaken => {
                    return Ok(Page { oldest: fetch.through.next(), ..page });
                }
            }
            page.reached = reader.reached();
        }
        if page.reached > fetch.after {
            break;
        }
        // A hole, and nothing before it. The first look may have been stale, so the next one is
        // consistent. After that the hole has to last, but it is looked at often: most are filled
        // soon, because their publishers are only between their two calls.
        if consistent && let Some(due) = reader.due() {
            table.clock.sleep(due.saturating_sub(table.now().monotonic).min(wait)).await;
            wait *= 2;
        }
        consistent = true;
    }
    Ok(page)
}

/// How much of an update a page holds while it is being made.
fn length(stored: &StoredUpdate, wanted: bool) -> usize {
    stored.topics.len() + stored.id.len() + if wanted { stored.data.len() } else { 0 }
}
