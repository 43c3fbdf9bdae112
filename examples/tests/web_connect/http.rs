//! What the page refuses, told by plain HTTP.

use integrations_core::ErrorKind;
use integrations_examples::story::{Consent, Story};
use reqwest::{Response, StatusCode, header};

use super::host::Host;

/// A browser without a screen: it keeps its cookie and follows nothing.
struct Client {
    http: reqwest::Client,
    url: String,
    cookie: String,
}

impl Client {
    /// Reads the page once.
    async fn new(host: &Host) -> Self {
        let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none());
        let mut client = Self { http: http.build().unwrap(), url: host.url.clone(), cookie: String::new() };
        let answer = client.get("/").await;
        let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
        cookie.split(';').next().unwrap().clone_into(&mut client.cookie);
        client
    }

    async fn get(&self, path: &str) -> Response {
        let request = self.http.get(format!("{}{path}", self.url));
        request.header(header::COOKIE, &self.cookie).send().await.unwrap()
    }

    async fn page(&self, path: &str) -> String {
        self.get(path).await.text().await.unwrap()
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let form = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = self.http.post(format!("{}{path}", self.url)).header(header::COOKIE, &self.cookie);
        let request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        request.body(form).send().await.unwrap()
    }

    /// The token of this session's forms.
    async fn csrf(&self) -> String {
        between(&self.page("/").await, "name=\"csrf\" value=\"", "\"").to_owned()
    }

    /// Where the provider asks for consent.
    async fn leave(&self, service: &str) -> String {
        let answer = self.post(&format!("/connect/{service}"), &[("csrf", &self.csrf().await)]).await;
        assert_eq!(answer.status(), StatusCode::OK);
        let page = answer.text().await.unwrap();
        between(&page, "http-equiv=\"refresh\" content=\"0; url=", "\"").replace("&amp;", "&")
    }

    /// Connects an account, and returns the id of the connection.
    async fn connect(&self, story: &Story, service: &str) -> String {
        let url = self.leave(service).await;
        let back = consent(story, service, &url).await;
        let answer = self.get(back.strip_prefix(&self.url).unwrap()).await;
        assert_eq!((answer.status(), location(&answer)), (StatusCode::SEE_OTHER, "/"));
        between(&self.page("/").await, "<article class=\"account\" id=\"", "\"").to_owned()
    }
}

async fn consent(story: &Story, service: &str, url: &str) -> String {
    match service {
        "zoom" => story.zoom.consent(url).await.unwrap(),
        "outlook_mail" => story.microsoft.consent(url).await.unwrap(),
        "github" => story.github.consent(url).await.unwrap(),
        _ => story.google.consent(url).await.unwrap(),
    }
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> &'a str {
    let (_, rest) = text.split_once(before).unwrap_or_else(|| panic!("no {before} in {text}"));
    rest.split_once(after).unwrap().0
}

fn location(answer: &Response) -> &str {
    answer.headers()[header::LOCATION].to_str().unwrap()
}

#[tokio::test]
async fn the_cookie_is_for_this_page_alone() {
    let host = Host::start(Consent::AtOnce).await;
    let client = Client::new(&host).await;
    let fresh = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = fresh.get(&host.url).send().await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    let (pair, flags) = cookie.split_once("; ").unwrap();
    assert_eq!(flags, "Path=/; HttpOnly; SameSite=Lax; Max-Age=2592000");
    assert!(pair.len() > 43 && pair != client.cookie, "each browser has its own");
    // Who comes back keeps theirs; one that was made up counts for nothing.
    assert!(client.get("/").await.headers().get(header::SET_COOKIE).is_none());
    let invented = Client { cookie: format!("web_connect_session={}", "A".repeat(43)), ..client };
    assert!(invented.get("/").await.headers().get(header::SET_COOKIE).is_some());

    let public = Some("https://demo.example");
    let host = Host::start_with(Consent::AtOnce, "Ada", public).await;
    let answer = fresh.get(&host.url).header(header::HOST, "demo.example").send().await.unwrap();
    let cookie = answer.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("__Host-session=") && cookie.ends_with("; Secure"), "{cookie}");
}

