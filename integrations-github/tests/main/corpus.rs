//! Payloads that no one here wrote: every issue, pull request, comment, review and notification in them is
//! normalised, or quarantined for a reason that is listed here by name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use integrations_core::model::{Comment, Entity, Issue, IssueState, Notification, PersonRef, Record};
use integrations_testkit::github::FakeGitHubBuilder;
use serde_json::Value;

use crate::host::Host;
use crate::items::normalise;

/// The folders, and how many of each kind there are at the least, in the order of [`KINDS`].
#[rustfmt::skip]
const FOLDERS: &[(&str, [usize; 6])] = &[
    ("github-webhooks",      [20, 15, 2, 4, 3, 0]),
    ("github-rest-examples", [10,  3, 1, 2, 4, 2]),
    ("github-recorded",      [40,  0, 0, 0, 0, 0]),
    ("peer-octocrab",        [ 3,  3, 3, 2, 0, 0]),
];

const KINDS: [Kind; 6] =
    [Kind::Issue, Kind::Pull, Kind::Comment, Kind::ReviewComment, Kind::Review, Kind::Notification];

/// What cannot be read, and why. Nothing else may be quarantined.
const QUARANTINED: &[(&str, &str)] = &[];

fn data(folder: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(folder);
    if path.is_dir() {
        return Some(path);
    }
    println!("skipped: ../shared/data/{folder} is not here");
    None
}

/// All JSON files below a folder, with their names from there on.
fn files(folder: &Path, below: &Path, found: &mut Vec<(String, Value)>) {
    let mut entries: Vec<_> = std::fs::read_dir(below).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(folder, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "json") {
            let name = path.strip_prefix(folder).unwrap().to_string_lossy().into_owned();
            found.push((name, serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap()));
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Issue,
    Pull,
    Comment,
    ReviewComment,
    Review,
    Notification,
}

fn text<'a>(wire: &'a Value, path: &str) -> Option<&'a str> {
    wire.pointer(path).and_then(Value::as_str).filter(|text| !text.is_empty())
}

/// Whether an address ends in a collection and a number.
fn names(url: Option<&str>, collection: &str) -> bool {
    let Some((before, number)) = url.and_then(|url| url.rsplit_once('/')) else { return false };
    before.ends_with(collection) && number.parse::<u64>().is_ok()
}

/// What is a resource that the model has, by the page that shows it.
fn kind(value: &Value) -> Option<Kind> {
    let page = text(value, "/html_url").unwrap_or_default();
    if page.contains("#issuecomment-") {
        Some(Kind::Comment)
    } else if page.contains("#discussion_r") || page.contains("#discussion-diff") {
        Some(Kind::ReviewComment)
    } else if page.contains("#pullrequestreview-") {
        Some(Kind::Review)
    } else if value.get("subject").is_some() && value.get("unread").is_some() {
        Some(Kind::Notification)
    } else if names(text(value, "/url"), "/pulls")
        && value.get("diff_url").is_some()
        && value.get("head").is_some()
    {
        Some(Kind::Pull)
    } else if names(text(value, "/url"), "/issues") && value.get("node_id").is_some() {
        Some(Kind::Issue)
    } else {
        None
    }
}

/// Everything in a value that is such a resource, wherever it stands.
fn resources<'a>(value: &'a Value, found: &mut Vec<(Kind, &'a Value)>) {
    if let Some(kind) = kind(value) {
        found.push((kind, value));
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| resources(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| resources(value, found)),
        _ => {}
    }
}

