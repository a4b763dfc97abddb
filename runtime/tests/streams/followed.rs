//! A hub that is followed, in simulated time: the core's leader, at the other end of a link in memory.

use std::convert::Infallible;
use std::sync::Mutex;

use cinnabar_core::feed::{Answer, Asked, Leader, LeaderOutput, LinkId, Question};
use cinnabar_core::{ActiveSubscription, CursorKey, Place, Position, Subscriptions};
use cinnabar_runtime::{Carried, Carrier, Dial, Followed, Link, Source as _};
use tokio::time::{sleep, timeout};

use crate::SECOND;
use crate::clock::now;

/// The only link.
const LINK: LinkId = LinkId::new(1);

/// Opens one link, and never another.
struct Once(Mutex<Option<Link>>);

impl Dial for Once {
    type Error = Infallible;

    async fn dial(&self) -> Result<Link, Infallible> {
        let link = self.0.lock().unwrap().take();
        match link {
            Some(link) => Ok(link),
            None => std::future::pending().await,
        }
    }
}

/// The hub that is followed.
struct Led {
    leader: Leader,
    carrier: Carrier,
}

impl Led {
    fn start() -> (Self, Followed) {
        let (link, carrier) = Link::new();
        let end = Place::undated(Position::START);
        let mut leader = Leader::new(CursorKey::from_bytes([7; 16]), end, [], now());
        leader.handle_connected(LINK);
        (Self { leader, carrier }, Followed::start(Once(Mutex::new(Some(link))), now))
    }

    /// The next question; where the log ends is answered meanwhile. `None` once the link has ended.
    async fn asked(&mut self) -> Option<(Asked, Question)> {
        loop {
            while let Some(output) = self.leader.poll_output() {
                match output {
                    LeaderOutput::Send { bytes, .. } => {
                        let _ = self.carrier.comes.send(Carried::Bytes(bytes)).await;
                    }
                    LeaderOutput::Answer { asked, question: Question::End } => {
                        let end = Answer::End(Place::undated(Position::START));
                        self.leader.handle_answer(asked, Some(end));
                    }
                    LeaderOutput::Answer { asked, question } => return Some((asked, question)),
                    LeaderOutput::End { .. } => {}
                    other => panic!("{other:?}"),
                }
            }
            if let Carried::Bytes(bytes) = self.carrier.sends.recv().await? {
                self.leader.handle_message(LINK, &bytes, now());
            }
        }
    }
}

fn member() -> Subscriptions {
    let record = r#"{"match_type":"exact","match":"room","subscriber":"urn:a","begun":"urn:begins","ended":"urn:ends"}"#;
    let topic = "/.well-known/mercure/subscriptions/exact/room/a";
    vec![ActiveSubscription::restored(topic, record).unwrap()].into()
}

#[tokio::test(start_paused = true)]
async fn a_hub_leaves_another_only_when_that_one_was_told_who_has_gone() {
    let (mut led, followed) = Led::start();
    let registering = tokio::spawn({
        let followed = followed.clone();
        async move { followed.register(member()).await }
    });
    let Some((begins, Question::Register(_))) = led.asked().await else { panic!("nobody begins") };
    // Nobody waits for so long. But it may be noted yet, and must end then.
    assert!(registering.await.unwrap().is_err());
    let mut closing = tokio::spawn(async move { followed.close().await });
    assert!(timeout(SECOND, &mut closing).await.is_err(), "it has left");
    led.leader.handle_answer(begins, Some(Answer::Done));
    let Some((ends, Question::Unregister(_))) = led.asked().await else { panic!("nobody ends") };
    sleep(SECOND).await;
    assert!(!closing.is_finished());
    led.leader.handle_answer(ends, Some(Answer::Done));
    assert!(led.asked().await.is_none());
    closing.await.unwrap();
}

/// Streams that were cut without a word are found so, and their ends told.
#[tokio::test(start_paused = true)]
async fn what_was_registered_is_found_until_its_end_was_told() {
    let (mut led, followed) = Led::start();
    let found = async |after: &str| followed.registered(after.to_owned()).await.unwrap().len();
    assert_eq!(found("").await, 0);
    for (answer, left) in [(Some(Answer::Done), 1), (None, 1), (Some(Answer::Done), 0)] {
        let telling = tokio::spawn({
            let (followed, is_end) = (followed.clone(), found("").await == 1);
            async move {
                match is_end {
                    true => followed.unregister(member()).await,
                    false => followed.register(member()).await,
                }
            }
        });
        let (asked, _) = led.asked().await.unwrap();
        let is_done = answer.is_some();
        led.leader.handle_answer(asked, answer);
        // Its answer is sent.
        let listening = async { led.asked().await.is_some() };
        assert!(timeout(SECOND, listening).await.is_err(), "more is asked");
        assert_eq!(telling.await.unwrap().is_ok(), is_done);
        assert_eq!(found("").await, left);
    }
}
