//! What Google's own descriptions of Gmail and Tasks say about paths, parameters, scopes and answers, and
//! what a real message looks like.

use std::collections::BTreeSet;
use std::path::Path;

use integrations_testkit::google::{FakeGoogle, MailSpec, TaskListSpec};
use serde_json::{Value, json};

use super::{TOKEN, builder, clock, http, oauth, reason};

/// A file of the data that stands beside the project, or `None` with a printed line where it is absent.
fn data(path: &str) -> Option<Value> {
    let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(path);
    if !found.is_file() {
        println!("skipped: ../shared/data/{path} is not here");
        return None;
    }
    Some(serde_json::from_slice(&std::fs::read(found).unwrap()).unwrap())
}

type Query<'a> = &'a [(&'a str, &'a str)];
/// A method, what stands in its path, and queries that it answers.
type Case<'a> = (&'a str, Vec<(&'a str, &'a str)>, Vec<Query<'a>>);

struct Method {
    document: Value,
    method: Value,
}

impl Method {
    /// A method by its path among the resources, such as `users.messages.get`.
    fn find(document: &Value, name: &str) -> Self {
        let mut steps: Vec<&str> = name.split('.').collect();
        let last = steps.pop().unwrap();
        let parent = steps.iter().fold(document, |parent, step| &parent["resources"][step]);
        Self { document: document.clone(), method: parent["methods"][last].clone() }
    }

