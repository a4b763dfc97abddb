//! `feed`: what the other end of a link, perhaps of another version, sends to a leader or a follower.

use cinnabar_core::feed::{
    Follow, Follower, FollowerId, FollowerOutput, Hello, Leader, LinkId, Question, ToFollower,
    ToLeader,
};
use cinnabar_core::{CursorKey, Place, Position};

use super::hub::NOW;

const LINK: LinkId = LinkId::new(1);
const NAME: FollowerId = FollowerId::from_random([7; 16]);

pub(crate) fn run(bytes: &[u8]) {
    if let Ok(message) = ToLeader::from_bytes(bytes) {
        let written = message.to_bytes();
        assert_eq!(ToLeader::from_bytes(&written).unwrap().to_bytes(), written);
    }
    if let Ok(message) = ToFollower::from_bytes(bytes) {
        let written = message.to_bytes();
        assert_eq!(ToFollower::from_bytes(&written).unwrap().to_bytes(), written);
    }
    lead(bytes);
    follow(bytes);
}

/// A leader gets it before and after it knows where the follower stands.
fn lead(bytes: &[u8]) {
    let end = Place { position: Position::new(9), since: NOW };
    let mut leader = Leader::new(CursorKey::from_bytes([5; 16]), end, [], NOW);
    leader.handle_connected(LINK);
    leader.handle_message(LINK, bytes, NOW);
    let from = Position::new(3);
    let follow = Follow { follower: NAME, link: LINK, from, is_noted: false };
    leader.handle_connected(LINK);
    leader.handle_message(LINK, &ToLeader::Follow(follow).to_bytes(), NOW);
    leader.handle_message(LINK, bytes, NOW);
    leader.handle_message(LINK, bytes, NOW);
    while leader.poll_output().is_some() {}
    assert!(leader.links() <= 1);
}

/// A follower gets it instead of a hello, and after one.
fn follow(bytes: &[u8]) {
    for greeted in [false, true] {
        let mut follower = Follower::new(NAME, 7);
        follower.ask(Question::End, NOW).unwrap();
        if greeted {
            let hello = Hello { key: CursorKey::from_bytes([5; 16]), end: Place::default() };
            follower.handle_message(LINK, &ToFollower::Hello(hello).to_bytes(), NOW);
        }
        let before = follower.position();
        follower.handle_message(LINK, bytes, NOW);
        follower.handle_message(LINK, bytes, NOW);
        let is_cut = std::iter::from_fn(|| follower.poll_output())
            .any(|output| matches!(output, FollowerOutput::Cut { .. }));
        assert!(is_cut || follower.position() >= before, "it goes back");
    }
}
