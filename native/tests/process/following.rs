//! Hubs that follow another: what they deliver, and what becomes of their streams when either is killed.

use crate::server::{Folder, KEY, Server, TOKEN, cinnabar, program};
use crate::tls::file;

const SECRET: &str = "a secret of thirty-two bytes that hubs share";

fn leader(folder: &Folder) -> Server {
    at("127.0.0.1:0", folder, &[])
}

/// Starts a hub that may be followed at this address.
fn at(address: &str, folder: &Folder, variables: &[(&str, &str)]) -> Server {
    let mut command = cinnabar(&folder.data());
    command.args(["--listen", address]).env("FEED_SECRET", SECRET);
    command.envs(variables.iter().copied());
    Server::announced(command)
}

fn follower(leader: &str, variables: &[(&str, &str)]) -> Server {
    let mut command = program();
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.envs([("FEED_SECRET", SECRET), ("FOLLOW", &url(leader))]);
    command.envs(variables.iter().copied());
    Server::announced(command)
}

fn url(leader: &str) -> String {
    format!("http://{leader}/.well-known/mercure")
}

/// The ids of the updates in what a stream has sent.
fn ids(read: &str) -> Vec<&str> {
    read.lines().filter_map(|line| line.strip_prefix("id: ")).collect()
}

#[test]
fn what_is_published_at_one_hub_is_delivered_and_replayed_by_those_that_follow_it() {
    let folder = Folder::create();
    let leader = leader(&folder);
    let before = leader.publish("a", "before");
    let followers = [follower(&leader.address, &[]), follower(&leader.address, &[])];
    let mut streams = followers.each_ref().map(|follower| follower.subscribe("match=a", ""));
    let fresh = leader.publish("a", "fresh");
    leader.publish("b", "for nobody");
    let last = leader.publish("a", "last");
    for stream in &mut streams {
        stream.until(&format!("id: {last}\n"));
        assert_eq!(ids(&stream.read), [fresh.as_str(), &last]);
    }
    // One that begins with history, and one that resumes, elsewhere than it was.
    for (query, fields, expected) in [
        ("match=a&last_event_id=earliest", String::new(), vec![&before, &fresh, &last]),
        ("match=a", format!("Last-Event-ID: {fresh}\r\n"), vec![&last]),
    ] {
        let mut stream = followers[1].subscribe(query, &fields);
        stream.until(&format!("id: {last}\n"));
        assert_eq!(ids(&stream.read), expected);
    }
}

#[test]
fn streams_of_a_follower_stay_open_while_its_leader_is_killed_and_miss_nothing() {
    let folder = Folder::create();
    let mut leader = leader(&folder);
    let address = leader.address.clone();
    let follower = follower(&address, &[]);
    let mut stream = follower.subscribe("match=a", "");
    let mut published = Vec::new();
    for round in 0..4 {
        published.extend((0..20).map(|number| leader.publish("a", &format!("{round}-{number}"))));
        // In one round, all of it has arrived before the kill; in the others, as much as has.
        if round == 1 {
            stream.until(&format!("id: {}\n", published[published.len() - 1]));
        }
        leader.kill();
        leader = at(&address, &folder, &[]);
    }
    published.push(leader.publish("a", "last"));
    stream.until(&format!("id: {}\n", published[published.len() - 1]));
    assert_eq!(ids(&stream.read), published);
}

#[test]
fn readers_of_a_follower_that_is_killed_resume_at_another() {
    let folder = Folder::create();
    let leader = leader(&folder);
    let mut first = follower(&leader.address, &[]);
    let mut stream = first.subscribe("match=a", "");
    let seen = leader.publish("a", "seen");
    stream.until(&format!("id: {seen}\n"));
    first.kill();
    let missed = leader.publish("a", "missed");
    let second = follower(&leader.address, &[]);
    let mut stream = second.subscribe("match=a", &format!("Last-Event-ID: {seen}\r\n"));
    let fresh = leader.publish("a", "fresh");
    stream.until(&format!("id: {fresh}\n"));
    assert_eq!(ids(&stream.read), [missed, fresh]);
}

