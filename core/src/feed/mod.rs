//! The feed: a log's updates for streams that are held elsewhere, and what their holders ask of the log.
//!
//! ```text
//!   publishers                                                        subscribers
//!       │        ┌────────┐   Hello, Updates, answers   ┌──────────┐      ▲
//!       ▼        │        │ ──────────────────────────▶ │          │      │
//!      log ────▶ │ Leader │         one link            │ Follower │ ─▶ Holder
//!       ▲        │        │ ◀────────────────────────── │          │      │
//!       │        └────────┘  Follow, Taken, questions   └──────────┘      │
//!       └─ pages, answers                                    ▲            │
//!                                                            └─ questions ┘
//! ```
//!
//! A link is a WebSocket, or anything else that carries messages of bytes either way and in order until
//! it ends, which may be at any moment. A follower has one, and everything goes over it. Of an update, a
//! leader sends each follower one message, however many streams that holds.
//!
//! # Both sides forget
//!
//! A leader knows nothing of a link that it cannot be told again. A Durable Object is put out of memory
//! while its WebSockets live on, and a process that is started again finds itself with new ones. Both are
//! the same: the leader says [`Hello`], and each follower answers where it stands, with [`Follow`], and
//! asks once more what it still has no answer to. So a leader's shell writes down nothing about links, and
//! **whatever is asked may be asked twice**.
//!
//! A follower outlives its links as well. As long as the leader is away, its streams are silent, and its
//! questions wait, each for ten seconds at most. Then it goes on where it was. It begins anew only if it
//! [cannot](Loss).
//!
//! # How much may wait
//!
//! A follower says how many bytes it has taken, once in a while. Past 4 MiB that it has not, nothing more
//! is sent: its link is live no longer, and catches up from the log, page by page, as it takes what it is
//! sent. So the platform's queue for a link is bounded, without being asked how long it is.
//!
//! # What a shell around a [`Leader`] does
//!
//! - It makes the leader when it knows where its log ends, and calls [`Leader::handle_connected`] for each
//!   link that is there already, and later for each that is opened. It calls [`Leader::handle_appended`]
//!   for what is durable, never for what is not. After each `handle_*`, it drains
//!   [`Leader::poll_output`], and sleeps until [`Leader::poll_timeout`], if there is one: at a platform
//!   that puts it out of memory, by an alarm.
//! - It answers [`PING`] with [`PONG`], or has its platform do that, as Cloudflare's
//!   `setWebSocketAutoResponse` does without waking the object. It may take links for dead on which
//!   nothing came for [`LINK_DEAD_AFTER`], not even that, and call [`Leader::handle_disconnected`].
//! - It notes beside each active subscription which follower holds it ([`Asked::follower`]), and none for
//!   those that it holds itself. A [`Register`](Question::Register) is done in one transaction; **what is
//!   noted already stays, and nothing is appended for it**. An [`Unregister`](Question::Unregister) of what
//!   is not noted does nothing. The leader has one of these done at a time for each follower, in order.
//! - When a follower is [gone](LeaderOutput::Gone), it notes its subscriptions as nobody's, in one
//!   transaction, and then ends what is nobody's: in many turns if they are many, and also when it starts.
//!   It tells [`Leader::new`] whose subscriptions are noted.
//!
//! # What a shell around a [`Follower`] does
//!
//! - For each subscriber it asks for the [end](Question::End) of the log; several may get the same number.
//!   When that is answered, they go to [`Holder::handle_subscribe`](crate::Holder::handle_subscribe) with
//!   that end: so nobody is greeted by a holder that does not follow. If it fails, they are asked to come
//!   back ([`Subscribe::unavailable`](crate::Subscribe::unavailable)).
//! - What its [`Holder`](crate::Holder) wants of the log, it asks: [`Question::Locate`],
//!   [`Question::Page`], [`Question::Register`], [`Question::Unregister`]. It keeps in mind for which
//!   stream, and hands the answer to the holder, or the failure to
//!   [`Holder::handle_failure`](crate::Holder::handle_failure). When a registration fails, the follower
//!   itself sees to it that it is undone.
//! - After each turn it says whether there are streams ([`Follower::handle_holds`]), and sleeps until
//!   [`Follower::poll_timeout`]. An idle follower rests after ten seconds, without link and timer.
//! - After a [`FollowerOutput::Cut`] it cuts all streams, and begins anew with another follower.
//! - Where the leader is another hub, it connects by the request that [`dial`] makes, and tells its owner
//!   why it is [`NotFollowed`]. Publications that it takes go there, too, by [`forward`].
//! - A process that shuts down has its streams end, waits until [`Follower::questions`] is zero, and
//!   closes its link by [`Follower::handle_shutdown`].
//!
//! # Both loops
//!
//! Here they are in one process, with two queues for a link. Real ones have sockets, and read their log
//! over a network; the order of things is the same.
//!
//! ```
//! # #[cfg(feature = "testing")]
//! # {
//! use std::collections::{BTreeMap, VecDeque};
//!
//! use bytes::Bytes;
//! use cinnabar_core::feed::{
//!     Answer, Follower, FollowerId, FollowerOutput, Leader, LeaderOutput, LinkId, Question, QuestionId,
//! };
//! use cinnabar_core::testing::{MemoryLog, update};
//! use cinnabar_core::{
//!     Admission, Appended, Command, Config, CursorKey, Holder, Output, Place, Platform, Request, Step,
//!     StreamId, Subscribe, Timestamp, admit,
//! };
//!
//! /// What is on its way.
//! #[derive(Default)]
//! struct Link {
//!     to_leader: VecDeque<Bytes>,
//!     to_follower: VecDeque<Bytes>,
//! }
//!
//! /// Carries out what the leader wants. Its log answers at once.
//! fn lead(leader: &mut Leader, log: &mut MemoryLog, link: &mut Link, now: Timestamp) {
//!     while let Some(output) = leader.poll_output() {
//!         match output {
//!             LeaderOutput::Send { links, bytes } => {
//!                 link.to_follower.extend(links.iter().map(|_| bytes.clone()));
//!             }
//!             LeaderOutput::Read { fetch } => {
//!                 let page = log.page_of_all(&fetch);
//!                 leader.handle_page(&fetch, Some(&page), now);
//!             }
//!             LeaderOutput::Answer { asked, question } => {
//!                 let answer = match question {
//!                     Question::End => Some(Answer::End(Place { position: log.end(), since: now })),
//!                     Question::Locate(location) => Some(Answer::Located(log.locate(&location))),
//!                     Question::Page(fetch, subscribe) => {
//!                         Some(Answer::Page(log.page(&fetch, &subscribe)))
//!                     }
//!                     // Only where `SUBSCRIPTIONS=1`; and what is appended, the leader is told as well.
//!                     Question::Register(subscriptions) => {
//!                         log.register_for(asked.follower(), &subscriptions, now);
//!                         Some(Answer::Done)
//!                     }
//!                     Question::Unregister(subscriptions) => {
//!                         log.unregister(&subscriptions, now);
//!                         Some(Answer::Done)
//!                     }
//!                     // Not by this log.
//!                     Question::List(_) => None,
//!                 };
//!                 leader.handle_answer(asked, answer);
//!             }
//!             LeaderOutput::Gone { follower } => log.unregister_all_of(follower, now),
//!             LeaderOutput::End { link, reason } => println!("{link:?} is closed: {reason}"),
//!         }
//!     }
//!     // Sleep until `leader.poll_timeout()`, and then call `leader.handle_timeout(now)`.
//! }
//!
//! /// A process that holds streams, and has no log.
//! struct Relay {
//!     config: Config,
//!     follower: Follower,
//!     holder: Option<Holder>,
//!     streams: u64,
//!     /// Who waits for the end of the log, and for what streams the other questions are.
//!     arrivals: BTreeMap<QuestionId, Vec<Subscribe>>,
//!     asked: BTreeMap<QuestionId, StreamId>,
//! }
//!
//! impl Relay {
//!     fn subscribe(&mut self, subscribe: Subscribe, now: Timestamp) {
//!         match self.follower.ask(Question::End, now) {
//!             Ok(number) => self.arrivals.entry(number).or_default().push(subscribe),
//!             Err(_) => println!("{:?}", subscribe.unavailable(now)),
//!         }
//!     }
//!
//!     /// Carries out what the follower and the holder want, until there is nothing left.
//!     fn drive(&mut self, link: &mut Link, now: Timestamp) {
//!         loop {
//!             if let Some(output) = self.follower.poll_output() {
//!                 self.carry_out(output, link, now);
//!             } else if let Some(output) = self.holder.as_mut().and_then(Holder::poll_output) {
//!                 self.carry_out_of_holder(output, now);
//!             } else if let Some((fetch, subscribe)) = self.holder.as_mut().and_then(Holder::poll_fetch) {
//!                 self.ask(fetch.stream, Question::Page(fetch, subscribe), now);
//!             } else {
//!                 break;
//!             }
//!         }
//!         let is_held = self.holder.as_ref().is_some_and(|holder| !holder.is_idle());
//!         self.follower.handle_holds(is_held, now);
//!         // Sleep until the earlier of both `poll_timeout`s, and then call that one's `handle_timeout`.
//!     }
//!
//!     fn carry_out(&mut self, output: FollowerOutput, link: &mut Link, now: Timestamp) {
//!         match output {
//!             FollowerOutput::Connect { link } => println!("{link:?} is being opened"),
//!             FollowerOutput::Send { bytes, .. } => link.to_leader.push_back(bytes),
//!             FollowerOutput::Ping { .. } => println!("the leader's side answers by itself"),
//!             FollowerOutput::Disconnect { link, reason } => println!("{link:?} is closed: {reason}"),
//!             FollowerOutput::Begin { key, end } => {
//!                 self.holder = Some(Holder::new(&self.config, key, end));
//!             }
//!             FollowerOutput::Appended { updates } => {
//!                 self.tell(|holder| holder.handle_appended(&updates, now));
//!             }
//!             FollowerOutput::Reached { place } => self.tell(|holder| holder.handle_reached(place)),
//!             FollowerOutput::Answered { question, answer: Answer::End(end) } => {
//!                 for subscribe in self.arrivals.remove(&question).into_iter().flatten() {
//!                     self.streams += 1;
//!                     let stream = StreamId::new(self.streams);
//!                     self.tell(|holder| holder.handle_subscribe(stream, subscribe, end, now));
//!                 }
//!             }
//!             FollowerOutput::Answered { question, answer } => {
//!                 let Some(stream) = self.asked.remove(&question) else { return };
//!                 self.tell(|holder| match &answer {
//!                     Answer::Located(located) => holder.handle_located(stream, located, now),
//!                     Answer::Page(page) => holder.handle_page(stream, page, now),
//!                     Answer::Done => holder.handle_registered(stream, now),
//!                     Answer::End(_) | Answer::Listing(_) => {}
//!                 });
//!             }
//!             FollowerOutput::Failed { question } => {
//!                 for subscribe in self.arrivals.remove(&question).into_iter().flatten() {
//!                     println!("{:?}", subscribe.unavailable(now));
//!                 }
//!                 let Some(stream) = self.asked.remove(&question) else { return };
//!                 self.tell(|holder| holder.handle_failure(stream, now));
//!             }
//!             FollowerOutput::Cut { loss } => {
//!                 println!("all streams are cut: {loss}");
//!                 self.holder = None;
//!                 self.follower = Follower::new(FollowerId::from_random([8; 16]), 8);
//!             }
//!         }
//!     }
//!
//!     fn carry_out_of_holder(&mut self, output: Output, now: Timestamp) {
//!         match output {
//!             Output::Locate { stream, location } => self.ask(stream, Question::Locate(location), now),
//!             Output::Register { stream, subscriptions } => {
//!                 self.ask(stream, Question::Register(subscriptions), now);
//!             }
//!             Output::Unregister { subscriptions } => {
//!                 // No stream waits for that.
//!                 let _ = self.follower.ask(Question::Unregister(subscriptions), now);
//!             }
//!             Output::Write { streams, bytes } => {
//!                 for stream in streams {
//!                     println!("{stream:?}: {bytes:?}");
//!                     self.tell(|holder| holder.handle_taken(stream, bytes.len(), now));
//!                 }
//!             }
//!             other => println!("{other:?}"),
//!         }
//!     }
//!
//!     fn ask(&mut self, stream: StreamId, question: Question, now: Timestamp) {
//!         match self.follower.ask(question, now) {
//!             Ok(number) => _ = self.asked.insert(number, stream),
//!             Err(_) => self.tell(|holder| holder.handle_failure(stream, now)),
//!         }
//!     }
//!
//!     fn tell(&mut self, what: impl FnOnce(&mut Holder)) {
//!         if let Some(holder) = &mut self.holder {
//!             what(holder);
//!         }
//!     }
//! }
//!
//! let now = Timestamp::from_millis(1_767_225_600_000);
//! let mut log = MemoryLog::default();
//! let end = Place { position: log.append(update("urn:1", "news", "before"), now), since: now };
//! let mut leader = Leader::new(CursorKey::from_bytes([7; 16]), end, [], now);
//!
//! # let variables = [("MERCURE_PUBLISHER_JWT_KEY", "k".repeat(32)), ("ANONYMOUS", "1".into())];
//! # let variables = variables.map(|(name, value)| (name.into(), value));
//! # let config = Config::read(&Platform::new("my machine"), variables)?;
//! # let url = "https://hub.example.com/.well-known/mercure?match=news&last_event_id=earliest";
//! # let request = Request::new("GET", url, []);
//! # let Step::Done(Admission::Forward(Command::Subscribe(subscribe))) =
//! #     admit(&request, &config, now, &[7; 32])
//! # else {
//! #     panic!("a subscription to public updates");
//! # };
//! let mut relay = Relay {
//!     config,
//!     follower: Follower::new(FollowerId::from_random([7; 16]), 7),
//!     holder: None,
//!     streams: 0,
//!     arrivals: BTreeMap::new(),
//!     asked: BTreeMap::new(),
//! };
//!
//! // A subscriber arrives, so the relay needs a link.
//! relay.subscribe(subscribe, now);
//! let mut link = Link::default();
//! relay.drive(&mut link, now);
//! let (at_leader, at_follower) = (LinkId::new(1), LinkId::new(1));
//! leader.handle_connected(at_leader);
//!
//! // Meanwhile, something is published.
//! let published = std::sync::Arc::new(update("urn:2", "news", "fresh"));
//! let position = log.append(published.clone(), now);
//! leader.handle_appended(&[Appended { position, update: published }]);
//!
//! loop {
//!     lead(&mut leader, &mut log, &mut link, now);
//!     relay.drive(&mut link, now);
//!     if let Some(bytes) = link.to_follower.pop_front() {
//!         relay.follower.handle_message(at_follower, &bytes, now);
//!     } else if let Some(bytes) = link.to_leader.pop_front() {
//!         leader.handle_message(at_leader, &bytes, now);
//!     } else {
//!         break;
//!     }
//! }
//! assert_eq!(relay.holder.as_ref().map(Holder::position), Some(log.end()));
//! assert_eq!(relay.holder.as_ref().map(Holder::streams), Some(1));
//! # }
//! # Ok::<(), cinnabar_core::ConfigError>(())
//! ```

