//! The calls to DynamoDB, each with its condition. What follows from the answers is decided
//! elsewhere.
//!
//! | step | call | condition |
//! |---|---|---|
//! | make the log | PutItem head | nothing is there |
//! | number | UpdateItem head, ADD 1 | the head is there: a lost head must not start again at 1 |
//! | update | PutItem cell | nothing is there, or this publication's own |
//! | seal | PutItem tombstone | nothing is there |
//! | poll, page | Query, eventually consistent | |
//! | probe, head | GetItem, consistent | |
//! | id | Query of the index; Query of the newest cells, consistent | |
//! | seat (see `seats`) | Query, consistent; PutItem seat | nothing is there, or its time has passed |
//!
//! A refused write returns what was there. No query has a filter: what that hid would look like a
//! hole. The SDK does not retry the writes of publishers, because it knows of no lease; it may retry
//! all other calls.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::interceptors::BeforeTransmitInterceptorContextRef;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_dynamodb::error::BoxError;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::operation::query::QueryOutput;
use aws_sdk_dynamodb::operation::query::builders::QueryFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeValue as Value, ReturnValue, ReturnValuesOnConditionCheckFailure,
};
use cinnabar_core::{Position, Timestamp};

use super::cell::{Cell, Numbered};
use super::clock::{Clock, Moment};
use super::fault::Fault;
use super::item::{Item, Items, Row, Token, number, read_number};
use super::lookup::Hit;
use super::publication::{Publication, Put};
use super::reader::Seal;
use super::timing::Timing;

/// The index of ids.
const IDS: &str = "ids";

/// How long to wait for one attempt of a call.
const ATTEMPT: Duration = Duration::from_secs(2);

#[derive(Clone, Debug)]
pub(super) struct Table {
    pub(super) reads: Client,
    /// For publishers' calls: the SDK does not retry them.
    writes: Client,
    pub(super) name: String,
    pub(super) items: Items,
    pub(super) timing: Timing,
    pub(super) clock: Arc<dyn Clock>,
}

/// The result of a query.
pub(super) struct Cells {
    pub(super) cells: Vec<Numbered<Row>>,
    /// Whether it ended before it had read everything that was asked for.
    pub(super) cut: bool,
}

/// The newest number of the log, and the key of its cursors.
pub(super) struct Head {
    pub(super) last: Position,
    pub(super) key: [u8; 16],
}

impl Table {
    pub(super) fn new(
        client: &Client,
        name: String,
        shard: String,
        timing: Timing,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(ATTEMPT / 2)
            .operation_attempt_timeout(ATTEMPT)
            .build();
        let config = client.config().to_builder().timeout_config(timeouts);
        let once = config.clone().retry_config(RetryConfig::disabled());
        Self {
            reads: Client::from_conf(config.build()),
            writes: Client::from_conf(once.build()),
            name,
            items: Items { shard, timing },
            timing,
            clock,
        }
    }

    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The head, read consistently.
    pub(super) async fn head(&self) -> Result<Option<Head>, Fault> {
        let Some(item) = self.get_item(self.items.head()).await? else { return Ok(None) };
        let key = match item.get("key") {
            Some(Value::B(bytes)) => bytes.as_ref().try_into().ok(),
            _ => None,
        };
        Ok(Some(Head {
            last: Position::new(read_number(&item, "last")?),
            key: key.ok_or_else(|| Fault::Broken("the head has no key of cursors".into()))?,
        }))
    }

    /// The newest number that was given away.
    pub(super) async fn last(&self) -> Result<Position, Fault> {
        let head = self.head().await?;
        head.map(|head| head.last).ok_or_else(head_is_missing)
    }

