//! The answers that publishers get over HTTP, whatever happens to the log.

use cinnabar_aws::answer::Answer;
use cinnabar_aws::deployment::PLATFORM;
use cinnabar_aws::event::Event;
use cinnabar_aws::hub::Hub;
use cinnabar_aws::log::Log;
use cinnabar_core::{Config, IdOrigin, Timestamp};
use jsonwebtoken::{EncodingKey, Header};
use serde_json::json;

use crate::clock::TestClock;
use crate::local::{Table, update};
use crate::proxy::{Fate, Proxy};

const KEY: &str = "a publisher's key of thirty-two bytes";

fn hub(log: Log) -> Hub {
    // This fails only if a provider is installed already.
    let _ = jsonwebtoken::crypto::aws_lc::DEFAULT_PROVIDER.install_default();
    let variables = [("MERCURE_PUBLISHER_JWT_KEY", KEY), ("ANONYMOUS", "1")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    Hub::new(Config::read(&PLATFORM, variables).unwrap(), log)
}

async fn publish(hub: &Hub, fields: &str) -> Answer {
    let claims = json!({"mercure": {"publish": ["*"]}});
    let key = EncodingKey::from_secret(KEY.as_bytes());
    let token = jsonwebtoken::encode(&Header::default(), &claims, &key).unwrap();
    let event: Event = serde_json::from_value(json!({
        "rawPath": "/.well-known/mercure",
        "headers": {
            "authorization": format!("Bearer {token}"),
            "content-type": "application/x-www-form-urlencoded",
        },
        "requestContext": {"domainName": "hub.example", "http": {"method": "POST"}},
        "body": fields,
    }))
    .unwrap();
    hub.respond(event, Timestamp::default()).await.unwrap()
}

fn status(answer: &Answer) -> u16 {
    answer.metadata_prelude.status_code.as_u16()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_table_holds_is_accepted_and_what_it_cannot_hold_is_not() {
    let table = Table::create().await;
    let hub = hub(table.log(&TestClock::new()));
    assert_eq!(status(&publish(&hub, "topic=a&data=x").await), 200);
    // Its frame would fit into an item of the table, but its topics do not.
    let topics: String =
        (0..110).map(|number| format!("topic=/{number}/{}&", "x".repeat(3_900))).collect();
    assert_eq!(status(&publish(&hub, &format!("{topics}data=x")).await), 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_outage_is_a_503_that_asks_to_come_back() {
    let table = Table::create().await;
    let proxy = Proxy::new(table.port, |_| Fate::Drop).await;
    let answer = publish(&hub(table.log_through(&proxy, &TestClock::new())), "topic=a").await;
    assert_eq!(status(&answer), 503);
    assert!(answer.metadata_prelude.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_broken_is_a_500() {
    let table = Table::create().await;
    let log = table.log(&TestClock::new());
    log.append(&update("a"), IdOrigin::Publisher).await.unwrap();
    table.delete("head#hub", 0).await;
    assert_eq!(status(&publish(&hub(log), "topic=a").await), 500);
}
