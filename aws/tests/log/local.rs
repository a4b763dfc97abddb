//! DynamoDB Local: one for all tests in this binary, and a table for each.

use std::collections::HashMap;
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, ScalarAttributeType,
};
use cinnabar_aws::deployment::PLATFORM;
use cinnabar_aws::log::{Clock, Log, Settings};
use cinnabar_core::{
    Admission, Config, Place, Position, Request, Step, StoredUpdate, Subscribe, Timestamp, Update,
    admit,
};

use crate::clock::TestClock;
use crate::proxy::Proxy;

/// How long updates are kept: as short as a log allows.
const RETENTION: Duration = Duration::from_mins(10);

/// How long anything may take on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(120);

/// Starts DynamoDB Local if it is not running yet, and waits until it accepts connections.
fn port() -> u16 {
    static RUNNING: OnceLock<(u16, Child)> = OnceLock::new();
    let (port, _) = RUNNING.get_or_init(|| {
        let folder = std::env::var("DYNAMODB_LOCAL").expect(
            "these tests need DynamoDB Local: set DYNAMODB_LOCAL to the folder of DynamoDBLocal.jar, or run `cargo xtask test`",
        );
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // The shell ends Java as soon as this process is gone, however it ended.
        let script = "java \"$@\" & java=$!; read -r _; kill \"$java\"";
        let child = Command::new("sh")
            .args(["-c", script, "sh"])
            .arg(format!("-Djava.library.path={folder}/DynamoDBLocal_lib"))
            .args(["-jar", &format!("{folder}/DynamoDBLocal.jar")])
            .args(["-inMemory", "-sharedDb", "-disableTelemetry", "-port", &port.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("a shell and Java");
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(began.elapsed() < DEADLINE, "DynamoDB Local did not start");
            std::thread::sleep(Duration::from_millis(50));
        }
        (port, child)
    });
    *port
}

fn client(port: u16) -> Client {
    let config = aws_sdk_dynamodb::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-west-1"))
        .credentials_provider(Credentials::for_tests())
        .endpoint_url(format!("http://127.0.0.1:{port}"))
        .build();
    Client::from_conf(config)
}

/// A test's own table.
pub(crate) struct Table {
    pub(crate) name: String,
    pub(crate) client: Client,
    pub(crate) port: u16,
}

impl Table {
    /// A table like the template's, with a log in it.
    pub(crate) async fn create() -> Self {
        static TABLES: AtomicUsize = AtomicUsize::new(0);
        let port = port();
        let name = format!("updates-{}", TABLES.fetch_add(1, Ordering::Relaxed));
        let client = client(port);
        let attribute = |name: &str, kind| {
            let attribute = AttributeDefinition::builder().attribute_name(name);
            attribute.attribute_type(kind).build().unwrap()
        };
        let key = |name: &str, kind| {
            KeySchemaElement::builder().attribute_name(name).key_type(kind).build().unwrap()
        };
        let projection = Projection::builder()
            .projection_type(ProjectionType::Include)
            .non_key_attributes("x")
            .non_key_attributes("own");
        let ids = GlobalSecondaryIndex::builder()
            .index_name("ids")
            .key_schema(key("sid", KeyType::Hash))
            .key_schema(key("n", KeyType::Range))
            .projection(projection.build());
        client
            .create_table()
            .table_name(&name)
            .billing_mode(BillingMode::PayPerRequest)
            .attribute_definitions(attribute("s", ScalarAttributeType::S))
            .attribute_definitions(attribute("n", ScalarAttributeType::N))
            .attribute_definitions(attribute("sid", ScalarAttributeType::S))
            .key_schema(key("s", KeyType::Hash))
            .key_schema(key("n", KeyType::Range))
            .global_secondary_indexes(ids.build().unwrap())
            .send()
            .await
            .unwrap();
        let table = Self { name, client, port };
        table.log(&TestClock::new()).open().await.unwrap();
        table
    }

    /// A handle on the log, with this clock.
    pub(crate) fn log(&self, clock: &TestClock) -> Log {
        self.log_at(self.port, RETENTION, clock)
    }

    /// The same, which keeps updates for so long.
    pub(crate) fn log_that_keeps(&self, retention: Duration, clock: &TestClock) -> Log {
        self.log_at(self.port, retention, clock)
    }

    /// The same, through a proxy.
    pub(crate) fn log_through(&self, proxy: &Proxy, clock: &TestClock) -> Log {
        self.log_at(proxy.port, RETENTION, clock)
    }

    fn log_at(&self, port: u16, retention: Duration, clock: &TestClock) -> Log {
        let settings = Settings { table: self.name.clone(), shard: "hub".into(), retention };
        Log::with_clock(client(port), settings, std::sync::Arc::new(clock.clone()))
    }

    /// Takes a number, like a publisher that then dies.
    pub(crate) async fn take_number(&self) {
        self.client
            .update_item()
            .table_name(&self.name)
            .key("s", AttributeValue::S("head#hub".into()))
            .key("n", AttributeValue::N("0".into()))
            .update_expression("ADD #last :one")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":one", AttributeValue::N("1".into()))
            .send()
            .await
            .unwrap();
    }

    /// Removes an item, as time to live does.
    pub(crate) async fn delete(&self, shard: &str, number: u64) {
        self.client
            .delete_item()
            .table_name(&self.name)
            .key("s", AttributeValue::S(shard.into()))
            .key("n", AttributeValue::N(number.to_string()))
            .send()
            .await
            .unwrap();
    }

    /// Writes an item, as another version might.
    pub(crate) async fn put(&self, item: HashMap<String, AttributeValue>) {
        let put = self.client.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.unwrap();
    }

    /// All items of a partition.
    pub(crate) async fn partition(&self, name: &str) -> Vec<HashMap<String, AttributeValue>> {
        let query = self
            .client
            .query()
            .table_name(&self.name)
            .key_condition_expression("s = :s")
            .expression_attribute_values(":s", AttributeValue::S(name.into()))
            .consistent_read(true);
        query.send().await.unwrap().items.unwrap_or_default()
    }

    /// A cell, as it is in the table.
    pub(crate) async fn item(&self, number: u64) -> Option<HashMap<String, AttributeValue>> {
        let get = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("s", AttributeValue::S("hub".into()))
            .key("n", AttributeValue::N(number.to_string()));
        get.send().await.unwrap().item
    }
}

