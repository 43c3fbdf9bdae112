//! Many calls in one request.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;

use integrations_testkit::Fault;
use integrations_testkit::google::{FakeGoogle, MailSpec};
use serde_json::Value;

use super::{ME, TOKEN, builder, clock, http, reason, text};

struct Answer {
    content_id: Option<String>,
    status: u16,
    headers: HashMap<String, String>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }
}

fn request(paths: &[String]) -> String {
    let mut body = String::new();
    for (index, path) in paths.iter().enumerate() {
        write!(
            body,
            "--frontier\r\nContent-Type: application/http\r\nContent-ID: <item{index}:12@host.example>\r\n\r\n\
             GET {path} HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n"
        )
        .unwrap();
    }
    body + "--frontier--\r\n"
}

async fn post(fake: &FakeGoogle, path: &str, content_type: &str, body: String) -> reqwest::Response {
    let request = http().post(format!("{}{path}", fake.url())).bearer_auth(TOKEN);
    request.header("content-type", content_type).body(body).send().await.unwrap()
}

/// Sends a batch and reads the parts of its answer, in the order in which they come.
async fn batch(fake: &FakeGoogle, paths: &[String]) -> Vec<Answer> {
    let answer = post(fake, "/batch/gmail/v1", "multipart/mixed; boundary=frontier", request(paths)).await;
    assert_eq!(answer.status(), 200);
    parts(answer).await
}

async fn parts(answer: reqwest::Response) -> Vec<Answer> {
    let content_type = answer.headers()["content-type"].to_str().unwrap().to_owned();
    let boundary = content_type.strip_prefix("multipart/mixed; boundary=").unwrap();
    let body = answer.text().await.unwrap();
    let mut pieces: Vec<&str> = body.split(&format!("--{boundary}")).collect();
    assert_eq!((pieces.remove(0), pieces.pop()), ("", Some("--\r\n")));
    pieces.into_iter().map(part).collect()
}

fn part(piece: &str) -> Answer {
    let fields = |head: &str| -> HashMap<String, String> {
        let lines = head.split("\r\n").filter_map(|line| line.split_once(": "));
        lines.map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned())).collect()
    };
    let piece = piece.strip_prefix("\r\n").unwrap().strip_suffix("\r\n").unwrap();
    let (outer, inner) = piece.split_once("\r\n\r\n").unwrap();
    let outer = fields(outer);
    assert_eq!(outer["content-type"], "application/http");
    let (line, rest) = inner.split_once("\r\n").unwrap();
    let status = line.strip_prefix("HTTP/1.1 ").unwrap().split(' ').next().unwrap().parse().unwrap();
    let (headers, body) = rest.split_once("\r\n\r\n").unwrap();
    Answer {
        content_id: outer.get("content-id").cloned(),
        status,
        headers: fields(headers),
        body: body.to_owned(),
    }
}

fn gets(ids: &[String]) -> Vec<String> {
    ids.iter().map(|id| format!("{ME}/messages/{id}?format=full")).collect()
}

/// Which item of the request an answer is for.
fn item(answer: &Answer) -> usize {
    let id = answer.content_id.as_deref().unwrap();
    let number = id.strip_prefix("<response-item").unwrap().strip_suffix(":12@host.example>").unwrap();
    number.parse().unwrap()
}