#[tokio::test]
async fn every_answer_carries_the_headers() {
    let host = Host::start(Consent::AtOnce).await;
    let client = Client::new(&host).await;
    let answers = [
        client.get("/").await,
        client.get("/style.css").await,
        client.get("/callback/zoom?error=x").await,
        client.get("/nothing").await,
        client.get("/connections/cn_0/disconnect").await,
        client.post("/connect/zoom", &[]).await,
    ];
    for answer in answers {
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none'; style-src 'self';"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cache-control"), "no-store");
    }
    let page = client.page("/").await;
    assert!(!page.contains("<script") && !page.contains("style="), "{page}");
}

#[tokio::test]
async fn a_form_without_the_token_of_the_session_is_refused() {
    let host = Host::start(Consent::AtOnce).await;
    let client = Client::new(&host).await;
    let id = client.connect(host.story(), "zoom").await;
    let foreign = Client::new(&host).await.csrf().await;
    let nobody = Client { cookie: String::new(), http: client.http.clone(), url: client.url.clone() };
    let own = client.csrf().await;
    let actions = ["sync", "check", "pause", "resume", "reconnect", "disconnect"];
    let paths = actions.iter().map(|action| format!("/connections/{id}/{action}"));
    for path in paths.chain(["/connect/zoom".to_owned()]) {
        for fields in [vec![], vec![("csrf", "")], vec![("csrf", foreign.as_str())]] {
            assert_eq!(client.post(&path, &fields).await.status(), StatusCode::FORBIDDEN, "{path}");
        }
        // The right token is worth nothing without its cookie.
        assert_eq!(nobody.post(&path, &[("csrf", &own)]).await.status(), StatusCode::FORBIDDEN, "{path}");
        let read = client.get(&path).await.status();
        let page = if path.ends_with("disconnect") { StatusCode::OK } else { StatusCode::METHOD_NOT_ALLOWED };
        assert_eq!(read, page, "{path}");
    }
    let connection = host.app.gateway.connection(&id.as_str().into()).await.unwrap();
    assert_eq!(connection.status.as_str(), "active");
    assert_eq!(host.story().zoom.authorizations().len(), 1);
}

#[tokio::test]
async fn a_connection_of_another_user_is_not_found() {
    let host = Host::start(Consent::AtOnce).await;
    let (ada, eve) = (Client::new(&host).await, Client::new(&host).await);
    let id = ada.connect(host.story(), "zoom").await;
    let csrf = eve.csrf().await;
    for action in ["sync", "check", "pause", "resume", "reconnect", "disconnect"] {
        for id in [id.as_str(), "cn_0"] {
            let path = format!("/connections/{id}/{action}");
            let answer = eve.post(&path, &[("csrf", &csrf), ("data", "erase")]).await;
            assert_eq!(answer.status(), StatusCode::NOT_FOUND, "{path}");
        }
    }
    let page = eve.get(&format!("/connections/{id}/disconnect")).await;
    assert_eq!(page.status(), StatusCode::NOT_FOUND);
    assert!(!page.text().await.unwrap().contains("ada@example.com"));
    assert!(!eve.page("/").await.contains(&id));
    assert!(ada.page("/").await.contains(&id));
    let connection = host.app.gateway.connection(&id.as_str().into()).await.unwrap();
    assert_eq!(connection.status.as_str(), "active");
}

