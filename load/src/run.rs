//! A run: open, warm up, measure.

use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tokio::task::LocalSet;
use tokio::time::{self, Instant};

use crate::arrivals;
use crate::clock::Clock;
use crate::failure::Failure;
use crate::figures::{Arrivals, Figures, Taken};
use crate::hub::Hub;
use crate::load::Load;
use crate::process::{Process, Usage};
use crate::publishers::{self, Plan, Publisher};
use crate::readers::{self, Stream, Tally};

/// How often it is looked whether all has arrived.
const LOOK: Duration = Duration::from_millis(5);

/// How often whoever watches is told.
const TELL: Duration = Duration::from_secs(1);

/// How far a run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// So many streams are open.
    Opening(usize),
    /// The warm-up, and what has been acknowledged and delivered in it.
    WarmingUp(u64, u64),
    /// The measured part, and what has been acknowledged and delivered in it.
    Measuring(u64, u64),
}

/// Puts a load on a hub, and observes the hub's process if there is one to observe.
pub fn run(
    load: &Load,
    hub: &Hub,
    process: Option<Process>,
    watch: &dyn Fn(Progress),
) -> Result<Figures, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::Machine)?;
    LocalSet::new().block_on(&runtime, measure(load, hub, process, watch))
}

async fn measure(
    load: &Load,
    hub: &Hub,
    process: Option<Process>,
    watch: &dyn Fn(Progress),
) -> Result<Figures, Failure> {
    let clock = Clock::start();
    let plan = Arc::new(Plan {
        hub: hub.clone(),
        load: load.clone(),
        topics: topics(load.topics),
        clock,
        acknowledged: AtomicU64::new(0),
    });
    plan.try_one().await?;
    let empty = usage(process)?;
    let tally = Rc::new(Tally::new(clock));
    let count = usize::from(load.publishers);
    let is_open = |streams| watch(Progress::Opening(streams));
    let streams = readers::open(hub, &plan.topics, load.streams, count, &tally, is_open).await?;
    let open = usage(process)?;

    let publishers: Vec<_> =
        (0..load.publishers).map(|id| Publisher::new(id, plan.topics.len())).collect();
    let round = Round { plan: &plan, streams: &streams, tally: &tally, watch };
    let (publishers, ..) = round.hold(publishers, load.warm_up, Progress::WarmingUp).await?;
    let warm_up = readers::faults(&streams, &publishers);
    let (before, began) = (usage(process)?, clock.nanoseconds());
    let busy = reader_time();
    let (publishers, publishing, arrivals) =
        round.hold(publishers, load.duration, Progress::Measuring).await?;

    let after = usage(process)?;
    let faults = readers::faults(&streams, &publishers);
    let publications = publishers.iter().map(|publisher| publisher.acknowledged).sum();
    let deliveries = tally.deliveries.get();
    let delivering = Duration::from_nanos(tally.last.get().saturating_sub(began));
    let per = if load.streams == 0 { publications } else { deliveries };
    let latency = tally.latencies.borrow().summary();
    Ok(Figures {
        publications,
        publications_per_second: publications as f64 / publishing.as_secs_f64(),
        refused: faults.refused,
        deliveries,
        deliveries_per_second: deliveries as f64 / publishing.max(delivering).as_secs_f64(),
        latency,
        lost: faults.lost,
        out_of_order: faults.out_of_order,
        twice: faults.twice,
        warm_up,
        ended: tally.ended.get(),
        arrivals,
        process: process.map(|_| Taken {
            microseconds: (after.processor.saturating_sub(before.processor)).as_secs_f64() * 1e6
                / per.max(1) as f64,
            memory_empty: megabytes(empty),
            memory_open: megabytes(open),
            memory_loaded: megabytes(after),
        }),
        reader_busy: (reader_time().saturating_sub(busy)).as_secs_f64()
            / publishing.max(delivering).as_secs_f64(),
    })
}

/// What rounds have in common.
struct Round<'a> {
    plan: &'a Arc<Plan>,
    streams: &'a [Rc<Stream>],
    tally: &'a Tally,
    watch: &'a dyn Fn(Progress),
}

impl Round<'_> {
    /// Publishes for so long, while subscribers come and go, and waits until everything has arrived,
    /// or nothing more does. Returns the publishers, how long they took, and what became of those
    /// subscribers.
    async fn hold(
        &self,
        publishers: Vec<Publisher>,
        duration: Duration,
        progress: fn(u64, u64) -> Progress,
    ) -> Result<(Vec<Publisher>, Duration, Option<Arrivals>), Failure> {
        readers::begin(self.streams, &publishers, self.tally);
        self.plan.acknowledged.store(0, Ordering::Relaxed);
        let tell = || {
            let acknowledged = self.plan.acknowledged.load(Ordering::Relaxed);
            (self.watch)(progress(acknowledged, self.tally.deliveries.get()));
        };
        let (hub, rate) = (self.plan.hub.clone(), self.plan.load.arrivals);
        let arriving = rate.map(|rate| {
            tokio::task::spawn_blocking(move || arrivals::arrive(&hub, rate, duration))
        });
        let plan = Arc::clone(self.plan);
        let mut publishing =
            tokio::task::spawn_blocking(move || publishers::publish(plan, publishers, duration));
        let done = loop {
            tokio::select! {
                done = &mut publishing => break done,
                () = time::sleep(TELL) => tell(),
            }
        };
        let (publishers, took) =
            done.map_err(io::Error::other).and_then(|done| done).map_err(Failure::Machine)?;

        let arrivals = match arriving {
            Some(arriving) => Some(
                arriving
                    .await
                    .map_err(io::Error::other)
                    .and_then(|all| all)
                    .map_err(Failure::Machine)?,
            ),
            None => None,
        };

        let (mut quiet, mut told) = (Instant::now(), Instant::now());
        let mut deliveries = self.tally.deliveries.get();
        let patience = self.plan.load.patience;
        while !readers::are_complete(self.streams, &publishers) && quiet.elapsed() < patience {
            time::sleep(LOOK).await;
            if deliveries != self.tally.deliveries.get() {
                (deliveries, quiet) = (self.tally.deliveries.get(), Instant::now());
            }
            if told.elapsed() >= TELL {
                tell();
                told = Instant::now();
            }
        }
        Ok((publishers, took, arrivals))
    }
}

/// Topics that nobody else publishes to.
fn topics(count: usize) -> Vec<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let id = std::process::id();
    (0..count).map(|topic| format!("https://bench.example/{now:x}-{id}/{topic}")).collect()
}

fn usage(process: Option<Process>) -> Result<Usage, Failure> {
    process.map_or(Ok(Usage::default()), Process::usage).map_err(Failure::Process)
}

/// The time that a processor has worked for this thread, which reads all streams.
fn reader_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::try_from(time).unwrap_or_default()
}

fn megabytes(usage: Usage) -> f64 {
    usage.memory as f64 / 1e6
}