pub(crate) mod bytes;
pub(crate) mod dial;
pub(crate) mod ending;
pub(crate) mod follower;
pub(crate) mod forward;
pub(crate) mod leader;
pub(crate) mod limits;
pub(crate) mod message;
pub(crate) mod names;
pub(crate) mod updates;

pub use bytes::UnknownMessage;
pub use dial::{NotFollowed, dial};
pub use ending::Ending;
pub use follower::Follower;
pub use follower::output::FollowerOutput;
pub use follower::questions::TooManyQuestions;
pub use forward::{forward, forwarded};
pub use leader::Leader;
pub use leader::output::{Asked, LeaderOutput};
pub use limits::{
    FOLLOWER_GONE, FORWARD_PATIENCE, LINK_DEAD_AFTER, MAX_FORWARDED_ANSWER, MAX_MESSAGE_SIZE,
};
pub use message::{
    Answer, Follow, Hello, Loss, Question, QuestionId, ToFollower, ToLeader, Updates,
};
pub use names::{FollowerId, LinkId};

/// What a follower sends, as a text message, to learn whether its link is alive.
pub const PING: &str = "ping";

/// What the other end of a link answers to that at once, as a text message: the platform, if it can, so
/// that nobody is woken; else the shell. No leader is told.
pub const PONG: &str = "pong";
