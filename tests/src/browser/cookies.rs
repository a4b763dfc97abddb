//! `EventSource` across origins, with cookies (draft-08, "Cookie").

use super::hosts::{USERS, shared, target};
use super::page::Subscriber;
use super::process::Browser;
use super::site::Report;

use crate::case::Suite;
use crate::form;
use crate::hub::{Hub, fresh};
use crate::token::Generation;

/// The cookie that Symfony and others set for hubs of each generation.
pub(super) fn set_cookie(hub: &Hub, generation: Generation, token: &str) -> String {
    let name = match generation {
        Generation::V0 => "mercureAuthorization",
        Generation::V1 => "__Secure-mercure_access_token",
    };
    format!("{name}={token}; Path={}; Secure; HttpOnly; SameSite=Strict", hub.path())
}

fn subscriber(hub: &Hub, host: &str, topic: &str, cookies: Vec<String>) -> Subscriber {
    let query = form::pairs(&[("match", topic)]);
    Subscriber {
        hub: target(hub, host, hub.endpoint.port, &query),
        credentials: true,
        cookies,
        ..Subscriber::default()
    }
}

pub(super) fn a_cookie_of_either_generation_reaches_the_hub_across_origins(
    suite: &Suite,
    browser: &Browser,
) {
    let hub = shared(suite, browser);
    for (generation, host) in Generation::BOTH.into_iter().zip([USERS[0], USERS[1]]) {
        let topic = fresh("cookie");
        let token = hub.subscriber(generation, &[&topic]);
        let cookie = set_cookie(&hub, generation, &token);
        let page = browser.visit(host, &subscriber(&hub, host, &topic, vec![cookie]));
        assert_eq!(page.next(), Report::Open, "{generation:?}");
        let fields = [("topic", topic.as_str()), ("data", "for you"), ("private", "on")];
        let id = hub.publish(&fields);
        assert_eq!(page.message(), (id, "for you".to_owned()), "{generation:?}");
    }
}

// draft-08, "Subscription": an explicit allowlist of trusted origins
pub(super) fn a_page_of_an_origin_that_is_not_listed_reads_nothing(
    suite: &Suite,
    browser: &Browser,
) {
    let hub = shared(suite, browser);
    let topic = fresh("unlisted");
    let host = "mallory.localhost";
    let page = browser.visit(host, &subscriber(&hub, host, &topic, Vec::new()));
    assert_eq!(page.next(), Report::Error { r#final: true });
}

pub(super) fn a_private_update_reaches_the_page_whose_cookie_grants_it_alone(
    suite: &Suite,
    browser: &Browser,
) {
    let hub = shared(suite, browser);
    let topic = fresh("private");
    let grants = [(USERS[2], topic.clone()), (USERS[3], fresh("other"))];
    let [granted, other] = grants.map(|(host, grant)| {
        let token = hub.subscriber(Generation::V1, &[&grant]);
        let cookie = set_cookie(&hub, Generation::V1, &token);
        let page = browser.visit(host, &subscriber(&hub, host, &topic, vec![cookie]));
        assert_eq!(page.next(), Report::Open, "{host}");
        page
    });
    let private = hub.publish(&[("topic", &topic), ("data", "private"), ("private", "on")]);
    let public = hub.publish(&[("topic", &topic), ("data", "public")]);
    assert_eq!(granted.message(), (private, "private".to_owned()));
    assert_eq!(granted.message(), (public.clone(), "public".to_owned()));
    // The update published after it has arrived, so the private one never will.
    assert_eq!(other.message(), (public, "public".to_owned()));
}
