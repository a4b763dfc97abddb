//! `bench`: a load that anybody can repeat, against any hub.
//!
//! | to find | look in |
//! |---|---|
//! | the load itself, and what is measured | the crate `cinnabar-load` |
//! | a hub of our own to put it on | [`ours`] |
//! | how figures of two hubs are compared and shown | [`table`] |

mod ours;
mod table;

use std::cell::Cell;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cinnabar_kit::development::{DEVELOPMENT_ISSUER, DEVELOPMENT_KEY};
use cinnabar_kit::token::{self, Generation};
use cinnabar_load::{
    CASES, Case, Failure, Faults, Figures, Hub, LEAST_SIZE, Load, MOST_PUBLISHERS, Process,
    Progress, Tokens,
};
use clap::Args;
use jsonwebtoken::Algorithm;

use self::ours::{Ours, Variant};
use self::table::Row;
use crate::machine::process::allow_many_connections;

#[derive(Args)]
pub(crate) struct Arguments {
    /// The URL of a running hub [default: one that is built and started here, anew for each load]
    #[arg(long)]
    url: Option<String>,

    /// Start the AWS variant: its function, built for debugging, under an emulator of Lambda, with
    /// DynamoDB Local
    #[arg(long, conflicts_with = "url")]
    aws: bool,

    /// Start the hub as a process of its own, built as for service
    #[arg(long, conflicts_with_all = ["url", "aws"])]
    native: bool,

    /// A running hub to compare with: it gets the same load, in turn, and each figure its ratio
    #[arg(long, value_name = "URL")]
    against: Option<String>,

    /// The hubs that follow the one at --url, and hold the streams; several may be given
    #[arg(long, value_name = "URL", num_args = 1.., requires = "url")]
    followers: Vec<String>,

    /// The process of the hub at --url, or of one that follows it, if it is on this machine: what it takes is measured, too
    #[arg(long, value_name = "ID", requires = "url")]
    pid: Option<u32>,

    /// The process of the hub at --against
    #[arg(long, value_name = "ID", requires = "against")]
    against_pid: Option<u32>,

    /// A load by its number, which is its row in the table of the README; several may be given
    #[arg(long, value_name = "NUMBER", num_args = 1.., conflicts_with_all = ["streams", "publishers", "rate"],
        value_parser = clap::value_parser!(u8).range(1..=CASES.len() as i64))]
    case: Vec<u8>,

    /// All loads that have a number
    #[arg(long, conflicts_with_all = ["case", "streams", "publishers", "rate"])]
    all: bool,

    /// How many streams are open [default: 100]
    #[arg(long)]
    streams: Option<usize>,

    /// How many publishers there are; each waits for its answer before it publishes again [default:
    /// 1]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=i64::from(MOST_PUBLISHERS)))]
    publishers: Option<u16>,

    /// How many updates are published a second [default: as many as are acknowledged]
    #[arg(long, value_name = "UPDATES", value_parser = rate)]
    rate: Option<f64>,

    /// How many bytes of data an update has
    #[arg(long, value_name = "BYTES", default_value_t = 64, value_parser = size)]
    size: usize,

    /// How many topics there are: the streams are spread over them, and the updates as well
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..))]
    topics: u16,

    /// Publish private updates
    #[arg(long)]
    private: bool,

    /// How many more subscribers arrive a second meanwhile, of whom each leaves after a second [default:
    /// none]
    #[arg(long, value_name = "SUBSCRIBERS", value_parser = rate)]
    arrivals: Option<f64>,

    /// How long is published; whatever is still on its way then is waited for
    #[arg(long, default_value_t = 10)]
    seconds: u64,

    /// How long is published before, without being measured
    #[arg(long, value_name = "SECONDS", default_value_t = 2)]
    warm_up: u64,

    /// The secret that publishers' tokens are signed with [default: the development key]
    // What looks like an option may be a secret, and would be shown.
    #[arg(long, allow_hyphen_values = true)]
    publisher_key: Option<String>,

    /// The secret that subscribers' tokens are signed with [default: the development key]
    #[arg(long, allow_hyphen_values = true)]
    subscriber_key: Option<String>,

    /// The generation of the protocol that is spoken
    #[arg(long, value_enum, default_value_t = Generation::V1)]
    generation: Generation,

    /// The `iss` of 1.0 tokens
    #[arg(long, default_value = DEVELOPMENT_ISSUER)]
    issuer: String,

    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    allow_many_connections();
    if arguments.url.is_none() {
        arguments.variant().build()?;
    }
    let mut rows = Vec::new();
    for load in arguments.loads() {
        let figures = arguments.measure_first(&load)?;
        let against = match &arguments.against {
            Some(url) => Some(arguments.measure(url, arguments.against_pid, &load)?),
            None => None,
        };
        rows.push(Row { load, figures, against });
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&table::json(&rows)?)?);
    } else {
        print!("{}", table::markdown(&rows));
    }
    Ok(())
}

