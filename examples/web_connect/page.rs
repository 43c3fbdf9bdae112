//! How do the pages look as HTML? No script, one style sheet, nothing from elsewhere.
//!
//! [`maud`] escapes whatever stands in `( )`: names of accounts come from other people.

use maud::{DOCTYPE, Markup, html};

use super::app::App;
use super::card::{self, ConnectionView, ServiceView, csrf};
use super::session::Session;
use super::words::{self, Flash, Tone};

fn shell(title: &str, head: &Markup, main: &Markup, footer: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) }
                link rel="stylesheet" href="/style.css";
                link rel="icon" href="/icon.svg" type="image/svg+xml";
                (head)
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                main #main { (main) }
                footer { (footer) }
            }
        }
    }
}

/// All services, with what is connected.
pub(crate) fn overview(
    app: &App,
    session: &Session,
    flash: Option<&Flash>,
    services: &[ServiceView<'_>],
) -> Markup {
    let waiting: Vec<_> = services.iter().flat_map(ServiceView::waiting).collect();
    let connected: usize = services.iter().map(|service| service.connections.len()).sum();
    let main = html! {
        header.top {
            h1 { "Connected accounts" }
            p.lead {
                @if connected == 0 { "Nothing is connected yet. Choose a service to begin with." }
                @else { (words::counted(connected as u64, "account")) " connected." }
            }
        }
        @if let Some(flash) = flash { (say(flash)) }
        @if !waiting.is_empty() {
            section.attention aria-labelledby="attention" {
                h2 #attention { "Needs your attention" }
                ul {
                    @for (service, view) in waiting {
                        li {
                            a href={ "#" (view.connection.id) } {
                                (service.name) ", " (words::account(&view.connection.account))
                            }
                            ": reconnect to go on."
                        }
                    }
                }
            }
        }
        @for service in services { (card::service(app, session, service)) }
    };
    let user: String = session.user.as_str().chars().take(11).collect();
    let footer = html! {
        p {
            @if app.fake { "The services are fakes on this machine, in March 2026: no real account is involved. " }
            "You are the demo user " code { (user) } "."
        }
    };
    shell("Connected accounts", &html! {}, &main, &footer)
}

fn say(flash: &Flash) -> Markup {
    let (role, mark) = match flash.tone {
        Tone::Good => ("status", "✓"),
        Tone::Note => ("status", "i"),
        Tone::Bad => ("alert", "!"),
    };
    html! {
        div.flash.(flash.tone.class()) role=(role) {
            span.mark aria-hidden="true" { (mark) }
            p { (flash.text) }
        }
    }
}

/// On the way to the provider.
pub(crate) fn leaving(name: &str, url: &str) -> Markup {
    let head = html! { meta http-equiv="refresh" content={ "0; url=" (url) }; };
    let main = html! {
        h1 { "Over to " (name) }
        p { "You can allow or refuse access there. Then you come back here." }
        p { a.button href=(url) rel="noreferrer" { "Continue to " (name) } }
    };
    shell(&format!("Over to {name}"), &head, &main, &html! {})
}

/// Asks once more.
pub(crate) fn confirm_disconnect(app: &App, session: &Session, name: &str, view: &ConnectionView) -> Markup {
    let account = words::account(&view.connection.account);
    let syncs = app.service(view.connection.service.as_str()).is_some_and(super::app::syncs);
    let kept = view.kept.as_ref().filter(|kept| syncs && !kept.is_empty());
    let main = html! {
        h1 { "Disconnect " (name) "?" }
        p { "We end our access to " strong { (account) } " at " (name) " and delete its tokens here." }
        form method="post" action={ "/connections/" (view.connection.id) "/disconnect" } {
            (csrf(session))
            @if let Some(kept) = kept {
                fieldset {
                    legend { "Kept here: " (kept) ". What happens to them?" }
                    label.choice {
                        input type="radio" name="data" value="keep" checked;
                        span { strong { "Keep them." } " Connecting the same account again goes on from here." }
                    }
                    label.choice {
                        input type="radio" name="data" value="erase";
                        span { strong { "Erase them." } " This cannot be undone." }
                    }
                }
            }
            div.actions {
                button.danger type="submit" { "Disconnect " (name) }
                a.button.quiet href={ "/#" (view.connection.id) } { "Cancel" }
            }
        }
    };
    shell(&format!("Disconnect {name}?"), &html! {}, &main, &html! {})
}

/// There is no page.
pub(crate) fn problem(title: &str, text: &str) -> Markup {
    let main = html! {
        h1 { (title) }
        p { (text) }
        p { a.button href="/" { "To your accounts" } }
    };
    shell(title, &html! {}, &main, &html! {})
}
