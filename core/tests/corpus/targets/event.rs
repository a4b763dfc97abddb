//! The bytes of a stream, read strictly: each write is one comment, one position event, the events of
//! updates, or the last words to a reader that is told no position.

/// What a write says, or a part of it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Comment,
    LastWords,
    Position { cursor: String },
    Update(Event),
}

/// An event, as a reader dispatches it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) event_type: Option<String>,
    pub(crate) retry: Option<u32>,
    pub(crate) id: String,
    pub(crate) data: String,
}

/// Reads one write (HTML standard, section 9.2).
pub(crate) fn read(bytes: &[u8]) -> Vec<Written> {
    let text = std::str::from_utf8(bytes).expect("streams are UTF-8");
    let parts: Vec<Written> = text.split_inclusive("\n\n").map(read_part).collect();
    let are_updates = parts.iter().all(|part| matches!(part, Written::Update(_)));
    assert!(are_updates || parts.len() == 1, "{text:?}");
    parts
}

fn read_part(text: &str) -> Written {
    if text == ":\n" {
        return Written::Comment;
    }
    if let Some(retry) = text.strip_prefix("retry: ").and_then(|rest| rest.strip_suffix('\n'))
        && retry.bytes().all(|byte| byte.is_ascii_digit())
    {
        let millis: u64 = retry.parse().expect("a whole number");
        assert!((2_000..=8_000).contains(&millis), "{text:?}");
        return Written::LastWords;
    }
    assert!(!text.contains('\r'), "a carriage return would end a line: {text:?}");
    let lines = text.strip_suffix("\n\n").expect("an event ends with a blank line");
    let mut event = Event::default();
    let mut id = None;
    let mut data = Vec::new();
    for line in lines.split('\n') {
        assert!(!line.is_empty(), "a blank line inside an event: {text:?}");
        let (name, value) = line.split_once(':').expect("a field has a value");
        let value = value.strip_prefix(' ').unwrap_or(value).to_owned();
        match name {
            "event" => assert!(event.event_type.replace(value).is_none(), "{text:?}"),
            "retry" => {
                let millis = value.parse().expect("a whole number");
                assert!(event.retry.replace(millis).is_none(), "{text:?}");
            }
            "id" => assert!(id.replace(value).is_none(), "{text:?}"),
            "data" => data.push(value),
            _ => panic!("no field of the hub's: {line:?}"),
        }
    }
    event.id = id.expect("every event has an id");
    assert!(
        lines.ends_with(&format!("\nid: {}", event.id)),
        "an id counts with its line: {text:?}"
    );
    event.data = data.join("\n");
    if event.event_type.as_deref() == Some("cinnabar") && event.id.starts_with('#') {
        assert_eq!(event.data, "", "a position event holds nothing");
        return Written::Position { cursor: event.id };
    }
    assert!(!event.id.starts_with('#'), "an update's id must not be a fragment: {text:?}");
    Written::Update(event)
}