#[test]
fn every_resource_is_normalised_or_quarantined_by_name() {
    let mut quarantined = Vec::new();
    let mut missing = false;
    for (folder, least) in FOLDERS {
        let Some(path) = data(folder) else {
            missing = true;
            continue;
        };
        let mut all = Vec::new();
        files(&path, &path, &mut all);
        let mut counts: BTreeMap<Kind, [usize; 3]> = BTreeMap::new();
        for (name, value) in &all {
            let mut found = Vec::new();
            resources(value, &mut found);
            for (kind, wire) in found {
                let count = counts.entry(kind).or_default();
                count[0] += 1;
                match normalise(wire.to_string()) {
                    Ok(record) => {
                        count[1] += 1;
                        keeps_every_field(&format!("{folder}/{name}"), kind, wire, &record);
                    }
                    Err(item) => {
                        count[2] += 1;
                        quarantined
                            .push((format!("{folder}/{name}"), format!("{}: {}", item.path, item.reason)));
                    }
                }
            }
        }
        for (kind, [seen, normalised, quarantined]) in &counts {
            println!("{folder}: {seen} seen of {kind:?}, {normalised} normalised, {quarantined} quarantined");
        }
        for (kind, least) in KINDS.iter().zip(least) {
            let seen = counts.get(kind).map_or(0, |count| count[0]);
            assert!(seen >= *least, "{folder}: {seen} of {kind:?}");
        }
    }
    if missing {
        return;
    }
    let listed: Vec<(String, String)> =
        QUARANTINED.iter().map(|(name, reason)| ((*name).to_owned(), (*reason).to_owned())).collect();
    assert_eq!(quarantined, listed);
}

/// What is no resource of the model is not taken for one, though it has the same fields: milestones and discussions
/// have a number, a title and a state.
#[test]
fn nothing_else_is_taken_for_a_resource() {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (folder, _) in FOLDERS {
        let Some(path) = data(folder) else { return };
        let mut all = Vec::new();
        files(&path, &path, &mut all);
        for (name, value) in &all {
            others(value, &mut |what, other| {
                *counts.entry(what.to_owned()).or_default() += 1;
                assert!(normalise(other.to_string()).is_err(), "{folder}/{name}: {what}");
            });
        }
    }
    println!("{counts:?}");
    for what in [
        "milestone",
        "discussion",
        "repository",
        "user",
        "label",
        "commit",
        "check_run",
        "check_suite",
        "comment",
    ] {
        assert!(counts.get(what).is_some_and(|count| *count > 0), "{what}");
    }
}

fn others<'a>(value: &'a Value, seen: &mut dyn FnMut(&'a str, &'a Value)) {
    const OTHERS: &[&str] = &[
        "branch",
        "check_run",
        "check_suite",
        "comment",
        "commit",
        "deployment",
        "discussion",
        "head_commit",
        "installation",
        "label",
        "license",
        "milestone",
        "organization",
        "owner",
        "release",
        "repository",
        "sender",
        "team",
        "user",
        "workflow_run",
    ];
    match value {
        Value::Array(items) => items.iter().for_each(|item| others(item, seen)),
        Value::Object(fields) => {
            for (name, value) in fields {
                if OTHERS.contains(&name.as_str()) && value.is_object() && kind(value).is_none() {
                    seen(name, value);
                }
                others(value, seen);
            }
        }
        _ => {}
    }
}

/// Repositories, each by its number, the first one of each. What is named in passing has a few fields alone.
fn repositories(value: &Value, found: &mut BTreeMap<u64, Value>) {
    let fields = ["full_name", "owner", "private", "html_url", "fork"];
    if let (Some(id), true) = (number(value, "/id"), fields.iter().all(|field| value.get(field).is_some())) {
        found.entry(id).or_insert_with(|| value.clone());
    }
    match value {
        Value::Array(items) => items.iter().for_each(|item| repositories(item, found)),
        Value::Object(fields) => fields.values().for_each(|value| repositories(value, found)),
        _ => {}
    }
}

