//! Connect, see, disconnect, in a real browser.

use std::path::Path;

use integrations_examples::story::Consent;

use super::driver::{Browser, Driver};
use super::host::Host;

const TAB: &str = "\u{e004}";

/// Each service, and what the page calls its account.
const SERVICES: [(&str, &str, &str); 8] = [
    ("google_calendar", "Google Calendar", "ada@example.com"),
    ("gmail", "Gmail", "ada@example.com"),
    ("google_tasks", "Google Tasks", "ada@example.com"),
    ("slack", "Slack", "example.com"),
    ("outlook_calendar", "Outlook Calendar", "ada@goettingen.example"),
    ("outlook_mail", "Outlook Mail", "ada@goettingen.example"),
    ("github", "GitHub", "ada@example.com"),
    ("zoom", "Zoom", "ada@example.com"),
];

/// The card of a service.
fn card(service: &str) -> String {
    format!("section[aria-labelledby=service-{service}]")
}

/// A button in the card of a service.
fn button(service: &str, action: &str) -> String {
    format!("{} form[action$=\"/{action}\"] button", card(service))
}

async fn start_connecting(browser: &Browser<'_>, service: &str) {
    browser.click(&button(service, &format!("connect/{service}"))).await;
}

async fn allow(browser: &Browser<'_>) {
    browser.click("button[value=allow]").await;
}

