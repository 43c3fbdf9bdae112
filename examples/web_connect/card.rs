//! How does one service look, with its accounts?

use chrono::{DateTime, Utc};
use integrations_core::adapter::ServiceInfo;
use integrations_core::auth::Level;
use integrations_core::connection::{ConnectionStatus, ServiceId};
use integrations_core::{Connection, Result};
use integrations_examples::words::kept as kept_words;
use integrations_stores::sqlite::RecordQuery;
use maud::{Markup, html};

use super::app::{App, syncs};
use super::session::Session;
use super::sync::Last;
use super::words::{self, Tone};

/// A service, and the user's accounts there.
pub(crate) struct ServiceView<'a> {
    id: ServiceId,
    pub(crate) name: &'static str,
    /// `None` for a service that is not offered any more.
    info: Option<&'a ServiceInfo>,
    pub(crate) connections: Vec<ConnectionView>,
}

impl<'a> ServiceView<'a> {
    pub(crate) const GONE: &'static str = "A service that is not offered now";

    pub(crate) fn new(info: &'a ServiceInfo) -> Self {
        Self { id: info.id.clone(), name: info.name, info: Some(info), connections: Vec::new() }
    }

    pub(crate) fn gone(id: &ServiceId) -> Self {
        Self { id: id.clone(), name: Self::GONE, info: None, connections: Vec::new() }
    }

    pub(crate) fn id(&self) -> &ServiceId {
        &self.id
    }

    /// The accounts that only the user can bring back to life.
    pub(crate) fn waiting(&self) -> impl Iterator<Item = (&Self, &ConnectionView)> {
        let waits = |view: &&ConnectionView| view.connection.status.needs_user();
        self.connections.iter().filter(waits).map(move |view| (self, view))
    }
}

/// An account, and what there is to know of its data here.
pub(crate) struct ConnectionView {
    pub(crate) connection: Connection,
    last: Last,
    running: bool,
    /// What is kept, in words; empty where nothing is. `None` for a service that does not sync.
    pub(crate) kept: Option<String>,
}

impl ConnectionView {
    pub(crate) async fn load(app: &App, connection: Connection) -> Result<Self> {
        let mut kept = None;
        if app.service(connection.service.as_str()).is_some_and(syncs) {
            let query = RecordQuery::new().connection(&connection.id);
            kept = Some(kept_words(&app.store, &connection.service, &query).await?);
        }
        let last = app.syncs.last(&connection.id).await?;
        let running = app.syncs.is_running(&connection.id);
        Ok(Self { connection, last, running, kept })
    }
}

/// The token that every form carries.
pub(crate) fn csrf(session: &Session) -> Markup {
    html! { input type="hidden" name="csrf" value=(session.csrf()); }
}

pub(crate) fn service(app: &App, session: &Session, view: &ServiceView<'_>) -> Markup {
    let heading = format!("service-{}", view.id);
    let initials: String = view.name.chars().filter(|letter| letter.is_uppercase()).take(2).collect();
    html! {
        section.card aria-labelledby=(heading) {
            header.service {
                span.monogram aria-hidden="true" { (initials) }
                h2 id=(heading) { (view.name) }
                @if view.connections.is_empty() { span.badge.none { "Not connected" } }
            }
            @for one in &view.connections { (account(app, session, view, one)) }
            @if let Some(info) = view.info { (connect(session, info, !view.connections.is_empty())) }
        }
    }
}

/// The form that connects an account, and another one.
fn connect(session: &Session, info: &ServiceInfo, again: bool) -> Markup {
    let to = html! { span.unseen { " to " (info.name) } };
    let form = html! {
        form.connect method="post" action={ "/connect/" (info.id) } {
            (csrf(session))
            (choice_of_level(info, &format!("level-{}", info.id), &to, Level::Read))
            button.primary[!again] type="submit" { "Connect" span.unseen { " an account at " (info.name) } }
        }
    };
    html! {
        @if again { details.another { summary { "Connect another account" span.unseen { " at " (info.name) } } (form) } }
        @else { (form) }
    }
}

fn choice_of_level(info: &ServiceInfo, id: &str, of: &Markup, chosen: Level) -> Markup {
    let levels = words::levels(info);
    html! {
        @if levels.len() > 1 {
            div.field {
                label for=(id) { "Access" (of) }
                select name="level" id=(id) {
                    @for level in levels {
                        @let (value, name) = words::level(level);
                        option value=(value) selected[level == chosen] { (name) }
                    }
                }
            }
        }
    }
}