/// A few updates to two streams of a hub that was built before: does the load itself work?
///
/// No time decides it.
pub(crate) fn check() -> Result<()> {
    let keys = [DEVELOPMENT_KEY; 2];
    let ours = Ours::start(Variant::Worker, 2, keys)?;
    let load = Load {
        streams: 2,
        publishers: 2,
        duration: Duration::from_millis(200),
        warm_up: Duration::ZERO,
        ..Load::default()
    };
    let tokens = tokens(Generation::V1, DEVELOPMENT_ISSUER, &ours.url, keys)?;
    let hub = Hub::new(&ours.url, tokens, "match")?;
    let figures = cinnabar_load::run(&load, &hub, None, &|_| {})?;
    let Figures { publications, refused, deliveries, lost, out_of_order, twice, .. } = figures;
    if publications == 0 || deliveries != 2 * publications {
        bail!("of {publications} updates to two streams, {deliveries} arrived");
    }
    if [refused, lost, out_of_order, twice] != [0; 4] || figures.warm_up != Faults::default() {
        bail!("the load finds fault with the hub: {figures:?}");
    }
    Ok(())
}

impl Arguments {
    fn loads(&self) -> Vec<Load> {
        let numbered = |case: Case| Load {
            streams: case.streams,
            publishers: case.publishers,
            rate: case.rate,
            size: self.size,
            topics: self.topics.into(),
            private: self.private,
            arrivals: self.arrivals,
            duration: Duration::from_secs(self.seconds),
            warm_up: Duration::from_secs(self.warm_up),
            ..Load::default()
        };
        if self.all {
            return CASES.map(numbered).into();
        }
        if !self.case.is_empty() {
            return self
                .case
                .iter()
                .map(|number| numbered(CASES[usize::from(number - 1)]))
                .collect();
        }
        let publishers = self.publishers.unwrap_or(1);
        vec![numbered(Case { streams: self.streams.unwrap_or(100), publishers, rate: self.rate })]
    }

    fn variant(&self) -> Variant {
        match (self.aws, self.native) {
            (true, _) => Variant::Aws,
            (_, true) => Variant::Native,
            _ => Variant::Worker,
        }
    }

    fn keys(&self) -> [&str; 2] {
        [&self.publisher_key, &self.subscriber_key]
            .map(|key| key.as_deref().unwrap_or(DEVELOPMENT_KEY))
    }

    /// Puts the load on the hub at `--url`, or on one that is started for it.
    fn measure_first(&self, load: &Load) -> Result<Figures> {
        if let Some(url) = &self.url {
            let followers: Result<_> = self.followers.iter().map(|url| self.hub(url)).collect();
            return self.measure_at(&self.hub(url)?.followed_by(followers?), url, self.pid, load);
        }
        let ours = Ours::start(self.variant(), load.streams, self.keys())?;
        self.measure(&ours.url, Some(ours.id()), load)
    }

    fn measure(&self, url: &str, pid: Option<u32>, load: &Load) -> Result<Figures> {
        self.measure_at(&self.hub(url)?, url, pid, load)
    }

    fn hub(&self, url: &str) -> Result<Hub> {
        let tokens = tokens(self.generation, &self.issuer, url, self.keys())?;
        let parameter = if self.generation == Generation::V1 { "match" } else { "topic" };
        Ok(Hub::new(url, tokens, parameter)?)
    }

    fn measure_at(&self, hub: &Hub, url: &str, pid: Option<u32>, load: &Load) -> Result<Figures> {
        let process = match pid {
            Some(pid) => Some(Process::observe(pid).with_context(|| {
                format!("what process {pid} takes cannot be measured: on Linux, is it running?")
            })?),
            None => None,
        };
        let watcher = Watcher::new(format!("{}, {url}", table::name(load)), load);
        let figures = cinnabar_load::run(load, hub, process, &|progress| watcher.tell(progress));
        watcher.end();
        let figures = match figures {
            Err(refused @ Failure::Refused { status: 401 | 403, .. }) => bail!(
                "{url}: {refused}. Give its keys with --publisher-key and --subscriber-key, and its --issuer; or --generation 0.x"
            ),
            figures => figures.with_context(|| url.to_owned())?,
        };
        let Figures { refused, lost, out_of_order, twice, .. } = figures;
        warn_of(Faults { refused, lost, out_of_order, twice }, url);
        // They are in no column of the table.
        warn_of(figures.warm_up, &format!("while it was warmed up, {url}"));
        if figures.ended > 0 {
            eprintln!("warning: {url} ended {} streams before the end", figures.ended);
        }
        if let Some(arrivals) = figures.arrivals.filter(|arrivals| arrivals.refused > 0) {
            eprintln!("warning: {url} opened no stream for {} that arrived", arrivals.refused);
        }
        if figures.reader_busy > 0.9 {
            eprintln!(
                "warning: reading took a whole processor, so that {url} may be faster than this"
            );
        }
        Ok(figures)
    }
}