    /// Makes the head, if there is none.
    pub(super) async fn make_head(&self, key: [u8; 16]) -> Result<(), Fault> {
        let mut head = self.items.head();
        head.extend([number("last", 0), ("key".to_owned(), Value::B(Blob::new(key)))]);
        let made = self
            .reads
            .put_item()
            .table_name(&self.name)
            .set_item(Some(head))
            .condition_expression("attribute_not_exists(s)")
            .send()
            .await;
        match made {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(Fault::of(&error)),
            },
        }
    }

    /// Takes a number.
    pub(super) async fn number(&self, publication: &Publication) -> Result<Position, Fault> {
        let added = self
            .writes
            .update_item()
            .table_name(&self.name)
            .set_key(Some(self.items.head()))
            .update_expression("ADD #last :one")
            .condition_expression("attribute_exists(#last)")
            .expression_attribute_names("#last", "last")
            .expression_attribute_values(":one", Value::N("1".into()))
            .return_values(ReturnValue::UpdatedNew)
            .customize()
            .interceptor(self.guard(publication))
            .send()
            .await;
        match added {
            Ok(added) => {
                Ok(Position::new(read_number(&added.attributes.unwrap_or_default(), "last")?))
            }
            Err(error) if is_refused_update(&error) => Err(head_is_missing()),
            Err(error) => Err(Fault::of(&error)),
        }
    }

    /// Writes an update to its number.
    pub(super) async fn put(
        &self,
        publication: &Publication,
        item: Item,
        token: Token,
    ) -> Result<Put, Fault> {
        let token = Value::B(Blob::new(token));
        let put = self
            .writes
            .put_item()
            .table_name(&self.name)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(n) OR #w = :w")
            .expression_attribute_names("#w", "w")
            .expression_attribute_values(":w", token.clone())
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .customize()
            .interceptor(self.guard(publication))
            .send()
            .await;
        Ok(match self.written(put)? {
            None => Put::Written,
            Some(item) if item.get("w") == Some(&token) => Put::Written,
            Some(item) => match self.items.read(item)?.cell {
                Cell::Tombstone { .. } => Put::Tombstone,
                Cell::Update { .. } => Put::Foreign,
            },
        })
    }

    /// Writes a tombstone to a number. One that is there already is just as good.
    pub(super) async fn seal(&self, position: Position) -> Result<Seal<Row>, Fault> {
        let put = self
            .reads
            .put_item()
            .table_name(&self.name)
            .set_item(Some(self.items.tombstone(position, self.now().wall)))
            .condition_expression("attribute_not_exists(n)")
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .send()
            .await;
        Ok(match self.written(put)? {
            None => Seal::Written,
            Some(item) => Seal::Refused(self.items.read(item)?.cell),
        })
    }

    /// If a write was refused, what was there.
    fn written(
        &self,
        put: Result<PutItemOutput, SdkError<PutItemError>>,
    ) -> Result<Option<Item>, Fault> {
        let Err(error) = put else { return Ok(None) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(refused)) => match &refused.item {
                Some(item) => Ok(Some(item.clone())),
                None => Err(Fault::Unknown("a refusal without the item that was there".into())),
            },
            _ => Err(Fault::of(&error)),
        }
    }

    /// A cell, read consistently.
    pub(super) async fn cell(&self, position: Position) -> Result<Option<Cell<Row>>, Fault> {
        let item = self.get_item(self.items.key(position)).await?;
        Ok(match item {
            Some(item) => Some(self.items.read(item)?.cell),
            None => None,
        })
    }

    /// An item, read consistently.
    pub(super) async fn get_item(&self, key: Item) -> Result<Option<Item>, Fault> {
        let get = self.reads.get_item().table_name(&self.name).set_key(Some(key));
        let got = get.consistent_read(true).send().await;
        Ok(got.map_err(|error| Fault::of(&error))?.item)
    }

    /// Cells past a place, up to and including `through`, as many as come at once.
    pub(super) async fn cells(
        &self,
        after: Position,
        through: Option<Position>,
        limit: Option<usize>,
        consistent: bool,
    ) -> Result<Cells, Fault> {
        let from = Value::N(after.next().get().to_string());
        let query = self.query().expression_attribute_values(":from", from);
        let query = match through {
            None => query.key_condition_expression("s = :s AND n >= :from"),
            Some(through) => query
                .key_condition_expression("s = :s AND n BETWEEN :from AND :through")
                .expression_attribute_values(":through", Value::N(through.get().to_string())),
        };
        let limit = limit.map(|limit| i32::try_from(limit).unwrap_or(i32::MAX));
        self.read(query.set_limit(limit).consistent_read(consistent)).await
    }

    /// Cells up to and including a place, the newest first, as many as come at once.
    pub(super) async fn cells_back(&self, from: Position, limit: i32) -> Result<Cells, Fault> {
        let query = self
            .query()
            .key_condition_expression("s = :s AND n <= :from")
            .expression_attribute_values(":from", Value::N(from.get().to_string()))
            .scan_index_forward(false)
            .limit(limit)
            .consistent_read(true);
        self.read(query).await
    }

    /// The first cell with an id, as far as the index knows.
    pub(super) async fn indexed(&self, id: &str) -> Result<Option<Hit>, Fault> {
        let query = self
            .reads
            .query()
            .table_name(&self.name)
            .index_name(IDS)
            .key_condition_expression("sid = :sid")
            .expression_attribute_values(":sid", Value::S(self.items.id(id)))
            .limit(1);
        let Some(item) = items(query.send().await.map_err(|error| Fault::of(&error))?).0.pop()
        else {
            return Ok(None);
        };
        Ok(Some(Hit {
            position: Position::new(read_number(&item, "n")?),
            expires: Timestamp::from_millis(read_number(&item, "x")?),
            own: item.contains_key("own"),
        }))
    }

    fn query(&self) -> QueryFluentBuilder {
        let query = self.reads.query().table_name(&self.name);
        query.expression_attribute_values(":s", Value::S(self.items.shard.clone()))
    }

    async fn read(&self, query: QueryFluentBuilder) -> Result<Cells, Fault> {
        let (items, cut) = items(query.send().await.map_err(|error| Fault::of(&error))?);
        let cells: Result<_, _> = items.into_iter().map(|item| self.items.read(item)).collect();
        Ok(Cells { cells: cells?, cut })
    }

    /// Writes an item of its own and reads it back.
    pub(super) async fn check_health(&self) -> Result<(), Fault> {
        let mut item = self.items.health();
        item.extend([number("a", self.now().wall.as_millis())]);
        let put = self.reads.put_item().table_name(&self.name).set_item(Some(item));
        put.send().await.map_err(|error| Fault::of(&error))?;
        match self.get_item(self.items.health()).await? {
            Some(_) => Ok(()),
            None => Err(Fault::Broken("an item that was written is not there".into())),
        }
    }

    fn guard(&self, publication: &Publication) -> Guard {
        let (timing, clock) = (self.timing, Arc::clone(&self.clock));
        Guard { publication: publication.clone(), timing, clock }
    }
}

type SdkError<E> = aws_sdk_dynamodb::error::SdkError<E>;

pub(super) fn head_is_missing() -> Fault {
    Fault::Broken("the head of the log is missing".into())
}

fn is_refused_update(
    error: &SdkError<aws_sdk_dynamodb::operation::update_item::UpdateItemError>,
) -> bool {
    error.as_service_error().is_some_and(|error| error.is_conditional_check_failed_exception())
}

fn items(output: QueryOutput) -> (Vec<HashMap<String, Value>>, bool) {
    let cut = output.last_evaluated_key.is_some();
    (output.items.unwrap_or_default(), cut)
}

/// Stops a publisher's call that would leave past the lease (rule 5). It checks after signing, so
/// that the life of the signature bounds any delay after that.
#[derive(Debug)]
struct Guard {
    publication: Publication,
    timing: Timing,
    clock: Arc<dyn Clock>,
}

impl Intercept for Guard {
    fn name(&self) -> &'static str {
        "lease"
    }

    fn read_after_signing(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if self.publication.holds(&self.timing, self.clock.now()) {
            Ok(())
        } else {
            Err("the lease has ended".into())
        }
    }
}