/// A place, dated now.
pub(crate) fn place(position: Position, clock: &TestClock) -> Place {
    Place { position, since: clock.now().wall }
}

/// A subscriber to a topic. All updates from [`update`] have the topic `other`.
pub(crate) fn subscribe(topic: &str) -> Subscribe {
    let variables = [("MERCURE_PUBLISHER_JWT_KEY", "a publisher's key of thirty-two bytes")];
    let variables = variables.into_iter().chain([("ANONYMOUS", "1")]);
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let config = Config::read(&PLATFORM, variables).unwrap();
    let url = format!("https://hub.example/.well-known/mercure?match={topic}");
    match admit(&Request::new("GET", &url, []), &config, Timestamp::default(), &[7; 32]) {
        Step::Done(Admission::Forward(cinnabar_core::Command::Subscribe(subscribe))) => subscribe,
        other => panic!("not a subscription: {other:?}"),
    }
}

/// An update.
pub(crate) fn update(id: &str) -> Update {
    Update::restore(StoredUpdate {
        id: id.into(),
        topics: format!("https://example.com/{id}\nother"),
        targets: String::new(),
        data: format!("data of {id}\n\0"),
        private: false,
        event_type: None,
        retry: None,
    })
}

/// The ids that a reader gets, from a position until it has read up to `through`.
pub(crate) async fn read_through(
    log: &Log,
    clock: &TestClock,
    from: Position,
    through: Position,
) -> Vec<String> {
    let mut tail = log.tail(place(from, clock));
    let mut ids = Vec::new();
    let began = Instant::now();
    loop {
        // A failed poll is repeated, as a holder would.
        if let Ok(read) = tail.poll().await {
            ids.extend(read.updates.iter().map(|read| read.update.id().to_string()));
            if read.reached >= through {
                assert_eq!(read.reached, through);
                return ids;
            }
        }
        assert!(began.elapsed() < DEADLINE, "{ids:?} and no more");
        // As long as a patient reader waits for a missing number.
        clock.advance(Duration::from_secs(2));
        tokio::task::yield_now().await;
    }
}
