//! The publishers: each on a connection of its own, each waiting for the answer before its next
//! update, together at a given rate or as fast as they are answered.
//!
//! At a rate, what a publisher could not send in time since the hub had not answered is stamped with
//! when it was due: otherwise a hub that stalls would be asked less, and its stall be measured once
//! ("coordinated omission").
//!
//! They run in a thread of their own, so that an update is stamped when it is sent, however many
//! deliveries are being read meanwhile.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::time::{self, Instant};

use crate::clock::Clock;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::hub::Hub;
use crate::load::Load;
use crate::stamp::{self, Stamp};

/// How long a publisher waits for an answer.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long it waits after it was refused.
const PAUSE: Duration = Duration::from_millis(20);

/// What publishers need to know.
pub(crate) struct Plan {
    pub(crate) hub: Hub,
    pub(crate) load: Load,
    pub(crate) topics: Vec<String>,
    pub(crate) clock: Clock,
    /// How many publications have been acknowledged so far, for whoever watches.
    pub(crate) acknowledged: AtomicU64,
}

/// The beginning of a round, by the timer and by the clock of the run.
#[derive(Clone, Copy)]
struct Start {
    instant: Instant,
    nanoseconds: u64,
}

/// One of the publishers, between two rounds.
pub(crate) struct Publisher {
    id: u16,
    /// How many updates it has sent to each topic.
    pub(crate) sent: Vec<u32>,
    /// The numbers of those that were not acknowledged in this round, by topic.
    pub(crate) unacknowledged: Vec<BTreeSet<u32>>,
    /// How many were, in this round.
    pub(crate) acknowledged: u64,
}

impl Publisher {
    pub(crate) fn new(id: u16, topics: usize) -> Self {
        let unacknowledged = vec![BTreeSet::new(); topics];
        Self { id, sent: vec![0; topics], unacknowledged, acknowledged: 0 }
    }

    async fn publish(&mut self, plan: &Plan, duration: Duration, start: Start) {
        self.acknowledged = 0;
        self.unacknowledged.iter_mut().for_each(BTreeSet::clear);
        let mut connection = None;
        let mut request = Vec::new();
        for count in 0.. {
            let mut since = None;
            if let Some(rate) = plan.load.rate {
                let number = count * u64::from(plan.load.publishers) + u64::from(self.id);
                let wait = Duration::from_secs_f64(number as f64 / rate);
                // All that is due in the round is sent, however late: what a hub that stalls at the
                // end leaves over is part of what it was asked.
                let is_over = wait >= duration || start.instant.elapsed() >= duration + PATIENCE;
                if count > 0 && is_over {
                    // A round that is over early would look like a higher rate.
                    time::sleep_until(start.instant + duration).await;
                    return;
                }
                let due = start.instant + wait;
                if due > Instant::now() {
                    time::sleep_until(due).await;
                } else {
                    // The hub has held it up. Whoever had something to say would have waited since.
                    since = Some(start.nanoseconds + wait.as_nanos() as u64);
                }
            } else if count > 0 && start.instant.elapsed() >= duration {
                // At least one each, so that no round is without any.
                return;
            }
            let topic = (usize::from(self.id) + count as usize) % plan.topics.len();
            let number = self.sent[topic];
            self.sent[topic] += 1;
            plan.write_publication(&mut request, topic, self.id, number, since);
            if is_acknowledged(plan, &mut connection, &request).await {
                self.acknowledged += 1;
                plan.acknowledged.fetch_add(1, Ordering::Relaxed);
            } else {
                self.unacknowledged[topic].insert(number);
                time::sleep(PAUSE).await;
            }
        }
    }
}