#[tokio::test]
async fn every_call_has_its_own_answer_in_another_order_the_same_for_the_same_seed() {
    let fake = builder(&clock()).messages(100).start().await;
    let ids = fake.message_ids();
    let orders = async |fake: &FakeGoogle| {
        let mut orders = BTreeMap::new();
        for count in [1, 2, 3, 50, 100] {
            let answers = batch(fake, &gets(&ids[..count])).await;
            let mut order: Vec<_> = answers.iter().map(item).collect();
            assert_eq!(order.is_sorted(), count == 1, "{count}");
            for answer in &answers {
                assert_eq!(answer.status, 200);
                assert_eq!(answer.headers["content-length"], answer.body.len().to_string());
                assert_eq!(Some(answer.json()), fake.message(&ids[item(answer)]));
            }
            orders.insert(count, order.clone());
            order.sort_unstable();
            assert_eq!(order, (0..count).collect::<Vec<_>>());
        }
        orders
    };
    let first = orders(&fake).await;
    assert_eq!((fake.count("batch"), fake.count("messages.get")), (5, 156));
    assert_eq!(fake.units_used(), 156 * 20);
    let again = builder(&clock()).messages(100).start().await;
    assert_eq!(orders(&again).await, first);
    let requests = fake.requests();
    assert_eq!(
        (requests.len(), requests[0].operation, requests[1].operation),
        (161, "messages.get", "batch")
    );
}

#[tokio::test]
async fn one_call_may_fail_while_the_others_succeed() {
    let fake = builder(&clock()).messages(5).start().await;
    let ids = fake.message_ids();
    fake.delete_message(&ids[4]);
    fake.fault(Fault::on("messages.get").nth(2).status(429).header("retry-after", "3"));
    fake.fault(Fault::on("messages.get").nth(3).status(500));
    fake.fault(Fault::on("messages.get").nth(4).truncate(40));
    let mut answers = batch(&fake, &gets(&ids)).await;
    answers.sort_by_key(item);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!(statuses, [200, 429, 500, 200, 404]);
    assert_eq!(reason(&answers[1].json()), "rateLimitExceeded");
    assert_eq!(answers[1].headers["retry-after"], "3");
    assert_eq!(reason(&answers[2].json()), "backendError");
    assert_eq!(answers[3].body.len(), 40);
    assert!(answers[3].headers["content-length"].parse::<usize>().unwrap() > 40);
    assert_eq!(reason(&answers[4].json()), "notFound");
    assert_eq!(fake.count("messages.get"), 5);
    let logged: Vec<_> = fake.requests().iter().map(|request| (request.operation, request.status)).collect();
    assert_eq!(logged[1..3], [("messages.get", 429), ("messages.get", 500)]);

    let all = batch(&fake, &gets(&ids[..4])).await;
    assert!(all.iter().all(|answer| answer.status == 200), "the faults struck once");
}

#[tokio::test]
async fn a_connection_that_breaks_inside_a_batch_leaves_one_answer_out() {
    let fake = builder(&clock()).messages(3).start().await;
    let ids = fake.message_ids();
    fake.fault(Fault::on("messages.get").nth(2).reset());
    let answers = batch(&fake, &gets(&ids)).await;
    let mut known: Vec<_> = answers.iter().map(item).collect();
    known.sort_unstable();
    assert_eq!((known, fake.count("messages.get"), fake.units_used()), (vec![0, 2], 3, 40));
    fake.fault(Fault::on("messages.get").lose_answer());
    assert_eq!(batch(&fake, &gets(&ids)).await.len(), 2);
    assert_eq!(fake.units_used(), 100, "the work was done");
    fake.fault(Fault::on("messages.get").delay(std::time::Duration::from_secs(1)));
    let answers = batch(&fake, &gets(&ids[..1])).await;
    assert_eq!((answers[0].status, reason(&answers[0].json())), (400, "unsupportedByFake"));
}

#[tokio::test]
async fn a_fault_of_the_batch_strikes_the_whole() {
    let fake = builder(&clock()).messages(3).start().await;
    let ids = fake.message_ids();
    fake.fault(Fault::on("batch").status(503));
    let kind = "multipart/mixed; boundary=frontier";
    let answer = post(&fake, "/batch/gmail/v1", kind, request(&gets(&ids))).await;
    assert_eq!(answer.status(), 503);
    assert_eq!(reason(&answer.json().await.unwrap()), "backendError");
    assert_eq!((fake.count("batch"), fake.count("messages.get"), fake.units_used()), (1, 0, 0));
}

