//! Pages of history, for streams that catch up with their holder.
//!
//! A page goes up to the holder's position. Every number up to there was given away, so a missing
//! one is a hole even if no cell follows it (rule 8). Otherwise a stream that resumes below the
//! number of a publisher that died would wait for the next publication.
//!
//! What had not expired when the stream arrived is delivered, however long its reader takes (rule
//! 7). If that takes longer than the table keeps what has expired, the page says so, and the stream
//! ends.

use std::time::Duration;

use cinnabar_core::{Fetch, Offer, Page, Pager, Place, Subscribe, Update};

use super::fault::Fault;
use super::item::Row;
use super::reader::{Look, Reader, Step};
use super::table::Table;
use super::tail::{probe, seal, spread};

/// How long to wait before a hole is looked at again, at first.
const SOON: Duration = Duration::from_millis(25);

pub(super) async fn page(
    table: &Table,
    fetch: &Fetch,
    subscribe: &Subscribe,
) -> Result<Page, Fault> {
    let mut pager = Pager::new(fetch, subscribe);
    // Nothing that the stream has yet to read is deleted, unless the reader finds otherwise.
    let kept = fetch.after.next();
    let mut reader: Reader<Row> = Reader::new(Place::undated(fetch.after), fetch.as_of);
    let mut consistent = false;
    let mut wait = SOON;
    while pager.reached() < fetch.through {
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
                    let appended = table.timing.began(row.expires);
                    match pager.offer(position, appended, &row.stored, row.stored.data.len()) {
                        Offer::Take => pager.take(position, Update::restore(row.stored)),
                        Offer::Skip => {}
                        Offer::Full => return Ok(pager.cut(kept)),
                    }
                }
                Step::Pass(position) => pager.pass(position),
                Step::Probe(position) => probe(table, &mut reader, position).await?,
                Step::Seal(position) => seal(table, &mut reader, position).await?,
                Step::Poll => break,
                Step::Overtaken => return Ok(pager.cut(fetch.through.next())),
            }
        }
        if pager.reached() > fetch.after {
            break;
        }
        // A hole, and nothing before it. The first look may have been stale, so the next one is
        // consistent. After that the hole has to last, but it is looked at often: most are filled
        // soon, since their publishers are just between their two calls.
        if consistent && let Some(due) = reader.due() {
            table.clock.sleep(due.saturating_sub(table.now().monotonic).min(wait)).await;
            wait *= 2;
        }
        consistent = true;
    }
    Ok(pager.cut(kept))
}
