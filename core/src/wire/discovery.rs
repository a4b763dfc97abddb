//! How clients find the hub (draft-08, "Discovery").

use std::fmt;

use http::HeaderValue;
use serde::{Deserialize, Serialize};

use crate::terms::generation::Generation;
use crate::terms::hub_url::{HubUrl, METADATA_PATH};

/// The link to the hub, by its authoritative URL: a client that came by an alias, or by an address
/// of the platform's, learns it here. (RFC 8288 puts the target between angle brackets, which a
/// URL cannot hold.)
pub(crate) fn link(hub: &HubUrl) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("<{hub}>; rel=\"mercure\"")).ok()
}

/// Where the hub says what it accepts as a protected resource (RFC 9728).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct MetadataUrl(String);

impl MetadataUrl {
    /// The metadata of the hub at this origin and path. RFC 9728, section 3.1: the well-known path
    /// stands between the two.
    pub(crate) fn of(origin: &str, path: &str) -> Self {
        Self(format!("{origin}{METADATA_PATH}{path}"))
    }
}

impl fmt::Display for MetadataUrl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The link of the subscription API: to the hub, with the cursor from which subscription events
/// follow, and what those are (draft-08, "Subscription API").
pub(crate) fn subscriptions(
    hub: &HubUrl,
    cursor: &str,
    generation: Generation,
) -> Option<HeaderValue> {
    // RFC 9110, section 5.6.4: a quoted string.
    let cursor = cursor.replace('\\', "\\\\").replace('"', "\\\"");
    let events = match generation {
        Generation::V0 => "",
        Generation::V1 => "; type=\"mercure\"; content-type=\"application/json\"",
    };
    let link = format!("<{hub}>; rel=\"mercure\"; last-event-id=\"{cursor}\"{events}");
    // As bytes: an id may hold characters that are not ASCII.
    HeaderValue::from_bytes(link.as_bytes()).ok()
}

/// The link from a page of a collection, at this path, to the next one.
pub(crate) fn next(hub: &HubUrl, path: &str, after: &str) -> Option<HeaderValue> {
    let origin = hub.origin();
    HeaderValue::from_str(&format!("<{origin}{path}?after={after}>; rel=\"next\"")).ok()
}