/// What would keep somebody from using the page, on each kind of screen; and a picture of each.
async fn is_for_everybody(browser: &Browser<'_>, name: &str, pictures: &Path) {
    for (screen, width, dark) in
        [("desktop", 1280, false), ("phone", 390, false), ("dark", 1280, true), ("phone-dark", 390, true)]
    {
        browser.screen(width, dark).await;
        let problems = browser.run(include_str!("accessibility.js")).await;
        assert_eq!(problems, serde_json::json!([]), "{name}, {screen}");
        browser.picture(&pictures.join(format!("{name}-{screen}.png"))).await;
    }
    browser.screen(1280, false).await;
    browser.run("for (const one of document.querySelectorAll('details:not([open])')) one.open = one.closed = true").await;
    let problems = browser.run(include_str!("accessibility.js")).await;
    assert_eq!(problems, serde_json::json!([]), "{name}, unfolded");
    let mut labels = Vec::new();
    for element in browser.find_all("a[href], button, select, input:not([type=hidden]), summary").await {
        labels.push(browser.label(&element).await);
    }
    browser
        .run("for (const one of document.querySelectorAll('details')) if (one.closed) one.open = false")
        .await;
    assert!(labels.iter().all(|label| !label.trim().is_empty()), "{name}: a control has no name: {labels:?}");
    // Whoever hears the controls one by one can tell them apart.
    labels.sort();
    let alike = labels.windows(2).find(|pair| pair[0] == pair[1]);
    assert_eq!(alike, None, "{name}: two controls have the same name");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs chromium"]
async fn connect_see_disconnect() {
    let pictures = tempfile::tempdir().unwrap().keep();
    println!("pictures: {}", pictures.display());
    let host = Host::start(Consent::Page).await;
    let driver = Driver::start();
    let browser = driver.browser().await;

    browser.open(&host.url).await;
    browser.see("Nothing is connected yet.").await;
    is_for_everybody(&browser, "1-empty", &pictures).await;
    browser.keys("body", TAB).await;
    let focused =
        "const at = document.activeElement; return [at.className, at.getBoundingClientRect().top >= 0]";
    assert_eq!(browser.run(focused).await, serde_json::json!(["skip", true]), "the skip link comes first");
    browser.keys("body", TAB).await;
    let outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle").await;
    assert_eq!(outline, "solid", "the focus shows");

    // A user who says no at first.
    start_connecting(&browser, "slack").await;
    browser.click("button[value=deny]").await;
    browser.see("You did not allow access to Slack. Nothing was changed.").await;
    assert!(browser.text(&card("slack")).await.contains("Not connected"));
    assert_eq!(browser.address().await, format!("{}/", host.url));

    for (service, name, account) in SERVICES {
        start_connecting(&browser, service).await;
        browser.see("Allow access?").await;
        allow(&browser).await;
        browser.see(&format!("Connected {name} as {account}.")).await;
        let card = browser.text(&card(service)).await;
        assert!(card.contains(account) && card.contains("Connected"), "{card}");
        assert_eq!(browser.address().await, format!("{}/", host.url), "no code stays in the address");
    }
    browser.see("8 accounts connected.").await;
    for (service, updated, kept) in [
        ("gmail", 29, "14 messages, 15 labels"),
        ("google_tasks", 11, "11 tasks"),
        ("slack", 36, "21 messages, 7 channels, 8 people"),
        ("google_calendar", 19, "19 events"),
        ("outlook_calendar", 5, "5 events"),
        ("outlook_mail", 15, "6 messages, 9 folders"),
        ("github", 14, "7 issues, 4 comments, 3 notifications"),
        ("zoom", 7, "7 meetings"),
    ] {
        let card = browser.text(&card(service)).await;
        assert!(card.contains(&format!("(just now): {updated} updated, 0 removed")), "{card}");
        assert!(card.contains(&format!("Kept here\n{kept}")), "{card}");
    }
    let calendar = browser.text(&card("google_calendar")).await;
    assert!(
        calendar.contains("Not allowed\nwriting") && calendar.contains("renewed by itself"),
        "{calendar}"
    );
    assert!(browser.text(&card("github")).await.contains("Does not expire"));
    browser.click(&format!("{} details summary", card("slack"))).await;
    browser.see("user:channels:history").await;
    is_for_everybody(&browser, "2-connected", &pictures).await;

    // More is allowed.
    browser.click(&format!("{} article details:nth-of-type(2) summary", card("google_calendar"))).await;
    browser.click(&button("google_calendar", "reconnect")).await;
    allow(&browser).await;
    browser.see("Connected Google Calendar").await;
    assert!(!browser.text(&card("google_calendar")).await.contains("Not allowed"));

    // Something changes everywhere. A reply changes the message that it answers, too; a series is taken away and
    // written anew; and GitHub tells once more of what was updated in the last moments.
    let story = host.story();
    story.go_on();
    for (service, name, outcome) in [
        ("google_calendar", "Google Calendar", "2 updated, 1 removed"),
        ("gmail", "Gmail", "3 updated, 0 removed"),
        ("google_tasks", "Google Tasks", "2 updated, 0 removed"),
        ("slack", "Slack", "4 updated, 0 removed"),
        ("outlook_calendar", "Outlook Calendar", "2 updated, 2 removed"),
        ("outlook_mail", "Outlook Mail", "2 updated, 0 removed"),
        ("zoom", "Zoom", "3 updated, 0 removed"),
    ] {
        browser.click(&button(service, "sync")).await;
        browser.see(&format!("{name} is up to date.")).await;
        let card = browser.text(&card(service)).await;
        assert!(card.contains(outcome), "{service}: {card}");
    }

    // The user takes access back, at the providers.
    story.google.revoke_grant();
    story.slack.revoke_grant();
    story.microsoft.revoke_grant();
    story.github.revoke_grant();
    story.zoom.revoke_grant();
    for (service, name, _) in SERVICES {
        browser.click(&button(service, "sync")).await;
        browser.see(&format!("{name}: Please connect your account again.")).await;
        assert!(browser.text(&card(service)).await.contains("Needs re-authorisation"), "{service}");
    }
    assert_eq!(browser.find_all(".attention li").await.len(), SERVICES.len());
    is_for_everybody(&browser, "3-attention", &pictures).await;

    // Another account will not do.
    browser.click(&button("github", "reconnect")).await;
    browser.click("label:has(input[name=account]):last-of-type").await;
    allow(&browser).await;
    browser.see("You chose another account at GitHub than the one to reconnect.").await;

    for (at, (service, name, _)) in SERVICES.into_iter().enumerate() {
        browser.click(&button(service, "reconnect")).await;
        allow(&browser).await;
        browser.see(&format!("Connected {name}")).await;
        assert!(!browser.text(&card(service)).await.contains("Needs re-authorisation"), "{service}");
        if at + 1 < SERVICES.len() {
            assert_eq!(browser.find_all(".attention li").await.len(), SERVICES.len() - at - 1);
        }
    }
    // What was synced before goes on from where it was.
    assert!(browser.text(&card("google_calendar")).await.contains("0 updated, 0 removed"));

    browser.click(&button("zoom", "pause")).await;
    browser.see("Nothing is read until you resume it.").await;
    is_for_everybody(&browser, "4-paused", &pictures).await;
    browser.click(&button("zoom", "resume")).await;
    browser.see("Zoom goes on.").await;

    // Somebody else, at another browser.
    let other = driver.browser().await;
    other.open(&host.url).await;
    other.see("Nothing is connected yet.").await;
    let id = browser.run("return document.querySelector('article').id").await;
    let id = id.as_str().unwrap();
    other.open(&format!("{}/connections/{id}/disconnect", host.url)).await;
    other.see("There is nothing at this address.").await;
    is_for_everybody(&other, "6-not-found", &pictures).await;
    // Their own form, turned to a connection that is not theirs.
    for action in ["sync", "check", "pause", "resume", "reconnect", "disconnect"] {
        other.open(&host.url).await;
        let turn = format!("document.forms[0].action = '/connections/{id}/{action}'");
        other.run(&turn).await;
        other.click("form button").await;
        other.see("There is nothing at this address.").await;
    }

    // What is kept goes, too.
    for (service, name, account) in SERVICES {
        browser.click(&format!("{} a.button[href$=\"/disconnect\"]", card(service))).await;
        browser.see(&format!("Disconnect {name}?")).await;
        if service == "google_calendar" {
            browser.see("Kept here: 19 events. What happens to them?").await;
            is_for_everybody(&browser, "5-disconnect", &pictures).await;
        }
        browser.click("input[value=erase]").await;
        browser.click("form[action$=\"/disconnect\"] button").await;
        browser.see(&format!("Disconnected {account} from {name}.")).await;
        assert!(browser.text(&card(service)).await.contains("Not connected"));
    }
    browser.see("Nothing is connected yet.").await;
    // Microsoft has nothing to take back with; at GitHub there is what the other account has allowed.
    let (slack, zoom) = (&story.slack, &story.zoom);
    assert!(slack.issued_secrets().iter().all(|secret| !slack.is_live(secret)));
    assert!(zoom.issued_secrets().iter().all(|secret| !zoom.is_live(secret)));
    let all = integrations_stores::sqlite::RecordQuery::new();
    assert_eq!(host.app.store.count(&all).await.unwrap(), 0);
}