fn warn_of(faults: Faults, who: &str) {
    let Faults { refused, lost, out_of_order, twice } = faults;
    if lost > 0 {
        eprintln!("warning: {who} did not deliver {lost} updates");
    }
    if out_of_order + twice > 0 {
        eprintln!(
            "warning: {who} delivered {out_of_order} updates after later ones, and {twice} twice"
        );
    }
    if refused > 0 {
        eprintln!("warning: {who} did not acknowledge {refused} publications");
    }
}

/// Tokens for every topic.
fn tokens(generation: Generation, issuer: &str, url: &str, keys: [&str; 2]) -> Result<Tokens> {
    let every = || vec!["*".to_owned()];
    let mint = |publish, subscribe, key: &str| {
        token::mint(&token::Arguments {
            publish,
            subscribe,
            payload: None,
            expires: 24 * 3600,
            key: Some(key.to_owned()),
            algorithm: Some(Algorithm::HS256),
            generation,
            issuer: Some(issuer.to_owned()),
            audience: vec![url.to_owned()],
            subject: "cargo-xtask-bench".to_owned(),
        })
    };
    let [publisher, subscriber] = keys;
    Ok(Tokens {
        publisher: mint(every(), Vec::new(), publisher)?,
        subscriber: mint(Vec::new(), every(), subscriber)?,
    })
}

/// Says on standard error how far a load has come.
struct Watcher {
    name: String,
    streams: usize,
    /// A terminal is told every second, on one line.
    is_terminal: bool,
    told: Cell<Option<std::mem::Discriminant<Progress>>>,
}

impl Watcher {
    fn new(name: String, load: &Load) -> Self {
        let is_terminal = stderr().is_terminal();
        Self { name, streams: load.streams, is_terminal, told: Cell::new(None) }
    }

    fn tell(&self, progress: Progress) {
        let kind = Some(std::mem::discriminant(&progress));
        if self.told.replace(kind) == kind && !self.is_terminal {
            return;
        }
        let what = match progress {
            Progress::Opening(open) => format!("{open} of {} streams are open", self.streams),
            Progress::WarmingUp(published, delivered) => {
                format!("warming up: {published} published, {delivered} delivered")
            }
            Progress::Measuring(published, delivered) => {
                format!("measuring: {published} published, {delivered} delivered")
            }
        };
        let (begin, end) = if self.is_terminal { ("\r\x1b[K", "") } else { ("", "\n") };
        eprint!("{begin}{}: {what}{end}", self.name);
        // It is only to be seen.
        let _ = stderr().flush();
    }

    fn end(&self) {
        if self.is_terminal {
            eprint!("\r\x1b[K");
        }
    }
}

fn rate(text: &str) -> Result<f64, String> {
    let rate = text.parse().ok().filter(|rate: &f64| rate.is_finite() && *rate > 0.0);
    rate.ok_or_else(|| "give a number above 0".to_owned())
}

fn size(text: &str) -> Result<usize, String> {
    let size = text.parse().ok().filter(|size| *size >= LEAST_SIZE);
    size.ok_or_else(|| format!("give {LEAST_SIZE} or more, since an update says when it was sent"))
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[derive(clap::Parser)]
    struct Program {
        #[command(flatten)]
        arguments: Arguments,
    }

    fn loads(options: &str) -> Option<Vec<Load>> {
        let words = std::iter::once("bench").chain(options.split_whitespace());
        Some(Program::try_parse_from(words).ok()?.arguments.loads())
    }

    #[test]
    fn loads_are_those_that_were_asked_for() {
        let names =
            |options| -> Vec<String> { loads(options).unwrap().iter().map(table::name).collect() };
        assert_eq!(names(""), ["100 streams, 1 publisher"]);
        assert_eq!(names("--all").len(), CASES.len());
        assert_eq!(
            names("--case 2 5 --private"),
            ["100 streams, 8 publishers, private", "1,000 streams, 100 updates/s, private"]
        );
        assert_eq!(
            names("--streams 3 --arrivals 1000"),
            ["3 streams, 1 publisher, 1,000 arrivals/s"]
        );
        assert_eq!(names("--streams 3 --rate 2 --topics 3"), ["3 streams, 3 topics, 2 updates/s"]);
        for options in [
            "--case 0",
            "--case 8",
            "--case 1 --streams 2",
            "--size 3",
            "--rate 0",
            "--rate NaN",
            "--arrivals 0",
            "--publishers 0",
            "--topics 0",
            "--pid 1",
            "--followers http://localhost/hub",
            "--against-pid 1",
            "--aws --url http://localhost/hub",
        ] {
            assert_eq!(loads(options), None, "{options}");
        }
    }

    #[test]
    fn keys_are_those_that_were_given() {
        let parsed = Program::try_parse_from(["bench", "--publisher-key", "-p", "--url", "u"]);
        assert_eq!(parsed.ok().unwrap().arguments.keys(), ["-p", DEVELOPMENT_KEY]);
    }
}
