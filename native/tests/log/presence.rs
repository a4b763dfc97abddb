//! Who is here, as the log notes it.

use std::time::Duration;

use cinnabar_core::ActiveSubscription;
use cinnabar_core::testing::contract;
use cinnabar_native::log::{Log, Retention, Storage};
use cinnabar_runtime::Source as _;
use rusqlite::Connection;

use crate::clock::now;
use crate::folder::Folder;

const WIDE: Retention = Retention { size: 10_000, age: Duration::from_secs(24 * 3600) };

fn member(name: &str) -> ActiveSubscription {
    let record = format!(
        r#"{{"match_type":"exact","match":"room","subscriber":"urn:{name}","begun":"urn:{name}:begins","ended":"urn:{name}:ends"}}"#
    );
    ActiveSubscription::restored(
        &format!("/.well-known/mercure/subscriptions/exact/room/{name}"),
        &record,
    )
    .unwrap()
}

#[tokio::test]
async fn what_another_version_noted_keeps_nobody_from_the_others() {
    let folder = Folder::create();
    let log = Log::open(&folder.log(), WIDE, now).unwrap();
    log.register(vec![member("a"), member("b")].into()).await.unwrap();
    let Storage::File(path) = folder.log() else { unreachable!("a folder has a file") };
    let other = Connection::open(path).unwrap();
    let written = "UPDATE subscriptions SET record = 'another' WHERE topic = ?";
    assert_eq!(other.execute(written, [member("a").topic()]).unwrap(), 1);
    let found = log.registered(String::new()).await.unwrap();
    assert_eq!(found, [member("b")]);
    let listed = log.list(contract::everybody().unwrap()).await.unwrap();
    let listed = String::from_utf8(listed.response.into_body()).unwrap();
    assert!(listed.contains("urn:b") && !listed.contains("urn:a"), "{listed}");
}
