//! A reader of an event stream, as the HTML standard describes it (section 9.2).

/// An event that reached the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) event_type: String,
    pub(crate) data: String,
    pub(crate) id: String,
}

/// A reader: its connections come and go, but its last event id stays.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) last_event_id: String,
    /// Everything dispatched so far, including position events.
    pub(crate) events: Vec<Event>,
    /// How many comment lines were read.
    pub(crate) comments: usize,
    buffer: String,
    id: String,
    event_type: String,
    data: Vec<String>,
}

impl Client {
    /// Starts a new connection: anything half read is forgotten.
    pub(crate) fn reconnect(&mut self) {
        self.buffer.clear();
        self.event_type.clear();
        self.data.clear();
        self.id = self.last_event_id.clone();
    }

    pub(crate) fn read(&mut self, bytes: &[u8]) {
        self.buffer.push_str(std::str::from_utf8(bytes).expect("streams are UTF-8"));
        while let Some(end) = self.buffer.find('\n') {
            let line: String = self.buffer.drain(..=end).collect();
            self.line(line.trim_end_matches('\n'));
        }
    }

    fn line(&mut self, line: &str) {
        assert!(!line.contains('\r'), "a carriage return would end a line: {line:?}");
        if line.is_empty() {
            return self.dispatch();
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match name {
            "" => self.comments += 1,
            "event" => self.event_type = value,
            "data" => self.data.push(value),
            "id" => self.id = value,
            "retry" => assert!(value.bytes().all(|byte| byte.is_ascii_digit())),
            _ => panic!("no such field: {line:?}"),
        }
    }

    fn dispatch(&mut self) {
        self.last_event_id.clone_from(&self.id);
        let event_type = std::mem::take(&mut self.event_type);
        if self.data.is_empty() {
            return;
        }
        let data = std::mem::take(&mut self.data).join("\n");
        let id = self.id.clone();
        self.events.push(Event { event_type, data, id });
    }

    /// The data of the updates read so far, in order.
    pub(crate) fn updates(&self) -> Vec<&str> {
        let updates = self.events.iter().filter(|event| event.event_type != "cinnabar");
        updates.map(|event| event.data.as_str()).collect()
    }
}