#[tokio::test]
async fn a_callback_that_does_not_fit_connects_nothing() {
    let host = Host::start(Consent::AtOnce).await;
    let (ada, eve) = (Client::new(&host).await, Client::new(&host).await);
    let url = ada.leave("zoom").await;
    let back = consent(host.story(), "zoom", &url).await;
    let path = back.strip_prefix(&host.url).unwrap();

    // Somebody else's browser, another service's path, a state that was made up.
    for (client, path, expected) in [
        (&eve, path.to_owned(), "was begun in another browser"),
        (&ada, path.replace("state=", "state=x"), "cannot be used, or was used before"),
        (&ada, "/callback/zoom".to_owned(), "cannot be used, or was used before"),
        (&ada, path.replace("/zoom", "/github"), "cannot be used, or was used before"),
    ] {
        let answer = client.get(&path).await;
        assert_eq!((answer.status(), location(&answer)), (StatusCode::SEE_OTHER, "/"), "{path}");
        let page = client.page("/").await;
        assert!(page.contains("role=\"alert\"") && page.contains(expected), "{path}: {page}");
        assert!(page.contains("Nothing is connected yet."), "{path}");
        assert!(!client.page("/").await.contains("role=\"alert\""), "it is said once");
    }
    // The state was used up by the path that does not fit.
    ada.get(path).await;
    assert!(ada.page("/").await.contains("Nothing is connected yet."));
    assert_eq!(ada.get("/callback/nothing?state=x").await.status(), StatusCode::NOT_FOUND);

    // A provider that is down is told in a sentence.
    host.story().github.fail_next_consent_with("temporarily_unavailable");
    let back = consent(host.story(), "github", &ada.leave("github").await).await;
    ada.get(back.strip_prefix(&host.url).unwrap()).await;
    let page = ada.page("/").await;
    assert!(page.contains("GitHub: The service is temporarily unavailable. We will try again."), "{page}");
}

#[tokio::test]
async fn a_name_that_is_html_is_text() {
    let name = "<img src=x onerror=alert(1)>\"'&";
    let host = Host::start_with(Consent::AtOnce, name, None).await;
    let client = Client::new(&host).await;
    let id = client.connect(host.story(), "outlook_mail").await;
    let stored = host.app.gateway.connection(&id.as_str().into()).await.unwrap();
    assert_eq!(stored.account.name.as_deref(), Some(name), "it does arrive");
    let page = client.page("/").await;
    assert!(page.contains("&lt;img src=x onerror=alert(1)&gt;&quot;'&amp;"), "{page}");
    assert!(!page.contains("<img"), "{page}");
    // Nor does what stands in an address.
    for path in ["/connections/%3Cimg%3E/disconnect", "/%3Cimg%3E", "/callback/%3Cimg%3E?error=%3Cimg%3E"] {
        assert!(!client.page(path).await.contains("<img"), "{path}");
    }
}

#[tokio::test]
async fn the_page_has_one_address() {
    let host = Host::start(Consent::AtOnce).await;
    let client = Client::new(&host).await;
    let named = |request: reqwest::RequestBuilder| request.header(header::HOST, "evil.example").send();
    let answer = named(client.http.get(format!("{}/connections/x", host.url))).await.unwrap();
    assert_eq!(
        (answer.status(), location(&answer)),
        (StatusCode::SEE_OTHER, format!("{}/", host.url).as_str())
    );
    assert!(answer.headers().get(header::SET_COOKIE).is_none());
    let answer = named(client.http.post(format!("{}/connect/zoom", host.url))).await.unwrap();
    assert_eq!(answer.status(), StatusCode::MISDIRECTED_REQUEST);
}

#[tokio::test]
async fn data_is_kept_or_erased_as_the_user_says() {
    use integrations_stores::sqlite::RecordQuery;

    let host = Host::start(Consent::AtOnce).await;
    let client = Client::new(&host).await;
    for (data, kept) in [("keep", 19), ("erase", 0)] {
        let id = client.connect(host.story(), "google_calendar").await;
        let csrf = client.csrf().await;
        let answer =
            client.post(&format!("/connections/{id}/disconnect"), &[("csrf", &csrf), ("data", data)]).await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        assert_eq!(host.app.store.count(&RecordQuery::new()).await.unwrap(), kept, "{data}");
        let gone = host.app.gateway.connection(&id.as_str().into()).await.unwrap_err();
        assert_eq!(gone.kind(), ErrorKind::NotFound);
    }
}

#[tokio::test]
async fn no_secret_stands_on_a_page() {
    let host = Host::start(Consent::AtOnce).await;
    let client = Client::new(&host).await;
    let id = client.connect(host.story(), "zoom").await;
    let pages = [client.page("/").await, client.page(&format!("/connections/{id}/disconnect")).await];
    let secrets = host.story().zoom.issued_secrets();
    assert!(secrets.len() >= 3);
    let cookie = client.cookie.split_once('=').unwrap().1;
    for page in pages {
        assert!(secrets.iter().all(|secret| !page.contains(secret.as_str())));
        assert!(!page.contains(cookie));
    }
}
