//! Exchanges that were recorded at api.github.com: the links and tags of a listing of five pages lead through it.

use std::path::Path;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use http::header::{ETAG, IF_NONE_MATCH};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use integrations_core::auth::Vault;
use integrations_core::http::{Request, Response, Transport};
use integrations_core::memory::MemoryStore;
use integrations_core::{ApiKey, Gateway, Result};
use integrations_github::{GitHub, GitHubConfig, NOTIFICATIONS};
use serde_json::{Value, json};

/// The exchanges of a recorded scenario, or `None` with a printed line where there are none.
fn recorded(scenario: &str) -> Option<Vec<Value>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/github-recorded");
    let file = folder.join(scenario).join("raw-fixture.json");
    let Ok(text) = std::fs::read(&file) else {
        println!("skipped: ../shared/data/github-recorded/{scenario} is not here");
        return None;
    };
    Some(serde_json::from_slice(&text).unwrap())
}

/// The headers of a recorded answer.
fn headers(exchange: &Value) -> HeaderMap {
    let raw: Vec<&str> =
        exchange["rawHeaders"].as_array().unwrap().iter().map(|text| text.as_str().unwrap()).collect();
    let pairs = raw
        .chunks(2)
        .map(|pair| (HeaderName::try_from(pair[0]).unwrap(), HeaderValue::try_from(pair[1]).unwrap()));
    pairs.collect()
}

/// Answers as it was recorded. Whoever shows the tag of an answer has it already.
#[derive(Debug)]
struct Replay {
    pages: Vec<(HeaderMap, String)>,
    /// The paths that the links named, the first one aside.
    paths: Vec<String>,
    /// What was asked for, and with which status it was answered.
    asked: Arc<Mutex<Vec<(String, u16)>>>,
}

#[async_trait]
impl Transport for Replay {
    async fn send(&self, request: Request) -> Result<Response> {
        let path = request.url[url::Position::BeforePath..].to_owned();
        assert_eq!(request.url.host_str(), Some("api.github.com"));
        if path == "/user" {
            let user = json!({"id": 1, "login": "octocat"}).to_string();
            return Ok(Response::new(StatusCode::OK, HeaderMap::new(), user));
        }
        let page = if path.starts_with("/user/repos?") {
            0
        } else {
            let place = self.paths.iter().position(|named| *named == path);
            place.unwrap_or_else(|| panic!("no link has named {path}")) + 1
        };
        let (headers, body) = &self.pages[page];
        let known = request.headers.get(IF_NONE_MATCH);
        let answer = if known.is_some() && known == headers.get(ETAG) {
            Response::new(StatusCode::NOT_MODIFIED, HeaderMap::new(), "")
        } else {
            Response::new(StatusCode::OK, headers.clone(), body.clone())
        };
        self.asked.lock().unwrap().push((path, answer.status.as_u16()));
        Ok(answer)
    }
}

#[tokio::test]
async fn links_and_tags_lead_through_a_listing() {
    let (Some(listing), Some(single)) = (recorded("paginate-issues"), recorded("get-repository")) else {
        return;
    };
    let pages: Vec<Value> = listing.into_iter().filter(|exchange| exchange["method"] == "get").collect();
    let paths: Vec<String> =
        pages.iter().skip(1).map(|exchange| exchange["path"].as_str().unwrap().to_owned()).collect();
    assert_eq!(paths.len(), 4);
    // On each page a repository, as it was recorded by itself.
    let repository = |number: usize| {
        let mut repository = single[0]["response"].clone();
        repository["id"] = json!(number);
        json!([repository]).to_string()
    };
    let pages: Vec<_> =
        pages.iter().enumerate().map(|(number, page)| (headers(page), repository(number))).collect();
    let asked: Arc<Mutex<Vec<(String, u16)>>> = Arc::default();
    let replay = Replay { pages, paths: paths.clone(), asked: Arc::clone(&asked) };
    let gateway = Gateway::builder()
        .adapter(GitHub::new(GitHubConfig::builder().client("id", "secret").build().unwrap()))
        .store(MemoryStore::new())
        .vault(Vault::ephemeral().unwrap())
        .transport(Arc::new(replay))
        .build()
        .unwrap();
    let connection = gateway.connect_with_key("ada", "github", ApiKey::new("ghp_x")).await.unwrap();
    for status in [200, 304] {
        asked.lock().unwrap().clear();
        let streams = gateway.streams(&connection.id).await.unwrap();
        let ids: Vec<_> = streams.iter().map(|stream| stream.id.as_str()).collect();
        // The recorded token has the scope `repo`, which opens notifications.
        assert_eq!(ids, ["0", "1", "2", "3", "4", NOTIFICATIONS]);
        assert!(streams[..5].iter().all(|stream| stream.title == "octokit-fixture-org/hello-world"));
        let asked = asked.lock().unwrap().clone();
        assert_eq!(asked[0], ("/user/repos?per_page=100".to_owned(), status));
        let followed: Vec<_> = paths.iter().map(|path| (path.clone(), status)).collect();
        assert_eq!(asked[1..], followed);
    }
}
