use super::*;

const PATIENCE: Duration = Duration::from_secs(1);

fn at(seconds: u64) -> Moment {
    Moment {
        wall: Timestamp::from_millis(seconds * 1_000),
        monotonic: Duration::from_secs(seconds),
    }
}

fn update(number: u64) -> Numbered<u64> {
    Numbered { position: Position::new(number), cell: held(number) }
}

fn held(update: u64) -> Cell<u64> {
    Cell::Update { expires: at(1_000).wall, allotted: at(0).wall, update }
}

fn timing() -> Timing {
    Timing::new(Duration::from_secs(1_000))
}

/// A reader that owes everything, from the start.
fn reader() -> Reader<u64> {
    Reader::new(Place::undated(Position::START), at(0).wall)
}

fn look(cells: &[u64], seconds: u64) -> Look<u64> {
    let cells: Vec<_> = cells.iter().copied().map(update).collect();
    let known = cells.last().map_or(Position::START, |last| last.position);
    Look { asked: at(seconds).wall, cells, known, cut: false }
}

fn poll(reader: &mut Reader<u64>, cells: &[u64], seconds: u64) {
    reader.handle_look(&timing(), look(cells, seconds), at(seconds), || PATIENCE);
}

fn step(reader: &mut Reader<u64>, seconds: u64) -> Step<u64> {
    reader.step(&timing(), at(seconds))
}

fn steps(reader: &mut Reader<u64>, seconds: u64) -> Vec<Step<u64>> {
    let mut steps = Vec::new();
    loop {
        let step = step(reader, seconds);
        let done = !matches!(step, Step::Deliver(..) | Step::Pass(_));
        steps.push(step);
        if done {
            return steps;
        }
    }
}

fn delivered(number: u64) -> Step<u64> {
    Step::Deliver(Position::new(number), number)
}

#[test]
fn it_stops_at_a_missing_number() {
    let mut reader = reader();
    poll(&mut reader, &[1, 2, 4], 0);
    assert_eq!(steps(&mut reader, 0), [delivered(1), delivered(2), Step::Poll]);
    assert!(reader.waits());
    poll(&mut reader, &[3, 4], 0);
    assert_eq!(steps(&mut reader, 0), [delivered(3), delivered(4), Step::Poll]);
    assert!(!reader.waits());
}

#[test]
fn one_poll_is_never_enough_to_seal() {
    let mut reader = reader();
    poll(&mut reader, &[2], 0);
    assert_eq!(step(&mut reader, 100), Step::Poll);
    poll(&mut reader, &[2], 0);
    assert_eq!(step(&mut reader, 100), Step::Poll, "the second came too soon");
    poll(&mut reader, &[2], 1);
    assert_eq!(step(&mut reader, 1), Step::Probe(Position::new(1)));
}

#[test]
fn what_was_missing_and_is_sealed_is_passed() {
    let mut reader = reader();
    poll(&mut reader, &[3], 0);
    poll(&mut reader, &[3], 1);
    for number in [1, 2].map(Position::new) {
        assert_eq!(step(&mut reader, 1), Step::Probe(number), "both were missing together");
        assert_eq!(step(&mut reader, 1), Step::Probe(number), "a probe may fail");
        reader.handle_probe(number, None);
        assert_eq!(step(&mut reader, 1), Step::Seal(number));
        reader.handle_seal(number, Seal::Written, at(1));
        assert_eq!(step(&mut reader, 1), Step::Pass(number));
    }
    assert_eq!(steps(&mut reader, 1), [delivered(3), Step::Poll]);
}

#[test]
fn a_refused_seal_brings_what_was_first() {
    let mut reader = reader();
    poll(&mut reader, &[2], 0);
    poll(&mut reader, &[2], 1);
    reader.handle_probe(Position::new(1), None);
    reader.handle_seal(Position::new(1), Seal::Refused(held(1)), at(1));
    assert_eq!(steps(&mut reader, 1), [delivered(1), delivered(2), Step::Poll]);
}

#[test]
fn a_number_below_a_known_one_is_missing_though_no_cell_follows() {
    let mut reader = reader();
    for seconds in [0, 1] {
        let look = Look { known: Position::new(1), ..look(&[], seconds) };
        reader.handle_look(&timing(), look, at(seconds), || PATIENCE);
    }
    assert_eq!(step(&mut reader, 1), Step::Probe(Position::new(1)));
}

#[test]
fn an_update_is_owed_that_had_not_expired_when_the_stream_was_located() {
    // Each expires after 1,000 s.
    for (owes_since, expected) in [(999, delivered(1)), (1_000, Step::Pass(Position::new(1)))] {
        let start = Place::undated(Position::START);
        let mut reader = Reader::new(start, at(owes_since).wall);
        poll(&mut reader, &[1], 1_010);
        assert_eq!(step(&mut reader, 1_010), expected);
    }
}

