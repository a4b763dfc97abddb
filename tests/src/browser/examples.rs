//! The examples for users that end in a page, each from its own server, in a real browser.

use std::sync::Arc;

use super::lens::Lens;
use super::process::Browser;
use super::watched::Watched;
use crate::case::Suite;
use crate::examples::{Example, SECRET, with_one_secret};
use crate::form;
use crate::http::{Endpoint, Request};
use crate::hub::Hub;
use crate::port::Port;
use crate::token::{header_v0, sign};

/// The server of an example, and where its pages are.
struct App {
    port: Port,
    lens: Lens,
    host: &'static str,
}

impl App {
    /// An application at this loopback name. A browser keeps cookies by name, so no two examples share one.
    fn new(browser: &Browser, host: &'static str) -> Self {
        let port = Port::take().expect("a port");
        let lens = browser.lens(port.number()).expect("a port for the lens");
        Self { port, lens, host }
    }

    fn origin(&self) -> String {
        self.lens.origin(self.host)
    }

    /// Starts it, for pages that reach the hub at the application's own name.
    #[track_caller]
    fn start(&self, hub: &Hub, script: &str) -> Example {
        let port = self.port.number().to_string();
        let public = format!("http://{}:{}{}", self.host, hub.endpoint.port, hub.path());
        let variables = [("PORT", port.as_str()), ("MERCURE_PUBLIC_URL", &public)];
        let mut example = Example::start_with(hub, script, &[], &variables);
        // It says where it listens.
        example.wait_for("http://");
        example
    }

    fn open<'a>(&self, browser: &'a Browser, target: &str) -> Watched<'a> {
        browser.watch(&format!("{}{target}", self.origin()))
    }

    /// Posts this to it, and returns what it answers.
    #[track_caller]
    fn post(&self, path: &str, body: &str) -> String {
        let server = Arc::new(Endpoint::local(self.port.number()));
        let response = Request::new(server, "POST", path.to_owned()).body(body).send();
        assert!(response.status < 300, "{path}: {response}");
        response.text()
    }
}

/// A hub for pages of these applications.
#[track_caller]
fn hub_for(suite: &Suite, apps: &[&App], variables: &[(&str, &str)]) -> Hub {
    let origins = apps.iter().map(|app| app.origin()).collect::<Vec<_>>().join(" ");
    with_one_secret(suite, &[&[("CORS_ORIGINS", origins.as_str())], variables].concat())
}

