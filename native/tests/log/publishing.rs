//! How updates become durable, and reach those that follow.

use std::sync::Arc;
use std::time::Duration;

use cinnabar_core::testing::update;
use cinnabar_core::{Location, Place, Position};
use cinnabar_native::log::{Log, LogError, Retention};
use cinnabar_runtime::{Source as _, Tail as _};
use tokio::task::JoinSet;

use crate::clock::now;
use crate::folder::Folder;

const WIDE: Retention = Retention { size: 10_000, age: Duration::from_secs(24 * 3600) };

#[tokio::test]
async fn publishers_that_come_together_get_each_a_number_and_followers_all_in_order() {
    let folder = Folder::create();
    let log = Log::open(&folder.log(), WIDE, now).unwrap();
    let mut tail = log.tail(Place::undated(Position::START));
    let mut publishing = JoinSet::new();
    for number in 0..200 {
        let log = log.clone();
        publishing.spawn(async move {
            let update = Arc::new(update(&format!("urn:{number}"), "a", ""));
            (log.append(Arc::clone(&update)).await.unwrap(), update)
        });
    }
    let mut followed = Vec::new();
    while followed.len() < 200 {
        followed.extend(tail.next().await.unwrap().updates);
    }
    let mut published = publishing.join_all().await;
    published.sort_by_key(|(position, _)| *position);
    let followed: Vec<_> =
        followed.into_iter().map(|appended| (appended.position, appended.update)).collect();
    assert_eq!(followed, published);
    assert!((1..=200).map(Position::new).eq(published.iter().map(|(position, _)| *position)));
    assert_eq!(log.head().await.unwrap(), Position::new(200));
}

#[tokio::test]
async fn a_follower_gets_what_came_between_the_end_it_saw_and_its_beginning() {
    let folder = Folder::create();
    let log = Log::open(&folder.log(), WIDE, now).unwrap();
    let end = log.append(update("urn:1", "a", "").into()).await.unwrap();
    let between = log.append(update("urn:2", "a", "").into()).await.unwrap();
    let mut tail = log.tail(Place::undated(end));
    let read = tail.next().await.unwrap();
    assert_eq!(read.updates.iter().map(|it| it.position).collect::<Vec<_>>(), [between]);
    let after = log.append(update("urn:3", "a", "").into()).await.unwrap();
    let read = tail.next().await.unwrap();
    assert_eq!(read.updates.iter().map(|it| it.position).collect::<Vec<_>>(), [after]);
    assert_eq!(read.reached.position, after);
}

#[tokio::test]
async fn a_follower_of_what_is_dropped_already_is_told() {
    let folder = Folder::create();
    let log = Log::open(&folder.log(), Retention { size: 1, ..WIDE }, now).unwrap();
    for number in 1..=3 {
        log.append(update(&format!("urn:{number}"), "a", "").into()).await.unwrap();
    }
    let mut tail = log.tail(Place::undated(Position::new(1)));
    assert!(matches!(tail.next().await, Err(LogError::Overtaken)));
}

#[tokio::test]
async fn publishers_wait_for_streams_that_do_not_keep_up() {
    let folder = Folder::create();
    let log = Log::open(&folder.log(), WIDE, now).unwrap();
    let tail = log.tail(Place::undated(Position::START));
    // Nobody reads the tail: some are acknowledged, and then no more.
    let publishing = {
        let log = log.clone();
        tokio::spawn(async move {
            for number in 0..100 {
                log.append(update(&format!("urn:{number}"), "a", "").into()).await.unwrap();
            }
        })
    };
    while log.head().await.unwrap() < Position::new(2) {
        tokio::task::yield_now().await;
    }
    assert!(!publishing.is_finished());
    drop(tail);
    publishing.await.unwrap();
    assert_eq!(log.head().await.unwrap(), Position::new(100));
}

#[tokio::test]
async fn a_second_log_in_one_file_is_refused_in_words() {
    let folder = Folder::create();
    let log = Log::open(&folder.log(), WIDE, now).unwrap();
    let refused = Log::open(&folder.log(), WIDE, now).unwrap_err().to_string();
    let process = format!("is in use by another hub (process {})", std::process::id());
    assert!(refused.contains(&process), "{refused}");
    log.close().await;
    assert!(matches!(log.append(update("urn:1", "a", "").into()).await, Err(LogError::Closed)));
    Log::open(&folder.log(), WIDE, now).unwrap();
}

#[tokio::test]
async fn a_file_that_is_no_log_is_left_alone() {
    let folder = Folder::create();
    let cinnabar_native::log::Storage::File(path) = folder.log() else { unreachable!() };
    std::fs::write(
        &path,
        "a diary, which nobody may overwrite; and long enough to be looked at ".repeat(20),
    )
    .unwrap();
    let before = std::fs::read(&path).unwrap();
    let refused = Log::open(&folder.log(), WIDE, now).unwrap_err().to_string();
    assert!(refused.contains("cannot be opened"), "{refused}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn a_database_of_another_program_is_left_alone() {
    // One that is at rest, and one with a WAL, which a program left behind that was killed.
    for mode in ["DELETE", "WAL"] {
        // The second looks like a log of this version until one looks inside.
        for version in [0, 1] {
            let folder = Folder::create();
            let cinnabar_native::log::Storage::File(path) = folder.log() else { unreachable!() };
            let of_its_program = Folder::create();
            let cinnabar_native::log::Storage::File(original) = of_its_program.log() else {
                unreachable!()
            };
            let theirs = rusqlite::Connection::open(&original).unwrap();
            theirs.pragma_update(None, "journal_mode", mode).unwrap();
            theirs.pragma_update(None, "user_version", version).unwrap();
            theirs.execute_batch("CREATE TABLE diary (day, text)").unwrap();
            let wal = |path: &std::path::Path| path.with_extension("db-wal");
            std::fs::copy(&original, &path).unwrap();
            if mode == "WAL" {
                std::fs::copy(wal(&original), wal(&path)).unwrap();
            }
            let files = || [std::fs::read(&path).ok(), std::fs::read(wal(&path)).ok()];
            let before = files();
            let refused = Log::open(&folder.log(), WIDE, now).unwrap_err().to_string();
            assert!(
                refused.contains("is not a log of this version"),
                "{mode} {version}: {refused}"
            );
            assert!(files() == before, "{mode} {version}: it was changed");
        }
    }
}

#[tokio::test]
async fn no_more_is_kept_than_is_configured() {
    let folder = Folder::create();
    let log = Log::open(&folder.log(), Retention { size: 5, ..WIDE }, now).unwrap();
    let mut publishing = JoinSet::new();
    for number in 0..50 {
        let log = log.clone();
        publishing.spawn(async move {
            log.append(update(&format!("urn:{number}"), "a", "").into()).await
        });
    }
    publishing.join_all().await;
    let kept = log.locate(Location::Told(Place::undated(Position::new(45)))).await.unwrap();
    assert_eq!(kept, cinnabar_core::Located::Kept);
    let dropped = log.locate(Location::Told(Place::undated(Position::new(44)))).await.unwrap();
    assert_eq!(dropped, cinnabar_core::Located::Unknown);
}
