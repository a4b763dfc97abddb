//! What a client is told, and how it tells the suite what its application sees: see the README of
//! `tests/libraries`.

use std::env;
use std::error::Error;
use std::time::Duration;

use eventsource_client::{Client as _, ClientBuilder, ReconnectOptions, SSE};
use futures::TryStreamExt as _;
use launchdarkly_sdk_transport::HyperTransport;
use serde_json::json;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = env::args().skip(1);
    let url = arguments.next().ok_or("a URL is missing")?;
    // Its waits grow with each connection, whether or not that failed.
    let most = Duration::from_secs(5);
    let mut client = ClientBuilder::for_url(&url)?
        .reconnect(ReconnectOptions::reconnect(true).retry_initial(true).delay_max(most).build());
    if let Some(token) = arguments.next() {
        client = client.header("Authorization", &format!("Bearer {token}"))?;
    }
    let client = client.build_with_transport(HyperTransport::builder().build_http()?);
    let mut stream = client.stream();
    loop {
        let line = match stream.try_next().await {
            Ok(Some(SSE::Connected(_))) => json!("opened"),
            Ok(Some(SSE::Event(event))) => {
                json!({"event": {"id": event.id.unwrap_or_default(), "data": event.data}})
            }
            Ok(Some(SSE::Comment(_))) => continue,
            // It goes on, if it is asked to.
            Err(_) => json!("failed"),
            Ok(None) => break,
        };
        println!("{line}");
    }
    println!("{}", json!({"ended": "no more events"}));
    Ok(())
}
