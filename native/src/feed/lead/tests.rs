//! A leader over a log that fails, and the core's follower at the other end of its link.

use cinnabar_core::feed::{Answer, Follower, FollowerId, FollowerOutput, Question, QuestionId};
use cinnabar_core::testing::update;
use cinnabar_core::{ActiveSubscription, Position, Subscriptions};
use cinnabar_runtime::Carrier;

use super::*;
use crate::feed::work::REST;
use crate::log::{Retention, Storage};

/// The only link of a follower.
const LINK: LinkId = LinkId::new(1);

fn log() -> Log {
    let wide = Retention { size: 10_000, age: Duration::from_secs(24 * 3600) };
    Log::open_for(true, &Storage::Memory, wide, machine::now).unwrap()
}

fn member() -> Subscriptions {
    let record = r#"{"match_type":"exact","match":"room","subscriber":"urn:a","begun":"urn:begins","ended":"urn:ends"}"#;
    let topic = "/.well-known/mercure/subscriptions/exact/room/a";
    vec![ActiveSubscription::restored(topic, record).unwrap()].into()
}

/// A hub that follows, at its end of a link.
struct Other {
    follower: Follower,
    carrier: Carrier,
}

impl Other {
    fn new() -> (Self, Link) {
        let (link, carrier) = Link::new();
        let follower = Follower::new(FollowerId::from_random([1; 16]), 1);
        (Self { follower, carrier }, link)
    }

    fn ask(&mut self, question: Question) -> QuestionId {
        self.follower.ask(question, machine::now()).unwrap()
    }

    /// Sends what it wants to send. Returns what it wants otherwise.
    fn turn(&mut self) -> Option<FollowerOutput> {
        while let Some(output) = self.follower.poll_output() {
            match output {
                FollowerOutput::Connect { .. } => {}
                FollowerOutput::Send { bytes, .. } => {
                    self.carrier.comes.try_send(Carried::Bytes(bytes)).unwrap();
                }
                other => return Some(other),
            }
        }
        None
    }

    /// Goes on until it wants something; `None` once the link has ended.
    async fn next(&mut self) -> Option<FollowerOutput> {
        loop {
            if let Some(output) = self.turn() {
                return Some(output);
            }
            if let Carried::Bytes(bytes) = self.carrier.sends.recv().await? {
                self.follower.handle_message(LINK, &bytes, machine::now());
            }
        }
    }

    /// Goes on until this question is answered.
    async fn answer(&mut self, to: QuestionId) -> Answer {
        loop {
            match self.next().await {
                Some(FollowerOutput::Answered { question, answer }) if question == to => {
                    return answer;
                }
                Some(FollowerOutput::Failed { .. }) | None => panic!("it is not answered"),
                Some(_) => {}
            }
        }
    }
}

#[tokio::test]
async fn an_end_that_cannot_be_told_yet_is_told_in_the_end() {
    let log = log();
    let (mut other, link) = Other::new();
    let feed = Feed::start(log.clone());
    feed.connect(link);
    let begin = other.ask(Question::Register(member()));
    other.answer(begin).await;
    log.execute("ALTER TABLE held RENAME TO elsewhere").await;
    let (end, head) = (other.ask(Question::Unregister(member())), other.ask(Question::End));
    // It is answered while the end is being told.
    other.answer(head).await;
    let is_told = tokio::time::timeout(REST / 2, other.answer(end)).await;
    assert!(is_told.is_err(), "{is_told:?}");
    log.execute("ALTER TABLE elsewhere RENAME TO held").await;
    assert!(matches!(other.answer(end).await, Answer::Done));
    assert_eq!(log.head().await.unwrap(), Position::new(2));
}

#[tokio::test]
async fn what_a_log_that_is_closed_cannot_do_is_left_to_the_next_leader() {
    let (closed, follower) = (log(), FollowerId::from_random([1; 16]));
    closed.close().await;
    let end = work::answer(closed, follower, Question::Unregister(member())).await;
    assert!(matches!(end, Done::Closed));
    // A leader may learn of it by this alone.
    let mut lead = Lead::begin(&log()).await.unwrap();
    lead.work.spawn(async { end });
    let (_feed, mut opened) = mpsc::unbounded_channel();
    assert!(matches!(lead.run(&mut opened).await, Some(LogError::Closed)));
}

#[tokio::test]
async fn a_log_that_cannot_be_followed_for_a_moment_is_followed_after_it() {
    let log = log();
    log.append(update("urn:1", "a", "").into()).await.unwrap();
    log.lag(Position::START);
    log.execute("ALTER TABLE updates RENAME TO elsewhere").await;
    let feed = Feed::start(log.clone());
    let (mut first, link) = Other::new();
    feed.connect(link);
    while first.next().await.is_some() {}
    log.execute("ALTER TABLE elsewhere RENAME TO updates").await;
    let (mut second, link) = Other::new();
    feed.connect(link);
    let head = second.ask(Question::End);
    second.answer(head).await;
    log.append(update("urn:2", "a", "").into()).await.unwrap();
    while !matches!(second.next().await, Some(FollowerOutput::Appended { .. })) {}
}

#[tokio::test]
async fn whoever_asked_is_answered_when_a_task_panics() {
    let mut lead = Lead::begin(&log()).await.unwrap();
    let (mut other, link) = Other::new();
    lead.connect(link);
    let head = other.ask(Question::End);
    let asked = loop {
        match lead.leader.poll_output() {
            Some(LeaderOutput::Send { bytes, .. }) => {
                other.follower.handle_message(LINK, &bytes, machine::now());
                assert!(matches!(other.turn(), Some(FollowerOutput::Begin { .. })));
                assert!(other.turn().is_none());
            }
            Some(LeaderOutput::Answer { asked, .. }) => break asked,
            Some(output) => panic!("{output:?}"),
            None => {
                let (link, bytes) = lead.said.recv().await.unwrap();
                lead.handle_said(link, bytes);
            }
        }
    };
    lead.find(Wanted::Answer(asked), async { panic!("as a fault in an answer would") });
    // Other tasks go on, or have ended in order.
    while !lead.wanted.is_empty() {
        let done = lead.work.join_next_with_id().await.unwrap();
        lead.handle_done(done);
    }
    lead.drive();
    let failed = other.next().await;
    assert!(
        matches!(failed, Some(FollowerOutput::Failed { question }) if question == head),
        "{failed:?}"
    );
}
