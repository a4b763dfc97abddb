//! A page that loses its connection before it has received anything.
//!
//! An `EventSource` that has received no event has no last event ID; only the hub's position event
//! gives it one. Without that, each of these pages would silently lose an update.

use super::gate::Gate;
use super::hosts::{self, USERS, target, variables};
use super::page::{Page, Subscriber};
use super::process::Browser;
use super::site::Report;

use crate::case::Suite;
use crate::form;
use crate::hub::{Hub, fresh};

/// Opens a page on a quiet topic, and waits until it is subscribed.
#[track_caller]
fn quiet_page<'a>(browser: &'a Browser, hub: &Hub, port: u16, topic: &str) -> Page<'a> {
    let query = form::pairs(&[("match", topic)]);
    let subscriber =
        Subscriber { hub: target(hub, USERS[4], port, &query), ..Subscriber::default() };
    let page = browser.visit(USERS[4], &subscriber);
    assert_eq!(page.next(), Report::Open);
    page
}

/// The page's connection is reset, and an update published before the page can come back.
#[track_caller]
fn misses_nothing_when_reset(page: &Page<'_>, gate: &Gate, hub: &Hub, topic: &str) {
    gate.shut();
    gate.cut().unwrap();
    assert_eq!(page.next(), Report::Error { r#final: false });
    let id = hub.publish(&[("topic", topic), ("data", "meanwhile")]);
    gate.open();
    assert_eq!(page.message(), (id, "meanwhile".to_owned()));
}

pub(super) fn a_quiet_page_misses_nothing_when_its_stream_ends(suite: &Suite, browser: &Browser) {
    let hub = suite.launch(variables(browser, &[("STREAM_LIFETIME", "2s")]));
    let gate = Gate::start(hub.endpoint.port).unwrap();
    let topic = fresh("ended");
    let page = quiet_page(browser, &hub, gate.port(), &topic);
    // It cannot come back before the update is published.
    gate.shut();
    assert_eq!(page.next(), Report::Error { r#final: false });
    let id = hub.publish(&[("topic", &topic), ("data", "meanwhile")]);
    gate.open();
    assert_eq!(page.message(), (id, "meanwhile".to_owned()));
}

pub(super) fn a_quiet_page_misses_nothing_when_its_connection_is_reset(
    suite: &Suite,
    browser: &Browser,
) {
    let hub = hosts::shared(suite, browser);
    let gate = Gate::start(hub.endpoint.port).unwrap();
    let topic = fresh("reset");
    let page = quiet_page(browser, &hub, gate.port(), &topic);
    misses_nothing_when_reset(&page, &gate, &hub, &topic);
}

/// Told no position, it resumes from the id of the last update, which is behind the data.
pub(super) fn a_page_resumes_from_the_last_update_that_it_got(suite: &Suite, browser: &Browser) {
    let hub = suite.launch(variables(browser, &[("NATIVE_READERS", "never")]));
    let gate = Gate::start(hub.endpoint.port).unwrap();
    let topic = fresh("resumed");
    let page = quiet_page(browser, &hub, gate.port(), &topic);
    for data in ["first", "second"] {
        let id = hub.publish(&[("topic", &topic), ("data", data)]);
        assert_eq!(page.message(), (id, data.to_owned()));
    }
    misses_nothing_when_reset(&page, &gate, &hub, &topic);
}

pub(super) fn a_page_recovers_from_the_death_of_the_hub(suite: &Suite, browser: &Browser) {
    let hub = suite.launch(variables(browser, &[]));
    let topic = fresh("killed");
    let page = quiet_page(browser, &hub, hub.endpoint.port, &topic);
    hub.kill();
    assert_eq!(page.next(), Report::Error { r#final: false });
    hub.restart();
    for data in ["right after the start", "and then"] {
        let id = hub.publish(&[("topic", &topic), ("data", data)]);
        assert_eq!(page.message(), (id, data.to_owned()));
    }
}

/// Polling mode: a stream delivers what there is, and ends.
pub(super) fn a_page_that_polls_sees_every_update_in_order(suite: &Suite, browser: &Browser) {
    let hub = suite.launch(variables(browser, &[("STREAM_LIFETIME", "0")]));
    let topic = fresh("polled");
    let page = quiet_page(browser, &hub, hub.endpoint.port, &topic);
    for round in ["first", "second"] {
        // Its stream has ended, with nothing left to deliver.
        assert_eq!(page.next(), Report::Error { r#final: false });
        let published = [1, 2, 3].map(|number| {
            let data = format!("{number} of the {round} round");
            (hub.publish(&[("topic", &topic), ("data", &data)]), data)
        });
        for update in published {
            assert_eq!(page.message(), update);
        }
    }
}
