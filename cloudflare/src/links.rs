//! The log's side of its links: followers of the log, which hold streams elsewhere.
//!
//! ```text
//!  updates        ──▶ ┌────────┐ ──▶ bytes, ends ──▶ sockets
//!  link, message  ──▶ │ Leader │
//!  timer          ──▶ │        │ ──▶ pages, questions ──▶ OwnLog
//!                     └────────┘ ◀──────────────────────────┘
//! ```
//!
//! The runtime keeps the sockets while the object sleeps, and hands them to the next one: see
//! [`cinnabar_core::feed`]. What is sent passes its output gate, and so does not leave before what was
//! written is durable.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::sync::Arc;

use bytes::Bytes;
use cinnabar_core::feed::{Answer, Asked, Leader, LeaderOutput, LinkId, PING, PONG, Question};
use cinnabar_core::{Appended, CursorKey, Fetch, Page, Place, Subscribe, Timestamp};
use worker::js_sys::Uint8Array;
use worker::web_sys::WebSocket;
use worker::{Response, Result, WebSocketPair, console_error, console_log};

use crate::object::Object;
use crate::own_log::OwnLog;
use crate::platform;
use crate::source::Source as _;
use crate::timer::Timer;

/// All links of this log.
pub(crate) struct Links {
    object: Rc<Object>,
    log: Rc<OwnLog>,
    key: CursorKey,
    /// It keeps the object from sleep while a follower is away whose subscriptions are noted: one that slept
    /// would forget since when.
    timer: Timer,
    leader: RefCell<Leader>,
    sockets: RefCell<BTreeMap<LinkId, WebSocket>>,
}

impl Links {
    /// The links that outlived an earlier object, of this log, which ends here.
    pub(crate) fn open(
        object: Rc<Object>,
        log: Rc<OwnLog>,
        key: CursorKey,
        end: Place,
    ) -> Result<Rc<Self>> {
        object.answer_by_itself(PING, PONG)?;
        let mut sockets = BTreeMap::new();
        for socket in object.sockets()? {
            // Without a name, it is none of ours.
            if let Some(link) = name(&object, &socket) {
                sockets.insert(link, socket);
            }
        }
        let noted = log.log().followers()?;
        let mut leader = Leader::new(key.clone(), end, noted, platform::now());
        sockets.keys().for_each(|link| leader.handle_connected(*link));
        let (leader, sockets) = (RefCell::new(leader), RefCell::new(sockets));
        let links = Rc::new_cyclic(|this: &Weak<Self>| {
            let this = this.clone();
            let timer = Timer::new(move || {
                let Some(links) = this.upgrade() else { return };
                links.object.guard(|| links.tell(Leader::handle_timeout));
            });
            Self { object, log, key, timer, leader, sockets }
        });
        links.drive();
        Ok(links)
    }

    /// Opens a link: the response that goes to the follower.
    pub(crate) fn connect(self: &Rc<Self>) -> Result<Response> {
        let pair = WebSocketPair::new()?;
        // At random: an earlier object may have given any number, to a link whose end is yet to be told.
        let link = LinkId::new(u64::from_le_bytes(platform::entropy()?));
        let socket: &WebSocket = pair.server.as_ref();
        self.object.accept(socket, &link.get().to_string())?;
        self.sockets.borrow_mut().insert(link, socket.clone());
        self.tell(|leader, _| leader.handle_connected(link));
        Response::from_websocket(pair.client)
    }

    /// A link has brought a message.
    pub(crate) fn handle_message(self: &Rc<Self>, socket: &WebSocket, message: &[u8]) {
        if let Some(link) = name(&self.object, socket) {
            self.tell(|leader, now| leader.handle_message(link, message, now));
        }
    }

    /// A link has ended.
    pub(crate) fn handle_disconnected(self: &Rc<Self>, socket: &WebSocket) {
        if let Some(link) = name(&self.object, socket) {
            self.sockets.borrow_mut().remove(&link);
            self.tell(|leader, now| leader.handle_disconnected(link, now));
        }
    }

    /// These updates have become durable; they follow those of the last call, in order.
    pub(crate) fn handle_appended(self: &Rc<Self>, appended: &[Appended]) {
        self.tell(|leader, _| {
            leader.handle_appended(appended);
            if let Some(reached) = self.log.reached() {
                leader.handle_reached(reached);
            }
        });
    }

