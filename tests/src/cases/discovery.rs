//! How clients find the hub: its link, and its other paths.

use crate::case::{Case, case};
use crate::hub::{Hub, fresh};

/// The configuration of some cases.
const ALIASES: &[(&str, &str)] = &[("HUB_ALIASES", "/hub /mercure")];

pub(crate) const CASES: &[Case] = &[
    case!(a_stream_links_to_the_hub),
    case!(an_alias_is_the_hub on ALIASES),
    case!(without_an_alias_there_is_no_hub),
];

// draft-08, "Hub Discovery"
fn a_stream_links_to_the_hub(hub: &Hub) {
    let link = format!("<{}>; rel=\"mercure\"", hub.url());
    let stream = hub.subscribe(&fresh("a"));
    assert_eq!(stream.header("Link"), Some(link.clone()));
    let target = format!("{}?match=a", hub.path());
    hub.request("HEAD", target).send().expect_status(200).expect_header("Link", &link);
}

fn an_alias_is_the_hub(hub: &Hub) {
    for path in ["/hub", "/mercure", "/hub/", "//hub"] {
        let topic = fresh("a");
        let mut stream = hub
            .request("GET", format!("{path}?topic={topic}"))
            .header("Accept", "text/event-stream")
            .open();
        // The link names the authoritative URL.
        assert_eq!(stream.header("Link"), Some(format!("<{}>; rel=\"mercure\"", hub.url())));
        let publication = hub.request("POST", path).bearer(&hub.anyone());
        publication.body(format!("topic={topic}&data={path}")).send().expect_status(200);
        stream.expect_data(path);
    }
}

fn without_an_alias_there_is_no_hub(hub: &Hub) {
    hub.request("GET", "/hub?topic=a").send().expect_no_challenge(404);
    hub.request("POST", "/hub")
        .bearer(&hub.anyone())
        .body("topic=a")
        .send()
        .expect_no_challenge(404);
}