#[test]
fn an_idle_follower_comes_back_with_the_next_reader() {
    let folder = Folder::create();
    let leader = leader(&folder);
    let follower = follower(&leader.address, &[]);
    leader.until_it_says("another hub follows this one");
    leader.until_it_says("there is no stream to follow for");
    let missed = leader.publish("a", "while nobody follows");
    let mut stream = follower.subscribe("match=a&last_event_id=earliest", "");
    let fresh = leader.publish("a", "fresh");
    stream.until(&format!("id: {fresh}\n"));
    assert_eq!(ids(&stream.read), [missed, fresh]);
}

#[test]
fn both_sides_say_what_is_wrong_with_a_secret() {
    let folder = Folder::create();
    let leader = leader(&folder);
    let other = follower(&leader.address, &[("FEED_SECRET", "another secret of thirty-two bytes")]);
    other.until_it_says("it answers 401: its FEED_SECRET is another than this hub's");
    leader.until_it_says("refused a hub that would follow this one: its FEED_SECRET is another");
    let answer = other.send(
        "GET /.well-known/mercure?match=a HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n\r\n",
    );
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    // What follows a hub is not followed itself.
    let second = follower(&other.address, &[]);
    second.until_it_says("it answers 404");
}

/// As a proxy asks that was not told to speak HTTP/1.1.
#[test]
fn whoever_would_follow_over_an_older_http_is_told_so() {
    let folder = Folder::create();
    let answer = leader(&folder).send(&format!(
        "GET /.well-known/mercure/feed HTTP/1.0\r\nHost: hub\r\nAuthorization: Bearer {SECRET}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    ));
    assert!(answer.starts_with("HTTP/1.0 426"), "{answer}");
    assert!(answer.contains("with HTTP/1.1"), "{answer}");
}

#[test]
fn a_follower_takes_no_publications_and_says_where_to_publish() {
    let folder = Folder::create();
    let leader = leader(&folder);
    let follower = follower(&leader.address, &[]);
    let answer = follower.send(&format!(
        "POST /.well-known/mercure HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 7\r\nConnection: close\r\nHost: hub\r\n\r\ntopic=a"
    ));
    assert!(answer.starts_with("HTTP/1.1 405"), "{answer}");
    assert!(answer.contains(&format!("publish at {}", url(&leader.address))), "{answer}");
}

#[test]
fn a_follower_forwards_publications_with_their_own_token() {
    let folder = Folder::create();
    let leader = leader(&folder);
    let forwards = [("FOLLOW_PUBLISH", "forward")];
    let follower = follower(&leader.address, &forwards);
    let mut streams = [&leader, &follower].map(|hub| hub.subscribe("match=a", ""));
    let id = follower.publish("a", "by way of another");
    for stream in &mut streams {
        stream.until(&format!("id: {id}\n"));
        assert!(stream.read.contains("data: by way of another\n"), "{}", stream.read);
    }
    // A token that only the leader does not take, which says so by way of the follower.
    let other_key = ("MERCURE_PUBLISHER_JWT_KEY", "another publisher's key of thirty-two bytes");
    let strict = at("127.0.0.1:0", &Folder::create(), &[other_key]);
    let follower = self::follower(&strict.address, &forwards);
    let answer = follower.send(&format!(
        "POST /.well-known/mercure HTTP/1.1\r\nAuthorization: Bearer {TOKEN}\r\nContent-Length: 7\r\nConnection: close\r\nHost: hub\r\n\r\ntopic=a"
    ));
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("www-authenticate: Bearer error=\"invalid_token\""), "{answer}");
}

#[test]
fn who_is_here_is_known_at_every_hub() {
    let folder = Folder::create();
    let variables = [("SUBSCRIPTIONS", "1"), ("MERCURE_SUBSCRIBER_JWT_KEY", KEY)];
    let mut leader = at("127.0.0.1:0", &folder, &variables);
    let address = leader.address.clone();
    let mut follower = follower(&address, &variables);
    let token = program().args(["token", "--subscribe", "*"]).envs(variables).output().unwrap();
    let token = String::from_utf8(token.stdout).unwrap();
    let shown = format!("Authorization: Bearer {}\r\n", token.trim());
    let list = |hub: &Server| {
        hub.send(&format!(
            "GET /.well-known/mercure/subscriptions HTTP/1.1\r\nHost: hub\r\nConnection: close\r\n{shown}\r\n"
        ))
    };
    let mut watcher = leader.subscribe("topic=*", &shown);
    let reader = follower.subscribe("topic=room", &shown);
    watcher.until("\"topic\":\"room\"");
    for hub in [&leader, &follower] {
        let listed = list(hub);
        assert!(listed.contains("\"topic\":\"room\""), "{listed}");
    }
    // The reader goes on, whatever becomes of the leader.
    leader.kill();
    leader = at(&address, &folder, &variables);
    assert!(list(&leader).contains("\"topic\":\"room\""));
    let mut watcher = leader.subscribe("topic=*", &shown);
    drop(reader);
    watcher.until("\"topic\":\"room\"");
    assert!(!list(&leader).contains("\"topic\":\"room\""));
    // One that ends in order takes its readers with it.
    let reader = follower.subscribe("topic=other", &shown);
    watcher.until("\"topic\":\"other\"");
    follower.signal("TERM");
    reader.rest();
    assert_eq!(follower.code(), Some(0));
    assert!(!list(&leader).contains("\"topic\":\"other\""));
}

#[test]
fn a_follower_has_no_use_for_a_file_and_says_so() {
    let folder = Folder::create();
    let leader = leader(&folder);
    let unused = folder.data().with_file_name("unused.db");
    let mut command = cinnabar(&unused);
    command.envs([("FEED_SECRET", SECRET), ("FOLLOW", &url(&leader.address))]);
    let follower = Server::announced(command);
    follower.until_it_says("is not used: a hub that follows another keeps no updates");
    assert!(!unused.exists());
}

#[test]
fn a_follower_without_a_secret_or_over_plain_http_is_a_mistake() {
    for (variables, told) in [
        (vec![("FOLLOW", "https://hub.example/hub")], "FOLLOW: is set, and FEED_SECRET is not"),
        (
            vec![("FOLLOW", "http://hub.example/hub"), ("FEED_SECRET", SECRET)],
            "FOLLOW: is not https",
        ),
        (vec![("FEED_SECRET", "a short secret")], "FEED_SECRET: is shorter than 32 bytes"),
    ] {
        let output = program().arg("check").envs(variables).output().unwrap();
        let errors = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains(told), "{errors}");
    }
}

#[test]
fn a_hub_is_followed_through_tls_by_those_who_trust_its_certificate() {
    let folder = Folder::create();
    let [chain, key] = ["certificate.pem", "key.pem"].map(file);
    let chain = chain.to_str().unwrap();
    let tls = [("TLS_CERT", chain), ("TLS_KEY", key.to_str().unwrap())];
    let leader = at("127.0.0.1:0", &folder, &tls);
    let (_, port) = leader.address.split_once(':').unwrap();
    let url = format!("https://localhost:{port}/.well-known/mercure");
    let follows = [("FOLLOW", url.as_str()), ("FOLLOW_PUBLISH", "forward")];
    let follower = follower(&leader.address, &[&follows[..], &[("SSL_CERT_FILE", chain)]].concat());
    let mut stream = follower.subscribe("match=a", "");
    let id = follower.publish("a", "through TLS");
    stream.until(&format!("id: {id}\n"));
    let wary = self::follower(&leader.address, &follows);
    wary.until_it_says("cannot be reached: invalid peer certificate");
}