fn account(app: &App, session: &Session, service: &ServiceView<'_>, view: &ConnectionView) -> Markup {
    let connection = &view.connection;
    let (tone, status, meaning) = words::status(connection, service.name);
    let named = words::account(&connection.account);
    let second = connection.account.name.as_deref().filter(|name| *name != named);
    html! {
        article.account id=(connection.id) aria-label={ (named) " at " (service.name) } {
            div.who {
                h3 { (named) @if let Some(name) = second { " " span.second { (name) } } }
                span.badge.(tone.class()) { (status) }
            }
            @if let Some(meaning) = meaning { p.meaning { (meaning) } }
            dl {
                @if let Some(kept) = &view.kept { (last_sync(view, kept, app.clock.now())) }
                (features(service, connection))
                div { dt { "Access token" } dd { (words::token(connection)) } }
                div { dt { "Connected since" } dd { (time(connection.created_at)) } }
            }
            (folds(session, service, connection))
            (actions(session, service, view, tone))
        }
    }
}

fn last_sync(view: &ConnectionView, kept: &str, now: DateTime<Utc>) -> Markup {
    let Last { done, failed } = &view.last;
    html! {
        div {
            dt { "Last sync" }
            dd {
                @match done {
                    Some(done) => {
                        (time(done.at)) " (" (words::ago(done.at, now)) "): "
                        (done.updated) " updated, " (done.removed) " removed"
                        @if done.unreadable > 0 { ", " (done.unreadable) " could not be read" }
                    }
                    None => { "Not yet" }
                }
                @if let Some(failed) = failed {
                    p.failure { "The sync of " (time(failed.at)) " failed: " (failed.message) }
                }
                @if view.running { p { "A sync is under way. " a href="/" { "Look again" } } }
            }
        }
        div { dt { "Kept here" } dd { (if kept.is_empty() { "Nothing yet" } else { kept }) } }
    }
}

/// What may be used, and what has not been allowed.
fn features(service: &ServiceView<'_>, connection: &Connection) -> Markup {
    let Some(info) = service.info else { return html! {} };
    let list = |granted: bool| {
        let of = info.features.iter().filter(|feature| feature.is_granted(&connection.scopes) == granted);
        of.map(|feature| words::feature(feature.name)).collect::<Vec<_>>().join(", ")
    };
    let (allowed, disabled) = (list(true), list(false));
    html! {
        @if !allowed.is_empty() { div { dt { "Allowed" } dd { (allowed) } } }
        @if !disabled.is_empty() { div { dt { "Not allowed" } dd { (disabled) } } }
    }
}

fn actions(session: &Session, service: &ServiceView<'_>, view: &ConnectionView, tone: Tone) -> Markup {
    let connection = &view.connection;
    let offered = service.info.is_some();
    let of = of(service, connection);
    let button = |action: &str, label: &str, class: &str| {
        html! {
            form method="post" action={ "/connections/" (connection.id) "/" (action) } {
                (csrf(session))
                button.(class) type="submit" { (label) (of) }
            }
        }
    };
    html! {
        div.actions {
            @if tone == Tone::Bad && offered { (button("reconnect", "Reconnect", "primary")) }
            @if connection.status == ConnectionStatus::Active && offered {
                @if view.kept.is_some() { (button("sync", "Sync now", "")) }
                @else { (button("check", "Check", "")) }
                (button("pause", "Pause", ""))
            }
            @if connection.status == ConnectionStatus::Paused { (button("resume", "Resume", "primary")) }
            a.button.quiet href={ "/connections/" (connection.id) "/disconnect" } { "Disconnect…" (of) }
        }
    }
}

/// What was granted, and the way to more of it.
fn folds(session: &Session, service: &ServiceView<'_>, connection: &Connection) -> Markup {
    let of = of(service, connection);
    let lacking = service.info.filter(|info| info.disabled(&connection.scopes).next().is_some());
    let more = lacking.filter(|_| connection.status == ConnectionStatus::Active);
    let most = more.and_then(|info| words::levels(info).last().copied()).unwrap_or_default();
    html! {
        div.folds {
            details {
                summary { "Permissions (" (connection.scopes.len()) ")" (of) }
                @if connection.scopes.is_empty() { p { "The service names none." } }
                @else { ul.scopes { @for scope in &connection.scopes { li { code { (scope) } } } } }
            }
            @if let Some(info) = more {
                details {
                    summary { "Change what is allowed" (of) }
                    form.connect method="post" action={ "/connections/" (connection.id) "/reconnect" } {
                        (csrf(session))
                        (choice_of_level(info, &format!("level-{}", connection.id), &of, most))
                        button type="submit" { "Ask again" (of) }
                    }
                }
            }
        }
    }
}

/// For those who hear the page: a list of buttons that are named alike is no help to them.
fn of(service: &ServiceView<'_>, connection: &Connection) -> Markup {
    html! { span.unseen { " of " (words::account(&connection.account)) " at " (service.name) } }
}

fn time(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(at.to_rfc3339()) { (words::clock(at)) } }
}