pub(super) fn pages_subscribe(suite: &Suite, browser: &Browser) {
    let app = App::new(browser, "inbox.localhost");
    let hub = hub_for(suite, &[&app], &[]);
    let _app = app.start(&hub, "examples/subscribe/serve.mjs");
    let [page, topics, private] =
        ["/page.html", "/topics.html", "/private.html"].map(|path| app.open(browser, path));
    let publish = |topic: &str, data: &str, more: &[(&str, &str)]| {
        hub.publish(&[&[("topic", topic), ("data", data)], more].concat())
    };
    // A page says nothing when it has subscribed: what is published again and again arrives once it has.
    page.until_shown("Piranesi", || {
        publish("https://example.com/books/1", r#"{"title":"Piranesi"}"#, &[]);
    });
    topics.until_shown("weather: rain", || {
        publish("https://example.com/weather", "rain", &[("type", "weather")]);
    });
    publish("https://example.com/books/2", "two", &[]);
    publish("https://example.com/news", "new", &[]);
    topics.wait_for(&["update: two", "update: new"]);
    private.until_shown("for 42", || {
        publish("https://example.com/users/42/inbox", "for 42", &[("private", "on")]);
    });
}

pub(super) fn an_application_moves_to_1_0(suite: &Suite, browser: &Browser) {
    let [before, after] =
        ["shop0.localhost", "shop1.localhost"].map(|host| App::new(browser, host));
    let hub = hub_for(suite, &[&before, &after], &[]);
    let _before = before.start(&hub, "examples/migration/before.mjs");
    let _after = after.start(&hub, "examples/migration/after.mjs");
    let pages = [before.open(browser, "/"), after.open(browser, "/")];
    // Each page hears of its own application, and of the other's.
    for (app, order) in [(&before, "7"), (&after, "8")] {
        for page in &pages {
            page.until_shown(&format!("order {order} is on its way"), || {
                app.post(&format!("/{order}"), "");
            });
        }
    }
}

pub(super) fn a_page_decrypts_what_the_hub_cannot_read(suite: &Suite, browser: &Browser) {
    let app = App::new(browser, "secret.localhost");
    let hub = hub_for(suite, &[&app], &[]);
    let mut stream = hub.subscribe("https://example.com/secrets");
    let _app = app.start(&hub, "examples/encryption/app.mjs");
    let page = app.open(browser, "/");
    page.until_shown("for your eyes", || {
        app.post("/", "for your eyes");
    });
    let seen = stream.event().data;
    // A compact JWE: five parts, none of which is the message.
    assert_eq!(seen.split('.').count(), 5, "{seen}");
    assert!(!seen.contains("for your eyes"), "{seen}");

    // Whoever has a ciphertext can publish it again.
    let id = app.post("/", "only once");
    let again = loop {
        let event = stream.event();
        if event.id == id {
            break event.data;
        }
    };
    hub.publish(&[("topic", "https://example.com/secrets"), ("data", &again)]);
    app.post("/", "the end");
    page.wait_for(&["the end"]);
    assert_eq!(page.count("only once"), 1);
}

pub(super) fn an_answer_outlives_the_page_that_asked(suite: &Suite, browser: &Browser) {
    let app = App::new(browser, "model.localhost");
    let hub = hub_for(suite, &[&app], &[]);
    let _app = app.start(&hub, "examples/llm/app.mjs");
    let id = app.post("/ask", "What for?");
    let whole = "You asked: What for? Let me think. A hub keeps what was said, so a page that comes late reads \
        it from the beginning, and goes on.";
    // One that is reloaded in the middle, and a second tab.
    let first = app.open(browser, &format!("/?reload=Let%20me#{id}"));
    let second = app.open(browser, &format!("/#{id}"));
    for page in [&first, &second] {
        page.wait_for(&[whole, "That is all."]);
    }
    assert!(first.was_reloaded());
    // And one that comes when all is said.
    app.open(browser, &format!("/#{id}")).wait_for(&[whole, "That is all."]);
}

pub(super) fn a_chat_shows_who_is_here(suite: &Suite, browser: &Browser) {
    let [ann, ben] =
        ["chat-ann.localhost", "chat-ben.localhost"].map(|host| App::new(browser, host));
    let hub = hub_for(suite, &[&ann, &ben], &[("SUBSCRIPTIONS", "1"), ("HEARTBEAT", "500ms")]);
    // One application at two names, since a browser has one cookie a name.
    let _servers = [&ann, &ben].map(|app| app.start(&hub, "examples/chat/app.mjs"));
    let say = form::encode("Hello, all.");
    let anns = ann.open(browser, &format!("/?name=Ann&when=Ben&say={say}"));
    anns.wait_for(&["Here: Ann"]);
    let bens = ben.open(browser, "/?name=Ben");
    bens.wait_for(&["Here: Ann, Ben"]);
    for page in [&anns, &bens] {
        page.wait_for(&["Here: Ann, Ben", "Ann: Hello, all."]);
    }
    // A stranger hears nothing of it.
    let token = sign(&header_v0(), &serde_json::json!({"mercure": {"subscribe": []}}), SECRET);
    let list = format!("{}/subscriptions", hub.path());
    hub.request("GET", list)
        .bearer(&token)
        .send()
        .expect_challenge(403, Some("insufficient_scope"));
}
