//! The fake OAuth servers, over HTTP as a client meets them.

mod browser;
mod errors;
mod faults;
mod flow;
mod github;
mod microsoft;
mod revoke;
mod rotation;
mod slack;
mod zoom;

use std::sync::Arc;

use integrations_testkit::ManualClock;
use integrations_testkit::oauth::{Dialect, FakeOAuth, FakeOAuthBuilder};
use reqwest::{RequestBuilder, Response};
use serde_json::Value;
use url::Url;

pub(crate) use crate::http;

/// RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
pub(crate) const REDIRECT: &str = "https://app.example/callback";
pub(crate) const STATE: &str = "the state";

/// Where a dialect's endpoints are, and what it is asked for, said a second time.
pub(crate) struct Place {
    pub(crate) authorize: &'static str,
    pub(crate) token: &'static str,
    pub(crate) userinfo: &'static str,
    pub(crate) scope: &'static str,
    pub(crate) access_seconds: u64,
}

pub(crate) const fn place(dialect: Dialect) -> Place {
    let (authorize, token, userinfo, scope, access_seconds) = match dialect {
        Dialect::Google => ("/o/oauth2/v2/auth", "/token", "/v1/userinfo", "openid email", 3_599),
        Dialect::Slack => (
            "/oauth/v2/authorize",
            "/api/oauth.v2.access",
            "/api/auth.test",
            "channels:read,chat:write",
            43_200,
        ),
        Dialect::Microsoft => (
            "/common/oauth2/v2.0/authorize",
            "/common/oauth2/v2.0/token",
            "/v1.0/me",
            "openid profile offline_access User.Read",
            4_322,
        ),
        Dialect::GitHub => {
            ("/login/oauth/authorize", "/login/oauth/access_token", "/user", "repo gist", 28_800)
        }
        _ => ("/oauth/authorize", "/oauth/token", "/v2/users/me", "", 3_599),
    };
    Place { authorize, token, userinfo, scope, access_seconds }
}

pub(crate) fn clock() -> ManualClock {
    ManualClock::at("2026-03-01T09:00:00Z")
}

pub(crate) fn builder(dialect: Dialect, clock: &ManualClock) -> FakeOAuthBuilder {
    FakeOAuth::builder(dialect).clock(Arc::new(clock.clone())).client("the-client", "the-secret")
}

pub(crate) async fn start(dialect: Dialect) -> FakeOAuth {
    builder(dialect, &clock()).start().await
}

pub(crate) fn authorization_url(fake: &FakeOAuth, extra: &[(&str, &str)]) -> String {
    let place = place(fake.dialect());
    let mut url = Url::parse(&format!("{}{}", fake.url(), place.authorize)).unwrap();
    let mut pairs = vec![
        ("client_id", fake.client_id()),
        ("redirect_uri", REDIRECT),
        ("response_type", "code"),
        ("scope", place.scope),
        ("state", STATE),
    ];
    if fake.dialect() == Dialect::Google {
        pairs.extend([("access_type", "offline"), ("prompt", "consent")]);
    }
    if fake.dialect() != Dialect::Slack {
        pairs.extend([("code_challenge", CHALLENGE), ("code_challenge_method", "S256")]);
    }
    pairs.retain(|(name, value)| !value.is_empty() && extra.iter().all(|(other, _)| other != name));
    url.query_pairs_mut()
        .extend_pairs(pairs)
        .extend_pairs(extra.iter().filter(|(_, value)| !value.is_empty()));
    url.into()
}

pub(crate) fn parameter(location: &str, name: &str) -> Option<String> {
    let url = Url::parse(location).unwrap();
    url.query_pairs().find(|(known, _)| known == name).map(|(_, value)| value.into_owned())
}

pub(crate) async fn code(fake: &FakeOAuth, extra: &[(&str, &str)]) -> String {
    let location = fake.consent(&authorization_url(fake, extra)).await.unwrap();
    assert!(location.starts_with(REDIRECT), "{location}");
    assert_eq!(parameter(&location, "state").as_deref(), Some(STATE));
    parameter(&location, "code").unwrap_or_else(|| panic!("no code: {location}"))
}

/// A request to the token endpoint in which the client proves itself as the provider wants it.
pub(crate) fn token_request(fake: &FakeOAuth, form: &[(&str, &str)]) -> RequestBuilder {
    let request = http().post(format!("{}{}", fake.url(), place(fake.dialect()).token));
    let request = request.header("accept", "application/json");
    let (id, secret) = (fake.client_id(), fake.client_secret());
    let mut form = form.to_vec();
    match (fake.dialect(), secret) {
        (Dialect::Zoom | Dialect::Slack, Some(secret)) => request.basic_auth(id, Some(secret)).form(&form),
        (_, secret) => {
            form.push(("client_id", id));
            form.extend(secret.map(|secret| ("client_secret", secret)));
            request.form(&form)
        }
    }
}

pub(crate) async fn answer(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or_else(|_| panic!("{status}: {text}")))
}

pub(crate) async fn token(fake: &FakeOAuth, form: &[(&str, &str)]) -> (u16, Value) {
    answer(token_request(fake, form).send().await.unwrap()).await
}

pub(crate) async fn redeem(fake: &FakeOAuth, code: &str) -> (u16, Value) {
    let grant = ("grant_type", "authorization_code");
    token(fake, &[grant, ("code", code), ("redirect_uri", REDIRECT), ("code_verifier", VERIFIER)]).await
}

pub(crate) async fn refresh(fake: &FakeOAuth, refresh_token: &str) -> (u16, Value) {
    token(fake, &[("grant_type", "refresh_token"), ("refresh_token", refresh_token)]).await
}

pub(crate) fn text(body: &Value, field: &str) -> String {
    body[field].as_str().unwrap_or_else(|| panic!("no {field} in {body}")).to_owned()
}

/// The whole way to a pair of tokens.
pub(crate) async fn connect(fake: &FakeOAuth) -> (String, String) {
    let code = code(fake, &[]).await;
    let (status, body) = redeem(fake, &code).await;
    assert_eq!(status, 200, "{body}");
    (text(&body, "access_token"), text(&body, "refresh_token"))
}

pub(crate) async fn get(fake: &FakeOAuth, path: &str, access: &str) -> (u16, Value) {
    answer(http().get(format!("{}{path}", fake.url())).bearer_auth(access).send().await.unwrap()).await
}

/// Whether the provider says whose token it is.
pub(crate) async fn works(fake: &FakeOAuth, access: &str) -> bool {
    let (status, body) = get(fake, place(fake.dialect()).userinfo, access).await;
    let known = status == 200 && body["ok"] != false;
    assert_eq!(known, fake.is_live(access), "{body}");
    known
}

/// What a refusal says: Slack's and GitHub's come with status 200.
pub(crate) fn refused((status, body): (u16, Value)) -> (u16, String) {
    assert!(body.get("access_token").is_none(), "{body}");
    (status, text(&body, "error"))
}
