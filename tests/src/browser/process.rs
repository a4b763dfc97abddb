//! A real browser, headless, without a driver.
//!
//! It starts slowly, so one process of each kind serves all cases. The first case that needs it
//! starts it, under a shell that ends it when this program ends, however that happens.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::Value;

use super::lens::Lens;
use super::page::{Page, Subscriber};
use super::site::Site;
use super::watched::Watched;
use crate::children;

/// How long a browser may take to start on a busy machine.
const START: Duration = Duration::from_secs(90);

/// Runs a browser until standard input is closed, as it is when this program ends, or a signal
/// comes; then ends the browser and removes its profile.
const UNTIL_CLOSED: &str = r#"
trap : HUP INT TERM
profile=$1; shift
"$@" </dev/null & browser=$!
read -r _
kill $browser
wait $browser
rm -rf "$profile"
"#;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Chromium,
    Firefox,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Chromium => "chromium",
            Self::Firefox => "firefox",
        }
    }

    fn programs(self) -> &'static [&'static str] {
        match self {
            Self::Chromium => &["chromium", "chromium-browser", "google-chrome"],
            Self::Firefox => &["firefox-esr", "firefox"],
        }
    }

    fn how_to_install(self) -> &'static str {
        match self {
            Self::Chromium => "apt-get install chromium",
            Self::Firefox => "apt-get install firefox-esr",
        }
    }

    fn find(self) -> Result<PathBuf, String> {
        let folders = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&folders)
            .flat_map(|folder| self.programs().iter().map(move |program| folder.join(program)))
            .find(|program| program.is_file())
            .ok_or_else(|| {
                let (name, command) = (self.name(), self.how_to_install());
                format!("no {name} on PATH: install it, for instance with `{command}`")
            })
    }

    fn options(self, profile: &Path) -> io::Result<Vec<OsString>> {
        let mut options: Vec<OsString>;
        match self {
            Self::Chromium => {
                options = CHROMIUM_OPTIONS.iter().map(OsString::from).collect();
                options.push(format!("--user-data-dir={}", profile.display()).into());
            }
            Self::Firefox => {
                fs::write(profile.join("user.js"), FIREFOX_PREFERENCES)?;
                options = ["--headless", "--no-remote", "--profile"].map(OsString::from).into();
                options.push(profile.into());
            }
        }
        Ok(options)
    }
}

const CHROMIUM_OPTIONS: [&str; 9] = [
    "--headless",
    // Root, as in CI, cannot run it otherwise, and all its pages are this suite's own.
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // The control page opens tabs without a user's click.
    "--disable-popup-blocking",
];

/// Tabs without a user's click, and no traffic of its own.
const FIREFOX_PREFERENCES: &str = r#"
user_pref("dom.disable_open_during_load", false);
user_pref("browser.shell.checkDefaultBrowser", false);
user_pref("datareporting.policy.dataSubmissionEnabled", false);
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
"#;

/// A browser that is started on first use.
pub(super) struct LazyBrowser {
    kind: Kind,
    started: OnceLock<Result<Browser, String>>,
}

impl LazyBrowser {
    pub(super) const fn new(kind: Kind) -> Self {
        Self { kind, started: OnceLock::new() }
    }

    /// The browser. If it is missing, every case that needs it fails.
    #[track_caller]
    pub(super) fn get(&self) -> &Browser {
        match self.started.get_or_init(|| Browser::start(self.kind)) {
            Ok(browser) => browser,
            Err(reason) => panic!("{reason}"),
        }
    }
}

pub(super) struct Browser {
    site: Site,
    /// Its standard input is open for as long as this program runs.
    _shell: Child,
}

impl Browser {
    fn start(kind: Kind) -> Result<Self, String> {
        let program = kind.find()?;
        let site = Site::start().map_err(|error| format!("no site for the pages: {error}"))?;
        let profile = children::folder().join(kind.name());
        let log = profile.join("log");
        let spawn = || -> io::Result<Child> {
            fs::create_dir_all(&profile)?;
            Command::new("sh")
                .args(["-c", UNTIL_CLOSED, "sh"])
                .arg(&profile)
                .arg(&program)
                .args(kind.options(&profile)?)
                .arg(format!("{}/control", site.origin("localhost")))
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(File::create(&log)?)
                .spawn()
        };
        let shell =
            spawn().map_err(|error| format!("cannot run {}: {error}", program.display()))?;
        if site.wait_for_control(START) {
            return Ok(Self { site, _shell: shell });
        }
        let said = fs::read_to_string(log).unwrap_or_default();
        Err(format!("{} shows no page after {START:?}; it says: {said}", program.display()))
    }

    /// The origin of a page that is fetched from this loopback name.
    pub(super) fn origin(&self, host: &str) -> String {
        self.site.origin(host)
    }

    /// A lens in front of an example's server, at this port, whose pages report here.
    pub(super) fn lens(&self, server: u16) -> io::Result<Lens> {
        Lens::start(server, self.site.port())
    }

    /// Opens a page of an example, seen through its lens.
    pub(super) fn watch(&self, url: &str) -> Watched<'_> {
        Watched::open(&self.site, url)
    }

    /// Opens a page, by this name of the front's at this port, that does these steps in another one.
    pub(super) fn drive(&self, host: &str, front_port: u16, page: &str, steps: &Value) -> Page<'_> {
        Page::drive(&self.site, &format!("http://{host}:{front_port}"), page, steps)
    }

    /// Opens a page in a tab of its own; the name of its host decides which cookies it shares.
    pub(super) fn visit(&self, host: &str, subscriber: &Subscriber) -> Page<'_> {
        Page::open(&self.site, host, subscriber)
    }
}