#[tokio::test]
async fn every_repository_is_a_stream() {
    let mut found = BTreeMap::new();
    for (folder, _) in FOLDERS {
        let Some(path) = data(folder) else { return };
        let mut all = Vec::new();
        files(&path, &path, &mut all);
        for (_, value) in &all {
            repositories(value, &mut found);
        }
    }
    let host = Host::with(FakeGitHubBuilder::with_lasting_tokens).await;
    for repository in found.values() {
        host.fake.raw_repository(&repository.to_string());
    }
    let connection = host.connect().await;
    let mut streams = host.gateway.streams(&connection.id).await.unwrap();
    streams.retain(|stream| stream.id.as_str() != integrations_github::NOTIFICATIONS);
    assert_eq!(streams.len(), found.len());
    for stream in streams {
        let repository = &found[&stream.id.as_str().parse().unwrap()];
        assert_eq!(Some(stream.title.as_str()), text(repository, "/full_name"));
        assert_eq!(stream.frozen, repository["archived"] == true, "{}", stream.title);
        assert_eq!(stream.access.is_some(), repository["permissions"].is_object(), "{}", stream.title);
    }
    println!("{} repositories seen, all of them streams", found.len());
    assert!(found.len() > 10);
}

/// Each field that the model has, and the payload too, has arrived.
fn keeps_every_field(name: &str, kind: Kind, wire: &Value, record: &Record) {
    let updated = text(wire, "/updated_at");
    assert_eq!(record.source.version.as_deref(), updated, "{name}");
    assert_eq!(record.source.modified_at, time(updated.or(text(wire, "/submitted_at"))), "{name}");
    match (&record.entity, kind) {
        (Entity::Issue(issue), Kind::Issue | Kind::Pull) => issue_keeps(name, kind, wire, issue, record),
        (Entity::Comment(comment), Kind::Comment | Kind::ReviewComment | Kind::Review) => {
            comment_keeps(name, kind, wire, comment, record);
        }
        (Entity::Notification(notification), Kind::Notification) => {
            notification_keeps(name, wire, notification, record);
        }
        (other, kind) => panic!("{name}: a {kind:?} is {other:?}"),
    }
}

fn time(text: Option<&str>) -> Option<DateTime<Utc>> {
    text.map(|text| text.parse().unwrap())
}

fn length(wire: &Value, path: &str) -> usize {
    wire.pointer(path).and_then(Value::as_array).map_or(0, Vec::len)
}

fn number(wire: &Value, path: &str) -> Option<u64> {
    wire.pointer(path).and_then(Value::as_u64)
}

/// Whether it is the person that stands there.
fn is(person: Option<&PersonRef>, wire: &Value, path: &str) -> bool {
    let Some(wire) = wire.pointer(path).filter(|wire| wire.is_object()) else { return person.is_none() };
    person.is_some_and(|person| {
        person.id == wire["id"].as_u64().map(|id| id.to_string())
            && person.name.as_deref() == wire["login"].as_str()
            && person.is_bot == (wire["type"] == "Bot")
    })
}

/// `owner/name`, out of a page's address.
fn project(wire: &Value) -> Option<String> {
    let mut parts = text(wire, "/html_url")?.split('/').skip(3);
    Some(format!("{}/{}", parts.next()?, parts.next()?))
}

/// The sum of the reactions is what GitHub says.
fn reactions_keep(name: &str, wire: &Value, reactions: &[integrations_core::model::Reaction]) {
    let sum: u64 = reactions.iter().map(|reaction| reaction.count).sum();
    assert_eq!(sum, number(wire, "/reactions/total_count").unwrap_or(0), "{name}");
    for reaction in reactions {
        assert_eq!(
            number(&wire["reactions"], &format!("/{}", reaction.name)),
            Some(reaction.count),
            "{name}"
        );
    }
}

