//! Where the suite's hubs come from.
//!
//! A hub is either already running, or started by the suite as a child process. Cases that need the
//! same configuration share a hub; a case that kills its hub starts its own.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock};

use crate::arguments::Arguments;
use crate::children::lock;
use crate::http::Endpoint;
use crate::hub::{Hub, Keys};
use crate::port::Port;
use crate::process::Process;

/// Configuration variables, in addition to the suite's own ([`environment`]).
pub(crate) type Variables = &'static [(&'static str, &'static str)];

/// A shared hub, or why it could not be started; empty until somebody asks for it.
type Slot = OnceLock<Result<Arc<Hub>, String>>;

/// Which command line starts a hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `--launch`
    Own,
    /// `--launch-beside`
    Other,
}

/// The hub that is already running, or those that have been started.
pub(crate) struct Hubs {
    arguments: Arguments,
    running: Option<Arc<Hub>>,
    shared: Mutex<BTreeMap<Variables, Arc<Slot>>>,
}

impl Hubs {
    pub(crate) fn new(arguments: &Arguments) -> Result<Self, String> {
        let running = match &arguments.url {
            Some(url) => {
                let endpoint = Endpoint::parse(url, arguments)?;
                let keys = keys(arguments, url);
                Some(Arc::new(Hub::new(endpoint, keys, arguments, None)))
            }
            None => None,
        };
        Ok(Self { arguments: arguments.clone(), running, shared: Mutex::default() })
    }

    pub(crate) fn can_launch(&self) -> bool {
        self.arguments.launch.is_some()
    }

    /// The hub with this configuration, started on first use; `None` if the suite runs against a
    /// hub whose configuration it cannot choose.
    pub(crate) fn shared(&self, variables: Variables) -> Option<Arc<Hub>> {
        if let Some(running) = &self.running {
            return variables.is_empty().then(|| Arc::clone(running));
        }
        let slot = Arc::clone(lock(&self.shared).entry(variables).or_default());
        match slot.get_or_init(|| self.launch(Kind::Own, variables).map(Arc::new)) {
            Ok(hub) => Some(Arc::clone(hub)),
            Err(reason) => panic!("{reason}"),
        }
    }

    /// Starts a hub with this configuration.
    pub(crate) fn launch(&self, kind: Kind, variables: &[(&str, &str)]) -> Result<Hub, String> {
        let command = match kind {
            Kind::Own => &self.arguments.launch,
            Kind::Other => &self.arguments.launch_beside,
        };
        let command = command.as_deref().ok_or("no command to launch a hub with")?;
        // No suite takes the port from another, but any other program may.
        let mut attempts = 3;
        loop {
            let port = Port::take()?;
            let url = format!("http://localhost:{}/.well-known/mercure", port.number());
            let endpoint = Endpoint::parse(&url, &self.arguments)?;
            let keys = keys(&self.arguments, &url);
            let process = Process::new(command, environment(&keys, &url, variables), port);
            attempts -= 1;
            match process.start() {
                Ok(()) => return Ok(Hub::new(endpoint, keys, &self.arguments, Some(process))),
                Err(reason) if attempts == 0 => return Err(reason),
                Err(_) => {}
            }
        }
    }
}

fn keys(arguments: &Arguments, url: &str) -> Keys {
    Keys {
        publisher: arguments.publisher_key.clone(),
        subscriber: arguments.subscriber_key.clone(),
        issuer: arguments.issuer.clone(),
        audience: arguments.audience.clone().unwrap_or_else(|| url.to_owned()),
    }
}

/// The configuration of a hub: what all cases rely on, overridden by what this hub is for. An empty
/// value removes one of the suite's own variables.
fn environment(keys: &Keys, url: &str, variables: &[(&str, &str)]) -> BTreeMap<String, String> {
    let base = [
        ("HUB_URL", url),
        ("MERCURE_PUBLISHER_JWT_KEY", &keys.publisher),
        ("MERCURE_SUBSCRIBER_JWT_KEY", &keys.subscriber),
        ("MERCURE_TRUSTED_ISSUERS", &keys.issuer),
        ("ANONYMOUS", "1"),
    ];
    base.into_iter()
        .chain(variables.iter().copied())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
