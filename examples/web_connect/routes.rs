//! What happens at which address?
//!
//! Pages are read with GET and change nothing; what changes something is a POST with the session's token
//! and leads back with a 303. The user comes from the session; a connection of another user is not found.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, RawQuery, Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use integrations_core::auth::Authorization;
use integrations_core::{Connection, Data, Error, Result};

use super::app::{App, syncs};
use super::card::{ConnectionView, ServiceView};
use super::session::{self, Posted, Session};
use super::words::{self, Flash};
use super::{page, words::Tone};

/// No form of these pages is large.
const BODY_LIMIT: usize = 16 * 1024;

/// What every answer carries.
#[rustfmt::skip]
const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy",    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"),
    ("referrer-policy",            "no-referrer"),
    ("x-content-type-options",     "nosniff"),
    ("cache-control",              "no-store"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// The pages.
pub(crate) fn router(app: App) -> Router {
    let pages = Router::new()
        .route("/", get(overview))
        .route("/connect/{service}", post(connect))
        .route("/callback/{service}", get(callback))
        .route("/connections/{id}/sync", post(sync))
        .route("/connections/{id}/check", post(check))
        .route("/connections/{id}/pause", post(pause))
        .route("/connections/{id}/resume", post(resume))
        .route("/connections/{id}/reconnect", post(reconnect))
        .route("/connections/{id}/disconnect", get(confirm_disconnect).post(disconnect))
        .layer(from_fn_with_state(app.clone(), session::attach));
    Router::new()
        .merge(pages)
        .route("/style.css", get(|| async { file("text/css; charset=utf-8", include_str!("style.css")) }))
        .route("/icon.svg", get(|| async { file("image/svg+xml", include_str!("icon.svg")) }))
        .fallback(|| async { Refusal::NotFound })
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(from_fn_with_state(app.clone(), one_host))
        .layer(from_fn(with_headers))
        .with_state(app)
}

fn file(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type)], text).into_response()
}

async fn with_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// The page has one address: under another name of this machine the cookie would be another one, and a
/// foreign name that leads here (DNS rebinding) is none of ours.
async fn one_host(State(app): State<App>, request: Request, next: Next) -> Response {
    let named = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    if named.is_some_and(|host| host.eq_ignore_ascii_case(app.host())) {
        return next.run(request).await;
    }
    if request.method() == Method::GET {
        return Redirect::to(&format!("{}/", app.origin())).into_response();
    }
    StatusCode::MISDIRECTED_REQUEST.into_response()
}

/// Why a request gets no page.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// It is not there, or not this user's.
    NotFound,
    /// The form is not of this session.
    Forbidden,
    /// Something broke here.
    Broken(Error),
}

impl From<Error> for Refusal {
    fn from(error: Error) -> Self {
        Self::Broken(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, title, text) = match self {
            Self::NotFound => (StatusCode::NOT_FOUND, "Not found", "There is nothing at this address."),
            Self::Forbidden => (
                StatusCode::FORBIDDEN,
                "Not accepted",
                "This form is too old, or was not sent from this page. Please go back and try again.",
            ),
            Self::Broken(error) => {
                // For whoever runs this; it holds no secret.
                eprintln!("{error}");
                let text = "Something went wrong on our side. Please try again later.";
                (StatusCode::INTERNAL_SERVER_ERROR, "Something went wrong", text)
            }
        };
        (status, Html(page::problem(title, text).into_string())).into_response()
    }
}

type Page = Result<Html<String>, Refusal>;
type Answer = Result<Response, Refusal>;

async fn overview(State(app): State<App>, session: Session) -> Page {
    let mut connections = app.gateway.connections(&session.user).await?;
    connections.sort_by_key(|connection| connection.created_at);
    let mut services: Vec<_> = app.gateway.services().map(ServiceView::new).collect();
    for connection in connections {
        let view = ConnectionView::load(&app, connection).await?;
        // One of a service that is not offered any more can still be taken down.
        if services.iter().all(|service| *service.id() != view.connection.service) {
            services.push(ServiceView::gone(&view.connection.service));
        }
        if let Some(service) = services.iter_mut().find(|service| *service.id() == view.connection.service) {
            service.connections.push(view);
        }
    }
    let flash = app.sessions.take_flash(&session).await?;
    Ok(Html(page::overview(&app, &session, flash.as_ref(), &services).into_string()))
}

async fn connect(State(app): State<App>, Path(service): Path<String>, posted: Posted) -> Answer {
    let info = app.service(&service).ok_or(Refusal::NotFound)?;
    let begun = app
        .gateway
        .connect(&posted.session.user, &info.id)
        .redirect_uri(app.redirect_uri(&service))
        .level(words::level_of(posted.field("level")))
        .begin()
        .await;
    leave(&app, &posted.session, info.name, begun).await
}

/// Sends the user to the provider. Not with a redirect: a browser that obeys `form-action` refuses one
/// from a form of ours to another site, and wherever that site sends its users next.
async fn leave(app: &App, session: &Session, name: &str, begun: Result<Authorization>) -> Answer {
    match begun {
        Ok(begun) => Ok(Html(page::leaving(name, begun.url.as_str()).into_string()).into_response()),
        Err(error) => home(app, session, &Flash::failed(name, &error)).await,
    }
}