fn issue_keeps(name: &str, kind: Kind, wire: &Value, issue: &Issue, record: &Record) {
    assert_eq!(Some(issue.id.as_str()), wire["number"].as_u64().map(|n| n.to_string()).as_deref(), "{name}");
    assert_eq!((issue.number, record.id()), (number(wire, "/number"), issue.id.as_str()), "{name}");
    assert_eq!(issue.title.as_deref(), text(wire, "/title"), "{name}");
    assert_eq!(issue.body.as_deref(), text(wire, "/body"), "{name}");
    assert_eq!(record.source.link.as_deref(), text(wire, "/html_url"), "{name}");
    if wire.get("repository").is_none() {
        assert_eq!(issue.project, project(wire), "{name}");
    } else {
        assert_eq!(issue.project.as_deref(), text(wire, "/repository/full_name"), "{name}");
    }
    let merged = text(wire, "/merged_at").or(text(wire, "/pull_request/merged_at"));
    let expected = if merged.is_some() { Some("merged") } else { text(wire, "/state") };
    assert_eq!(Some(issue.state.as_str()), expected, "{name}");
    assert_eq!(issue.state_reason.as_deref(), text(wire, "/state_reason"), "{name}");
    assert_eq!(issue.issue_type.as_deref(), text(wire, "/type/name"), "{name}");
    assert_eq!(issue.locked, wire["locked"] == true, "{name}");
    assert_eq!(issue.lock_reason.as_deref(), text(wire, "/active_lock_reason"), "{name}");
    assert_eq!(issue.comment_count, number(wire, "/comments"), "{name}");
    assert!(is(issue.author.as_ref(), wire, "/user"), "{name}");
    let closed_by = if wire["closed_by"].is_object() { "/closed_by" } else { "/merged_by" };
    assert!(is(issue.closed_by.as_ref(), wire, closed_by), "{name}");
    let assigned = length(wire, "/assignees").max(usize::from(wire["assignee"].is_object()));
    assert_eq!(issue.assignees.len(), assigned, "{name}");
    for (at, person) in issue.assignees.iter().enumerate() {
        let path = format!("/assignees/{at}");
        let path = if wire.pointer(&path).is_some() { path } else { "/assignee".into() };
        assert!(is(Some(person), wire, &path), "{name}");
    }
    assert_eq!(issue.labels.len(), length(wire, "/labels"), "{name}");
    for (label, given) in issue.labels.iter().zip(wire["labels"].as_array().unwrap_or(&Vec::new())) {
        assert_eq!(Some(label.name.as_str()), given.as_str().or(text(given, "/name")), "{name}");
        let color = text(given, "/color").map(|color| format!("#{color}"));
        assert_eq!(label.color, color, "{name}");
        assert_eq!(label.id, number(given, "/id").map(|id| id.to_string()), "{name}");
    }
    assert_eq!(issue.milestone.is_some(), wire["milestone"].is_object(), "{name}");
    if let Some(milestone) = &issue.milestone {
        assert_eq!(Some(milestone.title.as_str()), text(wire, "/milestone/title"), "{name}");
        assert_eq!(milestone.id, number(wire, "/milestone/number").map(|id| id.to_string()), "{name}");
        assert_eq!(milestone.due_at, time(text(wire, "/milestone/due_on")), "{name}");
        assert_eq!(Some(milestone.state.as_str()), text(wire, "/milestone/state"), "{name}");
    }
    reactions_keep(name, wire, &issue.reactions);
    assert_eq!(issue.created_at, time(text(wire, "/created_at")), "{name}");
    assert_eq!(issue.closed_at, time(text(wire, "/closed_at")), "{name}");
    let is_pull = kind == Kind::Pull || wire.get("pull_request").is_some();
    assert_eq!(issue.kind.as_str() == "pull_request", is_pull, "{name}");
    assert_eq!(issue.pull.is_some(), is_pull, "{name}");
    if let Some(pull) = &issue.pull {
        assert_eq!(pull.draft, wire["draft"] == true, "{name}");
        assert_eq!(pull.merged_at, time(merged), "{name}");
        assert_eq!((issue.state == IssueState::Merged), merged.is_some(), "{name}");
        let same = wire["head"]["repo"]["full_name"] == wire["base"]["repo"]["full_name"];
        let source = if same { text(wire, "/head/ref") } else { text(wire, "/head/label") };
        assert_eq!(pull.source_branch.as_deref(), source, "{name}");
        assert_eq!(pull.target_branch.as_deref(), text(wire, "/base/ref"), "{name}");
        assert_eq!(pull.head_sha.as_deref(), text(wire, "/head/sha"), "{name}");
        assert_eq!(pull.mergeable, wire["mergeable"].as_bool(), "{name}");
        let asked = length(wire, "/requested_reviewers") + length(wire, "/requested_teams");
        assert_eq!(pull.requested_reviewers.len(), asked, "{name}");
        let sizes = ["/additions", "/deletions", "/changed_files"].map(|path| number(wire, path));
        assert_eq!([pull.additions, pull.deletions, pull.changed_files], sizes, "{name}");
    }
}

