//! A topic in the form that URL patterns are matched against.

use url::Url;

use crate::terms::hub_url::HubUrl;

/// The components of a URL that a pattern has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Pathname,
    Hostname,
    Protocol,
    Port,
    Search,
    Hash,
    Username,
    Password,
}

/// A topic, resolved against the hub's URL: once per update, however many patterns there are.
#[derive(Clone, Debug)]
pub(crate) struct ParsedTopic {
    url: Url,
    port: String,
}

impl ParsedTopic {
    /// Resolves a topic; `None` if it does not parse as a URL reference, and so no pattern matches
    /// it.
    pub(crate) fn new(topic: &str, hub: &HubUrl) -> Option<Self> {
        let url = hub.resolve(topic)?;
        let port = url.port().map(|port| port.to_string()).unwrap_or_default();
        Some(Self { url, port })
    }

    /// What [`FixedParts`] are compared with: scheme, hostname, the segments of the path.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        let path = self.part(Part::Pathname).split('/');
        [self.part(Part::Protocol), self.part(Part::Hostname)].into_iter().chain(path)
    }

    pub(super) fn part(&self, part: Part) -> &str {
        match part {
            Part::Pathname => self.url.path(),
            Part::Hostname => self.url.host_str().unwrap_or_default(),
            Part::Protocol => self.url.scheme(),
            Part::Port => &self.port,
            Part::Search => self.url.query().unwrap_or_default(),
            Part::Hash => self.url.fragment().unwrap_or_default(),
            Part::Username => self.url.username(),
            Part::Password => self.url.password().unwrap_or_default(),
        }
    }
}