#[test]
fn it_stops_when_what_it_owes_may_be_deleted() {
    for (seconds, expected) in [(3_590, delivered(1)), (3_591, Step::Overtaken)] {
        let mut reader = reader();
        poll(&mut reader, &[1], 3_590);
        assert_eq!(step(&mut reader, seconds), expected, "{seconds}");
    }
    // What it learns after that comes too late.
    let mut reader = reader();
    poll(&mut reader, &[], 3_591);
    let _ = reader.place(&timing());
    assert_eq!(step(&mut reader, 3_591), Step::Overtaken);
}

#[test]
fn it_lives_for_as_long_as_it_keeps_up() {
    let mut reader = reader();
    for seconds in (0..100_000).step_by(3_000) {
        poll(&mut reader, &[], seconds);
        assert_eq!(step(&mut reader, seconds), Step::Poll, "{seconds}");
    }
}

#[test]
fn it_stops_when_a_tombstone_waits_behind_a_hole_for_too_long() {
    let mut reader = reader();
    poll(&mut reader, &[], 10);
    for (seconds, expected) in
        [(20, Step::Poll), (3_610, Step::Probe(Position::new(1))), (3_611, Step::Overtaken)]
    {
        let sealed = at(20).wall;
        let cells = vec![Numbered { position: Position::new(2), cell: Cell::Tombstone { sealed } }];
        let look = Look { cells, known: Position::new(2), ..look(&[], seconds) };
        reader.handle_look(&timing(), look, at(seconds), || PATIENCE);
        assert_eq!(step(&mut reader, seconds), expected, "{seconds}");
    }
}

/// Its place, and the date of that in seconds.
fn place(reader: &mut Reader<u64>) -> (u64, u64) {
    let Place { position, since } = reader.place(&timing());
    (position.get(), since.as_millis() / 1_000)
}

fn allotted(number: u64, seconds: u64) -> Numbered<u64> {
    let expires = at(seconds + 1_000).wall;
    let cell = Cell::Update { expires, allotted: at(seconds).wall, update: number };
    Numbered { position: Position::new(number), cell }
}

#[test]
fn a_place_is_dated_before_the_look_that_showed_nothing_past_it() {
    let mut reader = reader();
    assert_eq!(place(&mut reader), (0, 0));
    let asked_at_70 = Look { asked: at(70).wall, ..look(&[1], 80) };
    reader.handle_look(&timing(), asked_at_70, at(80), || PATIENCE);
    assert_eq!(place(&mut reader), (0, 0), "there is something past it");
    assert_eq!(step(&mut reader, 80), delivered(1));
    assert_eq!(place(&mut reader), (1, 70));
    poll(&mut reader, &[], 90);
    assert_eq!(place(&mut reader), (1, 90));
}

#[test]
fn a_place_before_a_hole_is_no_newer_than_what_waits_behind_the_hole() {
    let mut reader = reader();
    poll(&mut reader, &[], 50);
    for seconds in [100, 200] {
        let cells = vec![allotted(2, 60), allotted(3, 55)];
        let look = Look { cells, known: Position::new(3), ..look(&[], seconds) };
        reader.handle_look(&timing(), look, at(seconds), || PATIENCE);
        assert_eq!(place(&mut reader), (0, 55));
    }
    reader.handle_probe(Position::new(1), Some(held(1)));
    assert_eq!(steps(&mut reader, 200).len(), 4);
    assert_eq!(place(&mut reader), (3, 200));
}

#[test]
fn a_query_that_was_cut_dates_a_place_by_its_last_cell() {
    let mut reader = reader();
    let cut = |reader: &mut Reader<u64>, number, seconds| {
        let known = Position::new(number);
        let cells = vec![allotted(number, seconds)];
        let look = Look { cells, known, cut: true, ..look(&[], 500) };
        reader.handle_look(&timing(), look, at(500), || PATIENCE);
        assert!(matches!(step(reader, 500), Step::Deliver(..)));
    };
    cut(&mut reader, 1, 300);
    assert_eq!(place(&mut reader), (1, 0), "nobody knows what is past it");
    poll(&mut reader, &[], 310);
    cut(&mut reader, 2, 400);
    assert_eq!(place(&mut reader), (2, 400));
}

/// A tombstone is as young as its seal, and may be much younger than what follows it.
#[test]
fn a_query_that_was_cut_behind_a_tombstone_is_not_dated_by_its_seal() {
    let mut reader = reader();
    poll(&mut reader, &[], 10);
    assert_eq!(place(&mut reader), (0, 10));
    // Number 1 was given to a publisher that died; number 2 was published at 100, and is past
    // the end of the page. Somebody sealed 1 long after, at 400.
    let cells = vec![Numbered {
        position: Position::new(1),
        cell: Cell::Tombstone { sealed: at(400).wall },
    }];
    let look = Look { cells, known: Position::new(1), cut: true, ..look(&[], 500) };
    reader.handle_look(&timing(), look, at(500), || PATIENCE);
    assert_eq!(step(&mut reader, 500), Step::Pass(Position::new(1)));
    let (position, since) = place(&mut reader);
    assert_eq!(position, 1);
    assert!(since <= 100, "2 follows, and was published at 100: {since}");
}