async fn callback(
    State(app): State<App>,
    Path(service): Path<String>,
    session: Session,
    uri: Uri,
    RawQuery(query): RawQuery,
) -> Answer {
    let info = app.service(&service).ok_or(Refusal::NotFound)?;
    // Whole, so that an answer which was meant for another service's path is refused.
    let address = format!("{}{}?{}", app.origin(), uri.path(), query.unwrap_or_default());
    let flash = match app.gateway.complete_all(&session.user, &address).await {
        Ok(connections) => {
            let mut accounts = Vec::new();
            for connection in &connections {
                accounts.push(words::account(&connection.account));
                if syncs(info) {
                    app.syncs.start(&app.gateway, &connection.id).await;
                }
            }
            Flash::good(format!("Connected {} as {}.", info.name, accounts.join(" and ")))
        }
        Err(error) => Flash::came_back(info.name, &error),
    };
    home(&app, &session, &flash).await
}

/// Back to the overview, with something to say.
async fn home(app: &App, session: &Session, flash: &Flash) -> Answer {
    app.sessions.flash(session, flash).await?;
    Ok(Redirect::to("/").into_response())
}

/// The user's own connection, and its service's name.
async fn own(app: &App, session: &Session, id: &str) -> Result<(Connection, &'static str), Refusal> {
    let connection = app.connection(&session.user, id).await?.ok_or(Refusal::NotFound)?;
    let name = app.service(connection.service.as_str()).map_or(ServiceView::GONE, |info| info.name);
    Ok((connection, name))
}

async fn sync(State(app): State<App>, Path(id): Path<String>, posted: Posted) -> Answer {
    let (connection, name) = own(&app, &posted.session, &id).await?;
    app.syncs.start(&app.gateway, &connection.id).await;
    let last = app.syncs.last(&connection.id).await?;
    let flash = match last.failed {
        _ if app.syncs.is_running(&connection.id) => Flash::note(format!("{name} is being synced.")),
        Some(failed) => Flash { tone: Tone::Bad, text: format!("{name}: {}", failed.message) },
        None => Flash::good(format!("{name} is up to date.")),
    };
    home(&app, &posted.session, &flash).await
}

async fn check(State(app): State<App>, Path(id): Path<String>, posted: Posted) -> Answer {
    let (connection, name) = own(&app, &posted.session, &id).await?;
    let flash = match app.gateway.check_health(&connection.id).await {
        Ok(()) => Flash::good(format!("{name} answers: the connection works.")),
        Err(error) => Flash::failed(name, &error),
    };
    home(&app, &posted.session, &flash).await
}

async fn pause(State(app): State<App>, Path(id): Path<String>, posted: Posted) -> Answer {
    let (connection, name) = own(&app, &posted.session, &id).await?;
    let flash = match app.gateway.pause(&connection.id).await {
        Ok(_) => Flash::good(format!("{name} is paused.")),
        Err(error) => Flash::failed(name, &error),
    };
    home(&app, &posted.session, &flash).await
}

async fn resume(State(app): State<App>, Path(id): Path<String>, posted: Posted) -> Answer {
    let (connection, name) = own(&app, &posted.session, &id).await?;
    let flash = match app.gateway.resume(&connection.id).await {
        Ok(_) => Flash::good(format!("{name} goes on.")),
        Err(error) => Flash::failed(name, &error),
    };
    home(&app, &posted.session, &flash).await
}

async fn reconnect(State(app): State<App>, Path(id): Path<String>, posted: Posted) -> Answer {
    let (connection, name) = own(&app, &posted.session, &id).await?;
    let begun = begin_again(&app, &connection, posted.field("level")).await;
    leave(&app, &posted.session, name, begun).await
}

/// Asks for what was granted before, and for what the level adds to it.
async fn begin_again(app: &App, connection: &Connection, level: &str) -> Result<Authorization> {
    let reconnect = app.gateway.reconnect(&connection.id).await?;
    let redirect_uri = app.redirect_uri(connection.service.as_str());
    reconnect.redirect_uri(redirect_uri).level(words::level_of(level)).begin().await
}

async fn confirm_disconnect(State(app): State<App>, Path(id): Path<String>, session: Session) -> Page {
    let (connection, name) = own(&app, &session, &id).await?;
    let view = ConnectionView::load(&app, connection).await?;
    Ok(Html(page::confirm_disconnect(&app, &session, name, &view).into_string()))
}

async fn disconnect(State(app): State<App>, Path(id): Path<String>, posted: Posted) -> Answer {
    let (connection, name) = own(&app, &posted.session, &id).await?;
    let data = if posted.field("data") == "erase" { Data::Erase } else { Data::Keep };
    app.gateway.disconnect_with(&connection.id, data).await?;
    app.syncs.forget(&connection.id).await?;
    let account = words::account(&connection.account);
    home(&app, &posted.session, &Flash::good(format!("Disconnected {account} from {name}."))).await
}
