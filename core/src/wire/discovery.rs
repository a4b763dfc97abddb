//! How clients find the hub (draft-08, "Discovery").

use http::HeaderValue;

use crate::terms::hub_url::HubUrl;

/// The link to the hub, by its authoritative URL: a client that came by an alias, or by an address
/// of the platform's, learns it here. (RFC 8288 puts the target between angle brackets, which a
/// URL cannot hold.)
pub(crate) fn link(hub: &HubUrl) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("<{hub}>; rel=\"mercure\"")).ok()
}
