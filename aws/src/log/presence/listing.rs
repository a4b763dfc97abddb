//! Collections and documents: what is noted, of processes whose lease is open.
//!
//! Everything is read consistently, so that whoever asks once its stream is open finds itself. And nobody
//! is left out whose lease could still be renewed: one that has run out is closed first.

use cinnabar_core::{Answer, EventId, List, Position};
use tracing::warn;

use super::Presence;
use super::item;
use super::sweep::Leases;
use crate::log::cell::{Cell, Numbered};
use crate::log::fault::Fault;
use crate::log::table::Table;

/// How many of the newest cells are read: more than publishers have under way at a time.
const NEWEST: i32 = 32;

impl Presence {
    /// Answers a question after active subscriptions.
    pub(super) async fn answer(&self, list: &List) -> Result<Answer, Fault> {
        let table = &self.shared.table;
        let after: Option<item::Key> = match list.after().map(str::parse) {
            None => None,
            Some(Ok(after)) => Some(after),
            Some(Err(_)) => return Ok(list.unknown_page()),
        };
        let mut leases = Leases::read(table).await?;
        // Before the rows: what begins or ends after this event is told to whoever follows from it.
        let mut listing = list.begin(newest(table).await?);
        let [first, second] = list.topics();
        let keys = list.collection().map_or(item::ALL, |collection| item::keys(&collection));
        let mut next = Some(after.map_or(*keys.start(), |after| after.saturating_add(1)));
        let mut is_left_behind = leases.are_some_closed();
        'pages: while let Some(from) = next {
            let page = table.rows(from.max(*keys.start())..=*keys.end()).await?;
            for row in page.rows {
                let one = row.subscription;
                if !leases.is_open(table, row.holder).await? {
                    is_left_behind = true;
                } else if !row.is_marked
                    && (first.as_str()..second.as_str()).contains(&one.topic())
                    && !listing.offer(one, row.key.to_string())
                {
                    break 'pages;
                }
            }
            next = page.next;
        }
        if is_left_behind && let Err(error) = self.sweep(leases).await {
            warn!(%error, "the subscriptions of dead processes could not be ended yet");
        }
        Ok(list.answer(&listing))
    }
}

/// The id of the newest update behind which nothing is missing. A cell that is still on its way would
/// be lost to whoever resumes from one that came after it.
async fn newest(table: &Table) -> Result<Option<EventId>, Fault> {
    let mut from = Position::new(u64::MAX);
    loop {
        let read = table.cells_back(from, NEWEST).await?;
        let cut = read.cut;
        let (mut newest, mut above) = (None, None::<Position>);
        for Numbered { position, cell } in read.cells {
            if above.is_some_and(|above| above.back(1) != position) {
                newest = None;
            }
            above = Some(position);
            if let (None, Cell::Update { update, .. }) = (&newest, cell) {
                newest = Some(EventId::restored(&update.stored.id));
            }
        }
        match above {
            Some(last) if newest.is_none() && cut => from = last.back(1),
            _ => return Ok(newest),
        }
    }
}
