//! The program `fakes`, as an example in another process meets it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use integrations_testkit::oauth::Dialect;
use serde_json::Value;

/// Starts the program, reads so many lines, and lets it end.
fn ready(arguments: &[&str], lines: usize) -> Vec<Value> {
    let mut program = Command::new(env!("CARGO_BIN_EXE_fakes"));
    program.args(arguments).arg("--until-stdin-closes").stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = program.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap()).lines();
    let read = (0..lines).map(|_| serde_json::from_str(&output.next().unwrap().unwrap()).unwrap()).collect();
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert!(output.next().is_none(), "it prints a line for each fake and no more");
    read
}

#[test]
fn alone_it_is_the_fake_google() {
    let lines = ready(&["--events", "10"], 1);
    assert_eq!((&lines[0]["service"], &lines[0]["user"]), (&"google".into(), &"ada@example.com".into()));
}

#[test]
fn it_also_runs_the_fake_slack() {
    for slack in [["--slack"].as_slice(), &["--slack", "0", "--slack-tiers", "restricted"]] {
        let lines = ready(&[slack, &["--slack-channels", "3", "--user", "grace@example.com"]].concat(), 2);
        let line = &lines[1];
        assert_eq!((&line["service"], &line["user"]), (&"slack".into(), &"grace@example.com".into()));
        assert!(line["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
        assert!(line["team_id"].as_str().unwrap().starts_with('T'), "{line}");
    }
}

#[test]
fn it_also_runs_the_fake_github() {
    let lines = ready(&["--github", "--github-repositories", "3", "--user", "grace@example.com"], 2);
    let line = &lines[1];
    assert_eq!((&line["service"], &line["login"]), (&"github".into(), &"grace".into()));
    assert!(line["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
}

#[test]
fn it_also_runs_the_fake_zoom() {
    let lines = ready(&["--zoom", "--zoom-meetings", "3", "--user", "grace@example.com"], 2);
    let line = &lines[1];
    assert_eq!((&line["service"], &line["user"]), (&"zoom".into(), &"grace@example.com".into()));
    assert!(line["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
}

#[test]
fn it_runs_the_oauth_servers_that_are_asked_for() {
    let lines = ready(&["--oauth", "all", "--second-user", "grace@example.com"], 6);
    assert_eq!(lines[0]["service"], "google");
    let names: Vec<_> = lines[1..].iter().map(|line| line["dialect"].as_str().unwrap()).collect();
    assert_eq!(names, Dialect::ALL.map(Dialect::name));
    for line in &lines[1..] {
        assert!(line["url"].as_str().unwrap().starts_with("http://127.0.0.1:"), "{line}");
        assert_eq!((&line["service"], &line["users"][1]), (&"oauth".into(), &"grace@example.com".into()));
    }
    assert_eq!(ready(&["--oauth", "slack,zoom"], 3)[2]["dialect"], "zoom");
}

#[test]
fn it_runs_the_fake_graph_when_it_is_asked_to() {
    let lines = ready(&["--events", "10", "--messages", "10", "--msgraph", "--user", "grace@example.com"], 2);
    assert_eq!((&lines[1]["service"], &lines[1]["user"]), (&"msgraph".into(), &"grace@example.com".into()));
}

#[test]
fn it_says_what_is_wrong_with_a_server_that_it_does_not_have() {
    for wrong in ["yahoo", "slack:high", "all:8101"] {
        let answer = Command::new(env!("CARGO_BIN_EXE_fakes")).args(["--oauth", wrong]).output().unwrap();
        assert!(!answer.status.success(), "{wrong}");
    }
}
