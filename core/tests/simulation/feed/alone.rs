//! Each side by itself: what the other says is made up.

use std::iter::from_fn;

use cinnabar_core::feed::{
    Answer, FOLLOWER_GONE, Follow, Follower, FollowerId, FollowerOutput, Hello, Leader, LinkId,
    Question, QuestionId, ToFollower, ToLeader,
};
use cinnabar_core::{CursorKey, Output, Place, StreamId, Subscriptions, Timestamp};

use crate::world::{NATIVE, World};

const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);
const KEY: [u8; 16] = [5; 16];
const ONE: FollowerId = FollowerId::from_random([1; 16]);
const OTHER: FollowerId = FollowerId::from_random([2; 16]);

/// What is told of a stream that begins.
fn subscriptions() -> Subscriptions {
    let mut world = World::new(&[("SUBSCRIPTIONS", "1")]);
    let subscribe = world.subscription("match=a", &NATIVE);
    world.holder.handle_subscribe(StreamId::new(1), subscribe, Place::default(), world.now);
    let mut outputs = from_fn(|| world.holder.poll_output());
    let told = outputs.find_map(|output| match output {
        Output::Register { subscriptions, .. } => Some(subscriptions),
        _ => None,
    });
    told.expect("it is told of")
}

fn failed(follower: &mut Follower) -> Vec<QuestionId> {
    let outputs = from_fn(|| follower.poll_output());
    let failed = outputs.filter_map(|output| match output {
        FollowerOutput::Failed { question } => Some(question),
        _ => None,
    });
    failed.collect()
}

#[test]
fn nobody_waits_for_the_beginning_of_a_subscriber_that_has_ended() {
    let subscriptions = subscriptions();
    let mut follower = Follower::new(ONE, 1);
    let begin = |follower: &mut Follower| {
        follower.ask(Question::Register(subscriptions.clone()), NOW).unwrap()
    };
    let end = |follower: &mut Follower| {
        follower.ask(Question::Unregister(subscriptions.clone()), NOW).unwrap()
    };
    // Before there is a link,
    let begins = begin(&mut follower);
    let ends = end(&mut follower);
    assert_eq!((failed(&mut follower), follower.questions()), (vec![begins], 1));
    // and while the question is on its way.
    let link = LinkId::new(1);
    let hello = Hello { key: CursorKey::from_bytes(KEY), end: Place::default() };
    follower.handle_message(link, &ToFollower::Hello(hello).to_bytes(), NOW);
    let answer = |question| ToFollower::Answer(question, Some(Answer::Done)).to_bytes();
    follower.handle_message(link, &answer(ends), NOW);
    let begins = begin(&mut follower);
    assert_eq!((failed(&mut follower), follower.questions()), (vec![], 1));
    end(&mut follower);
    assert_eq!((failed(&mut follower), follower.questions()), (vec![begins], 1));
    // What is answered to it after all is for nobody.
    follower.handle_message(link, &answer(begins), NOW);
    assert!(from_fn(|| follower.poll_output()).next().is_none());
    assert_eq!(follower.questions(), 1);
}

#[test]
fn a_leader_that_has_slept_waits_for_those_that_do_not_answer_alone() {
    let follow = |follower| {
        let link = LinkId::new(1);
        let follow = Follow { follower, link, from: Place::default().position, is_noted: true };
        ToLeader::Follow(follow).to_bytes()
    };
    for noted in [vec![ONE], vec![ONE, OTHER]] {
        let count = noted.len();
        let key = CursorKey::from_bytes(KEY);
        let mut leader = Leader::new(key, Place::default(), noted, NOW);
        // Its link lives on.
        leader.handle_connected(LinkId::new(7));
        assert!(leader.poll_timeout().is_some());
        leader.handle_message(LinkId::new(7), &follow(ONE), NOW);
        assert_eq!(leader.poll_timeout().is_some(), count > 1, "of {count}");
    }
}

/// Nobody is left to end a stream for, and the leader ends by itself what a follower held that is gone.
#[test]
fn a_follower_without_a_stream_does_not_try_for_ever_to_tell_of_an_end() {
    let mut follower = Follower::new(ONE, 1);
    follower.handle_holds(true, NOW);
    let hello = Hello { key: CursorKey::from_bytes(KEY), end: Place::default() };
    follower.handle_message(LinkId::new(1), &ToFollower::Hello(hello).to_bytes(), NOW);
    follower.handle_disconnected(LinkId::new(1), NOW);
    let end = Question::Unregister(subscriptions());
    let number = follower.ask(end, NOW).unwrap();
    let tries = |follower: &mut Follower, until: Timestamp| loop {
        let Some(next) = follower.poll_timeout().filter(|next| *next <= until) else { return };
        follower.handle_timeout(next);
        while let Some(output) = follower.poll_output() {
            if let FollowerOutput::Connect { link } = output {
                follower.handle_disconnected(link, next);
            }
        }
    };
    // As long as there is a stream, it tries,
    let later = NOW.plus(10 * FOLLOWER_GONE);
    tries(&mut follower, later);
    assert!(follower.poll_timeout().is_some());
    // and no longer.
    follower.handle_holds(false, later);
    let mut outputs = Vec::new();
    for _ in 0..2 {
        follower.handle_timeout(later.plus(FOLLOWER_GONE));
        outputs.extend(from_fn(|| follower.poll_output()));
    }
    let is_failed = |output: &FollowerOutput| matches!(output, FollowerOutput::Failed { question } if *question == number);
    let is_cut = |output: &FollowerOutput| matches!(output, FollowerOutput::Cut { .. });
    assert_eq!(outputs.iter().filter(|output| is_failed(output)).count(), 1);
    assert_eq!(outputs.iter().filter(|output| is_cut(output)).count(), 1);
    assert_eq!(follower.poll_timeout(), None);
}