fn comment_keeps(name: &str, kind: Kind, wire: &Value, comment: &Comment, record: &Record) {
    let (word, issue) = match kind {
        Kind::Review => ("review", "/pull_request_url"),
        Kind::ReviewComment => ("review_comment", "/pull_request_url"),
        _ => ("comment", "/issue_url"),
    };
    assert_eq!(comment.kind.as_str(), word, "{name}");
    assert_eq!(
        (comment.id.clone(), record.id()),
        (format!("{word}:{}", wire["id"]), comment.id.as_str()),
        "{name}"
    );
    let issue = text(wire, issue).and_then(|url| url.rsplit_once('/')).map(|(_, number)| number);
    assert!(issue.is_some(), "{name}");
    assert_eq!((comment.issue_id.as_deref(), record.entity.parent_id()), (issue, issue), "{name}");
    assert_eq!(comment.issue_number.map(|number| number.to_string()).as_deref(), issue, "{name}");
    assert_eq!(comment.project, project(wire), "{name}");
    let answers = number(wire, "/in_reply_to_id").map(|id| format!("review_comment:{id}"));
    assert_eq!(comment.answers, answers, "{name}");
    assert!(is(comment.author.as_ref(), wire, "/user"), "{name}");
    assert_eq!(comment.body.as_deref(), text(wire, "/body"), "{name}");
    let review = comment.review.as_ref().map(|state| state.as_str().to_owned());
    assert_eq!(review, text(wire, "/state").map(str::to_lowercase), "{name}");
    assert_eq!(comment.path.as_deref(), text(wire, "/path"), "{name}");
    assert_eq!(comment.line, number(wire, "/line").or(number(wire, "/original_line")), "{name}");
    reactions_keep(name, wire, &comment.reactions);
    assert_eq!(comment.created_at, time(text(wire, "/created_at").or(text(wire, "/submitted_at"))), "{name}");
    assert_eq!(comment.updated_at, time(text(wire, "/updated_at")), "{name}");
    assert_eq!(record.source.link.as_deref(), text(wire, "/html_url"), "{name}");
}

fn notification_keeps(name: &str, wire: &Value, notification: &Notification, record: &Record) {
    // In GitHub's examples the subject is another repository's.
    let same = text(wire, "/subject/url").unwrap().contains(text(wire, "/repository/full_name").unwrap());
    assert_eq!(record.source.link.is_some(), same, "{name}");
    assert_eq!(Some(notification.id.as_str()), text(wire, "/id"), "{name}");
    assert_eq!(notification.reason.as_deref(), text(wire, "/reason"), "{name}");
    assert_eq!(notification.title.as_deref(), text(wire, "/subject/title"), "{name}");
    assert_eq!(notification.subject_kind.as_deref(), text(wire, "/subject/type"), "{name}");
    assert_eq!(notification.subject_url.as_deref(), text(wire, "/subject/url"), "{name}");
    assert_eq!(notification.project.as_deref(), text(wire, "/repository/full_name"), "{name}");
    assert_eq!(notification.unread, wire["unread"] == true, "{name}");
    assert_eq!(notification.read_at, time(text(wire, "/last_read_at")), "{name}");
}