    /// Tells the leader something, and does what it wants done then.
    fn tell(self: &Rc<Self>, tell: impl FnOnce(&mut Leader, Timestamp)) {
        tell(&mut self.leader.borrow_mut(), platform::now());
        self.drive();
    }

    fn drive(self: &Rc<Self>) {
        while let Some(output) = self.poll_output() {
            self.carry_out(output);
        }
        self.timer.set(self.leader.borrow().poll_timeout());
    }

    fn poll_output(&self) -> Option<LeaderOutput> {
        self.leader.borrow_mut().poll_output()
    }

    fn carry_out(self: &Rc<Self>, output: LeaderOutput) {
        match output {
            LeaderOutput::Send { links, bytes } => self.send(&links, &bytes),
            LeaderOutput::Read { fetch } => self.read(fetch),
            LeaderOutput::Answer { asked, question } => self.find(asked, question),
            LeaderOutput::Gone { follower } => self.log.disown(follower),
            LeaderOutput::End { link, reason } => {
                console_log!("the link {} ends: {reason}", link.get());
                self.close(link);
            }
        }
    }

    fn send(&self, links: &[LinkId], bytes: &Bytes) {
        let bytes = Uint8Array::from(&bytes[..]);
        let mut lost = Vec::new();
        for link in links {
            let sockets = self.sockets.borrow();
            let Some(socket) = sockets.get(link) else { continue };
            if socket.send_with_array_buffer(&bytes.buffer()).is_err() {
                lost.push(*link);
            }
        }
        for link in lost {
            self.close(link);
            self.leader.borrow_mut().handle_disconnected(link, platform::now());
        }
    }

    /// Closes a link's socket: the runtime would go on to answer for one that is only forgotten.
    fn close(&self, link: LinkId) {
        if let Some(socket) = self.sockets.borrow_mut().remove(&link) {
            // It may have ended by itself.
            let _ = socket.close();
        }
    }

    /// Reads a page in a turn of its own, so that others run before each.
    fn read(self: &Rc<Self>, fetch: Fetch) {
        let links = Rc::clone(self);
        self.object.spawn(async move {
            platform::let_others_run().await;
            let page = links.page(&fetch, None);
            links.tell(|leader, now| leader.handle_page(&fetch, page.as_ref(), now));
        });
    }

    /// Finds the answer to a question.
    fn find(self: &Rc<Self>, asked: Asked, question: Question) {
        let links = Rc::clone(self);
        self.object.spawn(async move {
            let answer = links.answer(&asked, question).await;
            links.tell(|leader, _| leader.handle_answer(asked, answer));
        });
    }

    async fn answer(&self, asked: &Asked, question: Question) -> Option<Answer> {
        match question {
            Question::End => found(self.log.end().await).map(Answer::End),
            Question::Locate(location) => {
                found(self.log.log().locate(location)).map(Answer::Located)
            }
            Question::Page(fetch, subscribe) => {
                platform::let_others_run().await;
                self.page(&fetch, Some(&subscribe)).map(Answer::Page)
            }
            Question::Register(subscriptions) => {
                found(self.log.register_for(asked.follower(), &subscriptions))
                    .map(|()| Answer::Done)
            }
            Question::Unregister(subscriptions) => {
                self.log.end_all(&subscriptions).await;
                Some(Answer::Done)
            }
            Question::List(list) => {
                found(self.log.log().list(&list, &self.key)).map(Answer::Listing)
            }
        }
    }

    fn page(&self, fetch: &Fetch, subscriber: Option<&Arc<Subscribe>>) -> Option<Page> {
        found(self.log.log().page(fetch, subscriber.map(Arc::as_ref)))
    }
}

/// The name of the link whose socket this is.
fn name(object: &Object, socket: &WebSocket) -> Option<LinkId> {
    object.tag(socket).and_then(|tag| tag.parse().ok()).map(LinkId::new)
}

/// What the log answers, unless it fails.
fn found<T>(answer: Result<T>) -> Option<T> {
    answer.inspect_err(|error| console_error!("a follower was not answered: {error}")).ok()
}
