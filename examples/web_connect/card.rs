//! How does one service look, with its accounts?

use chrono::{DateTime, Utc};
use integrations_core::adapter::ServiceInfo;
use integrations_core::auth::Level;
use integrations_core::connection::{ConnectionStatus, ServiceId};
use integrations_core::{Connection, Result};
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
    /// How many items are kept; `None` for a service that does not sync.
    pub(crate) kept: Option<u64>,
}

impl ConnectionView {
    pub(crate) async fn load(app: &App, connection: Connection) -> Result<Self> {
        let syncs = app.service(connection.service.as_str()).is_some_and(syncs);
        let kept = match syncs {
            true => Some(app.store.count(&RecordQuery::new().connection(&connection.id)).await?),
            false => None,
        };
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
    let initial: String = view.name.chars().take(1).collect();
    html! {
        section.card aria-labelledby=(heading) {
            header.service {
                span.monogram aria-hidden="true" { (initial) }
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
    let form = html! {
        form.connect method="post" action={ "/connect/" (info.id) } {
            (csrf(session))
            (choice_of_level(info, &format!("level-{}", info.id), Level::Read))
            button.primary[!again] type="submit" {
                "Connect " @if again { "another account" } span.unseen { " at " (info.name) }
            }
        }
    };
    html! {
        @if again { details.more { summary { "Connect another account" span.unseen { " at " (info.name) } } (form) } }
        @else { (form) }
    }
}

fn choice_of_level(info: &ServiceInfo, id: &str, chosen: Level) -> Markup {
    let levels = words::levels(info);
    html! {
        @if levels.len() > 1 {
            div.field {
                label for=(id) { "Access" span.unseen { " to " (info.name) } }
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
                @if let Some(kept) = view.kept { (last_sync(view, kept, app.clock.now())) }
                (features(service, connection))
                div { dt { "Token" } dd { (words::token(connection)) } }
                div { dt { "Connected since" } dd { (time(connection.created_at)) } }
            }
            (scopes(connection))
            (actions(session, service, view, tone))
        }
    }
}

fn last_sync(view: &ConnectionView, kept: u64, now: DateTime<Utc>) -> Markup {
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
        div { dt { "Kept here" } dd { (words::counted(kept, "item")) } }
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

fn scopes(connection: &Connection) -> Markup {
    html! {
        details {
            summary { "Permissions (" (connection.scopes.len()) ")" }
            @if connection.scopes.is_empty() { p { "The service names none." } }
            @else { ul.scopes { @for scope in &connection.scopes { li { code { (scope) } } } } }
        }
    }
}

fn actions(session: &Session, service: &ServiceView<'_>, view: &ConnectionView, tone: Tone) -> Markup {
    let connection = &view.connection;
    // A list of buttons that are named alike is no help to those who hear them.
    let of = html! { span.unseen { " " (words::account(&connection.account)) " at " (service.name) } };
    let button = |action: &str, label: &str, class: &str| {
        html! {
            form method="post" action={ "/connections/" (connection.id) "/" (action) } {
                (csrf(session))
                button.(class) type="submit" { (label) (of) }
            }
        }
    };
    let more = service.info.filter(|info| {
        connection.status == ConnectionStatus::Active
            && info.disabled(&connection.scopes).next().is_some()
            && words::levels(info).len() > 1
    });
    html! {
        div.actions {
            @if tone == Tone::Bad && service.info.is_some() { (button("reconnect", "Reconnect", "primary")) }
            @if connection.status == ConnectionStatus::Active && service.info.is_some() {
                @if view.kept.is_some() { (button("sync", "Sync now", "")) }
                @else { (button("check", "Check", "")) }
                (button("pause", "Pause", ""))
            }
            @if connection.status == ConnectionStatus::Paused { (button("resume", "Resume", "primary")) }
            a.button.quiet href={ "/connections/" (connection.id) "/disconnect" } { "Disconnect…" (of) }
        }
        @if let Some(info) = more {
            details.more {
                summary { "Change what is allowed" (of) }
                form.connect method="post" action={ "/connections/" (connection.id) "/reconnect" } {
                    (csrf(session))
                    (choice_of_level(info, &format!("level-{}", connection.id), *words::levels(info).last().unwrap_or(&Level::Read)))
                    button type="submit" { "Ask again" (of) }
                }
            }
        }
    }
}

fn time(at: DateTime<Utc>) -> Markup {
    html! { time datetime=(at.to_rfc3339()) { (words::clock(at)) } }
}
