//! Who sits at the browser?
//!
//! Each browser is a demo user of its own; a host has its login here. What matters to connecting accounts
//! stays the same: the user comes from the session alone, and every form carries the session's token.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Form, FromRequest, FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use integrations_core::cache::KeyValueStore;
use integrations_core::connection::UserId;
use integrations_core::{Error, ErrorKind, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use super::app::App;
use super::routes::Refusal;
use super::words::Flash;

const LIFE: Duration = Duration::from_secs(30 * 24 * 3600);
const FLASH_LIFE: Duration = Duration::from_secs(3600);
/// 256 bits, as base64url.
const ID_LENGTH: usize = 43;

/// A browser that was here before, or is new.
#[derive(Clone)]
pub(crate) struct Session {
    /// What stands in the cookie: whoever has it is the user.
    id: Arc<str>,
    pub(crate) user: UserId,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("user", &self.user).finish_non_exhaustive()
    }
}

impl Session {
    /// The token that every form of this session carries. Nobody can tell it who does not know the cookie,
    /// and nobody can tell the cookie from it.
    pub(crate) fn csrf(&self) -> String {
        hash("csrf", &self.id)
    }
}

/// What is stored of a session, under the hash of its id: whoever reads the store cannot come back with it.
#[derive(Serialize, Deserialize)]
struct Stored {
    user: UserId,
}

/// The sessions, in the host's storage of values that expire.
#[derive(Debug, Clone)]
pub(crate) struct Sessions {
    values: Arc<dyn KeyValueStore>,
    https: bool,
}

impl Sessions {
    pub(crate) fn new(values: Arc<dyn KeyValueStore>, https: bool) -> Self {
        Self { values, https }
    }

    /// With https, a name that browsers take from this host alone.
    fn cookie_name(&self) -> &'static str {
        if self.https { "__Host-session" } else { "web_connect_session" }
    }

    async fn find(&self, headers: &HeaderMap) -> Result<Option<Session>> {
        let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut pairs =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        let id = pairs.find(|(name, value)| *name == self.cookie_name() && value.len() == ID_LENGTH);
        let Some((_, id)) = id else { return Ok(None) };
        let stored = self.values.get(&hash("web:session", id)).await?;
        let stored = stored.and_then(|text| serde_json::from_slice::<Stored>(&text).ok());
        Ok(stored.map(|stored| Session { id: id.into(), user: stored.user }))
    }

    async fn create(&self) -> Result<Session> {
        let user = UserId::new(format!("demo-{}", random_text::<16>()?));
        let session = Session { id: random_text::<32>()?.into(), user };
        let stored = Stored { user: session.user.clone() };
        let text = serde_json::to_vec(&stored)
            .map_err(|_| Error::new(ErrorKind::Store, "the session cannot be stored"))?;
        self.values.put(&hash("web:session", &session.id), &text, LIFE).await?;
        Ok(session)
    }

    /// `Lax`: the cookie comes along when a provider sends its user back here.
    fn cookie(&self, session: &Session) -> Option<HeaderValue> {
        let secure = if self.https { "; Secure" } else { "" };
        let cookie = format!(
            "{}={}; Path=/; HttpOnly; SameSite=Lax; Max-Age={}{secure}",
            self.cookie_name(),
            session.id,
            LIFE.as_secs()
        );
        HeaderValue::try_from(cookie).ok()
    }

    /// Says something on the next page.
    pub(crate) async fn flash(&self, session: &Session, flash: &Flash) -> Result<()> {
        let text = serde_json::to_vec(flash)
            .map_err(|_| Error::new(ErrorKind::Store, "the message cannot be stored"))?;
        self.values.put(&hash("web:flash", &session.id), &text, FLASH_LIFE).await
    }

    /// What is to be said, once.
    pub(crate) async fn take_flash(&self, session: &Session) -> Result<Option<Flash>> {
        let text = self.values.take(&hash("web:flash", &session.id)).await?;
        Ok(text.and_then(|text| serde_json::from_slice(&text).ok()))
    }
}

/// Finds the session of a request. A browser that is new gets one with the first page that it reads.
pub(crate) async fn attach(
    State(app): State<App>,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let known = app.sessions.find(request.headers()).await?;
    let created = match &known {
        None if request.method().is_safe() => Some(app.sessions.create().await?),
        _ => None,
    };
    let cookie = created.as_ref().and_then(|session| app.sessions.cookie(session));
    if let Some(session) = known.or(created) {
        request.extensions_mut().insert(session);
    }
    let mut response = next.run(request).await;
    if let Some(cookie) = cookie {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    Ok(response)
}

impl<S: Send + Sync> FromRequestParts<S> for Session {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        parts.extensions.get::<Self>().cloned().ok_or(Refusal::Forbidden)
    }
}

/// A form of this session's, sent by this session's browser. A handler that takes it cannot forget to ask.
pub(crate) struct Posted {
    pub(crate) session: Session,
    fields: HashMap<String, String>,
}

impl Posted {
    pub(crate) fn field(&self, name: &str) -> &str {
        self.fields.get(name).map_or("", String::as_str)
    }
}

impl<S: Send + Sync> FromRequest<S> for Posted {
    type Rejection = Refusal;

    async fn from_request(request: Request, state: &S) -> Result<Self, Refusal> {
        let session = request.extensions().get::<Session>().cloned().ok_or(Refusal::Forbidden)?;
        let form = Form::<HashMap<String, String>>::from_request(request, state).await;
        let posted = Self { session, fields: form.map_err(|_| Refusal::Forbidden)?.0 };
        let (given, expected) = (posted.field("csrf"), posted.session.csrf());
        if bool::from(given.as_bytes().ct_eq(expected.as_bytes())) {
            Ok(posted)
        } else {
            Err(Refusal::Forbidden)
        }
    }
}

fn hash(purpose: &str, id: &str) -> String {
    let digest = Sha256::new().chain_update(purpose).chain_update(":").chain_update(id).finalize();
    format!("{purpose}:{}", URL_SAFE_NO_PAD.encode(digest))
}

fn random_text<const BYTES: usize>() -> Result<String> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|_| Error::new(ErrorKind::Configuration, "the system has no randomness"))?;
    Ok(URL_SAFE_NO_PAD.encode(bytes))
}