async fn is_acknowledged(plan: &Plan, connection: &mut Option<Connection>, request: &[u8]) -> bool {
    let attempt = async {
        let mut open = match connection.take() {
            Some(open) => open,
            None => Connection::open(&plan.hub).await?,
        };
        let answer = open.call("a publication", request).await?;
        if !answer.closes {
            *connection = Some(open);
        }
        Ok::<_, Failure>(answer.status == 200)
    };
    matches!(time::timeout(PATIENCE, attempt).await, Ok(Ok(true)))
}

impl Plan {
    /// Writes the request of a publication, stamped with the time since which it should have been
    /// sent, or at the very last.
    fn write_publication(
        &self,
        request: &mut Vec<u8>,
        topic: usize,
        publisher: u16,
        number: u32,
        since: Option<u64>,
    ) {
        let before = format!(
            "topic={}{}&data=",
            self.topics[topic],
            if self.load.private { "&private=on" } else { "" }
        );
        let padding = self.load.size.saturating_sub(stamp::LENGTH);
        request.clear();
        request.extend(self.hub.publication(before.len() + stamp::LENGTH + padding));
        request.extend(before.as_bytes());
        let end = request.len() + stamp::LENGTH + padding;
        request.reserve(end - request.len());
        let nanoseconds = since.unwrap_or_else(|| self.clock.nanoseconds());
        Stamp { publisher, number, nanoseconds }.write(request);
        request.resize(end, b'x');
    }

    /// Fails, with what the hub says, unless it takes a publication.
    pub(crate) async fn try_one(&self) -> Result<(), Failure> {
        let mut request = Vec::new();
        // Beyond the topics of the load, which must not get it.
        let form = b"topic=https://bench.example/try&data=";
        request.extend(self.hub.publication(form.len()));
        request.extend(form);
        let what = "a publication";
        let answer = Connection::open(&self.hub).await?.call(what, &request).await?;
        if answer.status != 200 {
            return Err(Failure::Refused { what, status: answer.status, reason: answer.text });
        }
        Ok(())
    }
}

/// Lets the publishers publish for so long, in a thread of their own. Returns them, and how long it
/// took until the last of them was answered.
pub(crate) fn publish(
    plan: Arc<Plan>,
    publishers: Vec<Publisher>,
    duration: Duration,
) -> io::Result<(Vec<Publisher>, Duration)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let start = Start { instant: Instant::now(), nanoseconds: plan.clock.nanoseconds() };
        let tasks: Vec<_> = publishers
            .into_iter()
            .map(|mut publisher| {
                let plan = Arc::clone(&plan);
                tokio::spawn(async move {
                    publisher.publish(&plan, duration, start).await;
                    publisher
                })
            })
            .collect();
        let mut publishers = Vec::new();
        for task in tasks {
            publishers.push(task.await.map_err(io::Error::other)?);
        }
        Ok((publishers, start.instant.elapsed()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::Tokens;

    #[test]
    fn a_publication_is_as_long_as_it_says() {
        let tokens = Tokens { publisher: "p".to_owned(), subscriber: "s".to_owned() };
        let hub = Hub::new("http://localhost:1/hub", tokens, "match").unwrap();
        for (size, private) in [(64, false), (4096, true)] {
            let plan = Plan {
                hub: hub.clone(),
                load: Load { size, private, ..Load::default() },
                topics: vec!["https://a/1".to_owned()],
                clock: Clock::start(),
                acknowledged: AtomicU64::new(0),
            };
            let mut request = Vec::new();
            plan.write_publication(&mut request, 0, 1, 2, None);
            let request = String::from_utf8(request).unwrap();
            let (head, form) = request.split_once("\r\n\r\n").unwrap();
            assert!(head.contains(&format!("\r\nContent-Length: {}", form.len())), "{head}");
            assert_eq!(form.contains("&private=on&"), private);
            let (_, data) = form.split_once("&data=").unwrap();
            assert_eq!(data.len(), size);
            let stamp = Stamp::read(data.as_bytes()).unwrap();
            assert_eq!((stamp.publisher, stamp.number), (1, 2));
        }
    }
}