    fn path(&self, ids: &[(&str, &str)]) -> String {
        let path = format!("/{}", self.method["path"].as_str().unwrap());
        ids.iter().fold(path, |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
    }

    fn parameters(&self) -> Vec<String> {
        let own = self.method["parameters"].as_object().unwrap();
        let global = self.document["parameters"].as_object().unwrap();
        let in_query = own.iter().filter(|(_, parameter)| parameter["location"] == "query");
        in_query.map(|(name, _)| name).chain(global.keys()).cloned().collect()
    }

    fn scopes(&self) -> BTreeSet<&str> {
        self.method["scopes"].as_array().unwrap().iter().map(|scope| scope.as_str().unwrap()).collect()
    }

    /// Panics at a field of an answer that the description does not have, or has as something else.
    fn check(&self, answer: &Value) {
        self.check_object(self.method["response"]["$ref"].as_str().unwrap(), answer);
    }

    fn check_object(&self, schema: &str, object: &Value) {
        let properties = &self.document["schemas"][schema]["properties"];
        for (field, value) in object.as_object().unwrap_or_else(|| panic!("{schema}: {object}")) {
            let property = properties.get(field).unwrap_or_else(|| panic!("{schema} has no {field}"));
            self.check_value(&format!("{schema}.{field}"), property, value);
        }
    }

    fn check_value(&self, place: &str, described: &Value, value: &Value) {
        if let Some(schema) = described["$ref"].as_str() {
            return self.check_object(schema, value);
        }
        let fits = match described["type"].as_str().unwrap() {
            "string" => value.is_string(),
            "integer" => value.is_u64(),
            "boolean" => value.is_boolean(),
            "array" => {
                for item in value.as_array().unwrap() {
                    self.check_value(place, &described["items"], item);
                }
                value.is_array()
            }
            "object" => {
                for (field, value) in value.as_object().unwrap() {
                    self.check_value(&format!("{place}.{field}"), &described["properties"][field], value);
                }
                true
            }
            other => panic!("{place}: {other}"),
        };
        assert!(fits, "{place}: {value}");
    }
}

async fn call(fake: &FakeGoogle, token: &str, path: &str, query: Query<'_>) -> (u16, Value) {
    let request = http().get(format!("{}{path}", fake.url())).bearer_auth(token).query(query);
    let answer = request.send().await.unwrap();
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// Answers, parameters and scopes of a method.
async fn agrees(fake: &FakeGoogle, method: &Method, ids: Query<'_>, queries: &[Query<'_>]) {
    let path = method.path(ids);
    for query in queries {
        let (status, answer) = call(fake, TOKEN, &path, query).await;
        assert_eq!(status, 200, "{path} {query:?}: {answer}");
        assert!(!answer.as_object().unwrap().is_empty());
        method.check(&answer);
    }
    for parameter in method.parameters() {
        let (_, answer) = call(fake, TOKEN, &path, &[(&parameter, "1")]).await;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(!message.contains("Unknown name"), "{path} has {parameter}: {message}");
    }
    let (_, answer) = call(fake, TOKEN, &path, &[("nosuch", "1")]).await;
    assert!(answer["error"]["message"].as_str().unwrap().contains("Unknown name"));

    let scopes = method.scopes();
    let others = ["https://www.googleapis.com/auth/gmail.send", "https://www.googleapis.com/auth/calendar"];
    for scope in scopes.iter().filter(|scope| !scope.contains(".addons.")).chain(&others) {
        let token = oauth::token_for(fake, &[scope]).await;
        let (_, answer) = call(fake, &token, &path, queries[0]).await;
        assert_eq!(reason(&answer) != "insufficientPermissions", scopes.contains(scope), "{path} {scope}");
    }
}

#[tokio::test]
async fn gmail_is_as_google_describes_it() {
    let Some(document) = data("google-discovery/gmail.v1.json") else { return };
    let fake = builder(&clock()).messages(60).start().await;
    let start = fake.history_id();
    let own = fake.add_label("own");
    let mail = MailSpec::new("x").text("x").html("<b>x</b>").attachment("a.txt", "text/plain", b"a");
    let id = fake.add_message(mail);
    fake.modify_messages(&[&id], &["STARRED", &own], &["UNREAD"]);
    let gone = fake.add_message(MailSpec::new("gone"));
    fake.delete_message(&gone);
    let message = fake.message(&id).unwrap();
    let attachment = message["payload"]["parts"][1]["body"]["attachmentId"].as_str().unwrap().to_owned();

    let start = ("startHistoryId", start.as_str());
    let formats: [Query<'_>; 4] =
        [&[("format", "minimal")], &[], &[("format", "metadata")], &[("format", "raw")]];
    let me = ("userId", "me");
    let cases: [Case<'_>; 8] = [
        ("users.getProfile", vec![me], vec![&[]]),
        ("users.labels.list", vec![me], vec![&[]]),
        ("users.labels.get", vec![me, ("id", &own)], vec![&[]]),
        ("users.messages.list", vec![me], vec![&[], &[("maxResults", "5")]]),
        ("users.messages.get", vec![me, ("id", &id)], formats.to_vec()),
        ("users.messages.attachments.get", vec![me, ("messageId", &id), ("id", &attachment)], vec![&[]]),
        ("users.threads.get", vec![me, ("id", &id)], formats[..3].to_vec()),
        ("users.history.list", vec![me], vec![std::slice::from_ref(&start)]),
    ];
    for (name, ids, queries) in cases {
        agrees(&fake, &Method::find(&document, name), &ids, &queries).await;
    }
}

#[tokio::test]
async fn tasks_are_as_google_describes_them() {
    let Some(document) = data("google-discovery/tasks.v1.json") else { return };
    let fake = builder(&clock()).task_list(TaskListSpec::new("list").generated(200)).start().await;
    let task = fake.insert_task("list", json!({"title": "x", "due": "2026-03-08"}));
    fake.complete_task("list", &task);
    let list = ("tasklist", "list");
    let everything = [("showHidden", "true"), ("showAssigned", "true"), ("maxResults", "100")];
    let cases: [Case<'_>; 3] = [
        ("tasklists.list", vec![], vec![&[]]),
        ("tasks.list", vec![list], vec![&[], &everything]),
        ("tasks.get", vec![list, ("task", &task)], vec![&[]]),
    ];
    for (name, ids, queries) in cases {
        agrees(&fake, &Method::find(&document, name), &ids, &queries).await;
    }
}

/// The places in a value, with all items of an array as one.
fn places(value: &Value, place: &str, all: &mut BTreeSet<String>) {
    all.insert(place.to_owned());
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                places(value, &format!("{place}.{field}"), all);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| places(item, &format!("{place}[]"), all)),
        _ => {}
    }
}

#[tokio::test]
async fn a_message_has_every_place_that_real_ones_have() {
    let fake = builder(&clock()).messages(300).start().await;
    let mut ours = BTreeSet::new();
    for id in fake.message_ids() {
        places(&fake.message(&id).unwrap(), "", &mut ours);
    }
    for name in ["multipartAlternativeMessage", "multipartAlternativeWithAttachmentsMessage"] {
        let Some(real) = data(&format!("google-samples/gmail/{name}.json")) else { return };
        let mut theirs = BTreeSet::new();
        places(&real, "", &mut theirs);
        assert_eq!(theirs.difference(&ours).collect::<Vec<_>>(), Vec::<&String>::new(), "{name}");
    }
}
