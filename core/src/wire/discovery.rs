//! How clients find the hub (draft-08, "Discovery").

use http::HeaderValue;

use crate::terms::hub_url::HubUrl;

/// The link to the hub, by the URL that is authoritative: a client that came by an alias, or by
/// the address of a platform, learns it. (RFC 8288 wants the target between angle brackets, which
/// a URL cannot hold.)
pub(crate) fn link(hub: &HubUrl) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("<{hub}>; rel=\"mercure\"")).ok()
}