#[tokio::test]
async fn the_quota_counts_every_call_of_a_batch() {
    let fake = builder(&clock()).messages(5).gmail_quota(65).start().await;
    let mut answers = batch(&fake, &gets(&fake.message_ids())).await;
    answers.sort_by_key(item);
    let statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
    assert_eq!((statuses, fake.units_used()), (vec![200, 200, 200, 429, 429], 60));
    assert_eq!(reason(&answers[4].json()), "rateLimitExceeded");
}

#[tokio::test]
async fn a_hundred_calls_are_the_most() {
    let fake = builder(&clock()).messages(1).start().await;
    let paths = vec![format!("{ME}/profile"); 101];
    assert_eq!(batch(&fake, &paths[..100]).await.len(), 100);
    let kind = "multipart/mixed; boundary=frontier";
    let answer = post(&fake, "/batch/gmail/v1", kind, request(&paths)).await;
    assert_eq!(answer.status(), 400);
    let body: Value = answer.json().await.unwrap();
    assert_eq!(body["error"]["message"], "Inner request count exceeds the limit. Received: 101, Limit: 100");
    assert_eq!(fake.count("getProfile"), 100);
}

#[tokio::test]
async fn what_is_not_a_batch_is_refused() {
    let fake = builder(&clock()).start().await;
    let whole = request(&[format!("{ME}/profile")]);
    let kind = "multipart/mixed; boundary=\"frontier\"";
    for path in ["/batch/gmail/v1", "/batch"] {
        assert_eq!(post(&fake, path, kind, whole.clone()).await.status(), 200);
    }
    assert_eq!(post(&fake, "/batch", kind, whole.replace("\r\n", "\n")).await.status(), 200);
    for (kind, body) in [
        ("application/json", whole.clone()),
        ("multipart/mixed", whole.clone()),
        ("multipart/mixed; boundary=other", whole.clone()),
        (kind, "--frontier--\r\n".to_owned()),
        (kind, whole.replace("--frontier--", "")),
        (kind, whole.replace("application/http", "text/plain")),
        (kind, whole.replace("GET /", "GET http://127.0.0.1/")),
        (kind, whole.replace("GET /", "GET")),
    ] {
        let answer = post(&fake, "/batch/gmail/v1", kind, body).await;
        assert_eq!(
            (answer.status().as_u16(), reason(&answer.json().await.unwrap())),
            (400, "invalidArgument")
        );
    }
    assert_eq!(fake.count("getProfile"), 3);
    assert_eq!(super::get(&fake, "/batch", &[]).await.status(), 404);
}

#[tokio::test]
async fn calls_of_another_api_are_not_found_and_the_inner_token_wins() {
    let fake = builder(&clock()).start().await;
    let id = fake.add_message(MailSpec::new("a"));
    let paths = ["/calendar/v3/users/me/calendarList", "/batch/gmail/v1", "/v1/userinfo"].map(str::to_owned);
    let answers = batch(&fake, &paths).await;
    assert!(answers.iter().all(|answer| answer.status == 404));

    let kind = "multipart/mixed; boundary=frontier";
    let body = request(&gets(&[id])).replace("Accept: application/json", "Authorization: Bearer expired");
    let answers = parts(post(&fake, "/batch/gmail/v1", kind, body).await).await;
    assert_eq!((answers[0].status, reason(&answers[0].json())), (401, "authError"));
    assert!(answers[0].headers["www-authenticate"].contains("invalid_token"));

    // Without a Content-ID and without a version, as Google's first examples had it.
    let body = format!("--frontier\nContent-Type: application/http\n\nGET {ME}/profile\n\n--frontier--");
    let answers = parts(post(&fake, "/batch/gmail/v1", kind, body).await).await;
    assert_eq!((answers[0].status, answers[0].content_id.as_deref()), (200, None));
    assert_eq!(text(&answers[0].json(), "emailAddress"), "ada@example.com");
}
