//! `bench`: a load that anybody can repeat, against any hub.
//!
//! | to find | look in |
//! |---|---|
//! | the load itself, and what is measured | the crate `cinnabar-load` |
//! | what can be asked of a load, and files of loads | [`scenario`] |
//! | a hub of our own to put it on | [`ours`] |
//! | what is told meanwhile | [`watching`] |
//! | how figures of two hubs are compared and shown | [`table`] |

mod ours;
mod scenario;
mod table;
mod watching;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use cinnabar_kit::development::{DEVELOPMENT_ISSUER, DEVELOPMENT_KEY};
use cinnabar_kit::token::{self, Generation};
use cinnabar_load::{CASES, Failure, Faults, Figures, Hub, Load, Process, Tokens};
use clap::Args;
use jsonwebtoken::Algorithm;

use self::ours::{Ours, Variant};
use self::scenario::Asked;
use self::table::Row;
use self::watching::Watcher;
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

    /// The loads in this file, such as load/scenario.toml
    #[arg(long, value_name = "FILE", conflicts_with_all = ["case", "all", "asked"])]
    scenario: Option<PathBuf>,

    #[command(flatten)]
    asked: Asked,

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
    let loads = arguments.loads()?;
    if arguments.url.is_none() {
        arguments.variant().build()?;
    }
    let mut rows = Vec::new();
    for load in loads {
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
    fn loads(&self) -> Result<Vec<Load>> {
        if let Some(file) = &self.scenario {
            return scenario::read(file);
        }
        if self.all {
            return CASES.into_iter().map(|case| self.asked.of_case(case)).collect();
        }
        if !self.case.is_empty() {
            let case = |number: &u8| CASES[usize::from(number - 1)];
            return self.case.iter().map(|number| self.asked.of_case(case(number))).collect();
        }
        Ok(vec![self.asked.load()?])
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
        watching::warn(&figures, url);
        Ok(figures)
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
        Program::try_parse_from(words).ok()?.arguments.loads().ok()
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
            "--scenario load/scenario.toml --case 1",
            "--scenario load/scenario.toml --seconds 1",
            "--scenario load/scenario.toml --private",
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
