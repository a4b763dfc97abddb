//! The outputs of a holder that have yet to be carried out.
//!
//! Updates that become durable together mostly go to the same streams. They are joined here, once
//! for all of those streams: a shell then does for a few updates what it would do for each, and
//! their bytes are kept once.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::streams::output::Output;
use crate::streams::stream_id::StreamId;

/// How many bytes are joined at most: enough that what a write costs no longer counts.
const JOINED: usize = 64 * 1024;

/// What a holder wants done, in order.
#[derive(Debug, Default)]
pub(crate) struct Outputs {
    queue: VecDeque<Output>,
    /// What is last, if that is an update.
    run: Option<Run>,
}

/// Updates in a row for the same streams.
#[derive(Debug)]
struct Run {
    streams: Vec<StreamId>,
    frames: Vec<Bytes>,
    length: usize,
}

impl Outputs {
    pub(crate) fn push(&mut self, output: Output) {
        self.end_run();
        self.queue.push_back(output);
    }

    /// Has an update written to these streams. To each of them something was written before, since
    /// the first bytes of a response are sent alone.
    pub(crate) fn push_update(&mut self, streams: Vec<StreamId>, frame: Bytes) {
        match &mut self.run {
            Some(run) if run.length + frame.len() <= JOINED && run.streams == streams => {
                run.length += frame.len();
                run.frames.push(frame);
            }
            _ => {
                self.end_run();
                self.run = Some(Run { streams, length: frame.len(), frames: vec![frame] });
            }
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.queue.is_empty() && self.run.is_none()
    }

    pub(crate) fn pop(&mut self) -> Option<Output> {
        if self.queue.is_empty() {
            self.end_run();
        }
        self.queue.pop_front()
    }

    fn end_run(&mut self) {
        if let Some(Run { streams, frames, .. }) = self.run.take() {
            let bytes = match &frames[..] {
                [frame] => frame.clone(),
                frames => frames.concat().into(),
            };
            self.queue.push_back(Output::Write { streams, bytes });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: StreamId = StreamId::new(1);
    const OTHER: StreamId = StreamId::new(2);

    fn written(outputs: &mut Outputs) -> Vec<(Vec<StreamId>, String)> {
        std::iter::from_fn(|| outputs.pop())
            .map(|output| match output {
                Output::Write { streams, bytes } => {
                    (streams, String::from_utf8(bytes.to_vec()).unwrap())
                }
                Output::Cut { stream } => (vec![stream], "cut".to_owned()),
                other => panic!("{other:?}"),
            })
            .collect()
    }

    #[test]
    fn updates_in_a_row_for_the_same_streams_are_joined() {
        let mut outputs = Outputs::default();
        outputs.push_update(vec![ONE, OTHER], "a".into());
        outputs.push_update(vec![ONE, OTHER], "b".into());
        outputs.push_update(vec![ONE], "c".into());
        outputs.push(Output::Cut { stream: OTHER });
        outputs.push_update(vec![ONE], "d".into());
        outputs.push_update(vec![ONE], "e".into());
        let expected =
            [(vec![ONE, OTHER], "ab"), (vec![ONE], "c"), (vec![OTHER], "cut"), (vec![ONE], "de")];
        assert_eq!(
            written(&mut outputs),
            expected.map(|(streams, text)| (streams, text.to_owned()))
        );
    }

    #[test]
    fn what_is_joined_is_bounded() {
        let mut outputs = Outputs::default();
        for length in [JOINED - 1, 1, 1, JOINED + 1, 1] {
            outputs.push_update(vec![ONE], vec![b'x'; length].into());
        }
        let lengths: Vec<usize> =
            written(&mut outputs).iter().map(|(_, text)| text.len()).collect();
        assert_eq!(lengths, [JOINED, 1, JOINED + 1, 1]);
    }
}
