//! Which calendars there are, whether Graph answers, and what zone an event has whose own cannot be told.

use integrations_core::auth::Level;
use integrations_core::model::{EventTime, Zone};
use integrations_core::sync::SyncReport;
use integrations_testkit::Fault;
use integrations_testkit::msgraph::{CalendarSpec, FakeGraphBuilder};
use serde_json::json;

use super::{Host, NAME, at};

#[tokio::test]
async fn calendars_are_listed_over_pages_the_main_one_first() {
    let shared = CalendarSpec::new("Grace").owner("Grace Hopper", "grace@example.com").read_only();
    let host = Host::with(
        |fake| {
            let more = (0..4).map(|number| CalendarSpec::new(&format!("More {number}")));
            let fake = fake.page_cap(2).calendar(shared);
            more.fold(fake, FakeGraphBuilder::calendar)
        },
        |config| config,
    )
    .await;
    let streams = host.gateway.streams(&host.connection.id).await.unwrap();
    assert_eq!((streams.len(), host.fake.count("calendars.list")), (6, 3));
    let main = &streams[0];
    assert_eq!((main.title.as_str(), main.primary, main.access.as_deref()), (NAME, true, Some("write")));
    assert_eq!(main.id.as_str(), host.calendar);
    let grace = streams.iter().find(|stream| stream.title == "Grace").unwrap();
    assert_eq!((grace.primary, grace.access.as_deref(), grace.color.as_deref()), (false, Some("read"), None));
}

#[tokio::test]
async fn a_list_of_calendars_without_an_end_is_an_error() {
    let host = Host::new().await;
    let link = format!("{}/v1.0/me/calendars?$skip=1", host.fake.url());
    let page = json!({"value": [], "@odata.nextLink": link}).to_string();
    drop(host.fake.fault(Fault::on("calendars.list").body(&page, "application/json").always()));
    let error = host.gateway.streams(&host.connection.id).await.unwrap_err();
    assert_eq!(error.provider_code(), Some("too_many_pages"), "{error}");
}

#[tokio::test]
async fn health_is_one_call() {
    let host = Host::new().await;
    host.fake.reset_counters();
    host.gateway.check_health(&host.connection.id).await.unwrap();
    assert_eq!((host.fake.requests().len(), host.fake.count("calendars.list")), (1, 1));
    host.fake.fault(Fault::on("calendars.list").status(503));
    assert!(host.gateway.check_health(&host.connection.id).await.is_err());
}

/// An event at nine in the morning in summer, whose zone somebody drew by hand.
async fn of_a_custom_zone(host: &Host) -> EventTime {
    let id = host.insert(json!({
        "subject": "By hand",
        "start": at("2026-07-01T07:00:00", "UTC"),
        "end": at("2026-07-01T08:00:00", "UTC"),
        "originalStartTimeZone": "tzone://Microsoft/Custom",
        "originalEndTimeZone": "Customized Time Zone",
    }));
    host.sync().await;
    host.events()[&id].start.clone()
}

#[tokio::test]
async fn a_zone_that_nobody_can_tell_is_that_of_the_mailbox() {
    let host = Host::with(|fake| fake.mailbox_time_zone("W. Europe Standard Time"), |config| config).await;
    let start = of_a_custom_zone(&host).await;
    assert_eq!(start.to_string(), "2026-07-01T09:00:00+02:00[Europe/Berlin]");
    // It is asked for once in a while, and not for events whose zone is told.
    for title in ["1", "2"] {
        host.insert(super::event(title, "2026-03-03T09:00:00", "2026-03-03T10:00:00"));
        host.sync().await;
    }
    assert_eq!(host.fake.count("mailboxSettings.get"), 1);
}

#[tokio::test]
async fn without_the_mailbox_s_zone_the_instant_is_right_and_the_name_stays() {
    let host = Host::new().await;
    host.fake.fault(Fault::on("mailboxSettings.get").status(403));
    let EventTime::At(start) = of_a_custom_zone(&host).await else { panic!("not a day") };
    assert_eq!(start.at.to_rfc3339(), "2026-07-01T07:00:00+00:00");
    assert_eq!(start.zone, Zone::from_name("tzone://Microsoft/Custom"));
    // A service that is down is waited for.
    host.fake.fault(Fault::on("mailboxSettings.get").status(503));
    host.insert(json!({"originalStartTimeZone": "Customized Time Zone"}));
    let report = host.gateway.sync(&host.connection.id).await.and_then(SyncReport::into_result);
    assert!(report.is_err());
}

#[test]
fn reading_asks_for_no_more_than_it_needs() {
    let config = integrations_msgraph::GraphConfig::builder().public_client("id").build().unwrap();
    let adapter = integrations_msgraph::OutlookCalendar::new(config).unwrap();
    let scopes = adapter.info().scopes_for(Level::Read, None);
    assert_eq!(
        scopes,
        [
            "openid",
            "profile",
            "email",
            "offline_access",
            "User.Read",
            "Calendars.Read",
            "MailboxSettings.Read"
        ]
    );
    let granted = ["Calendars.ReadWrite".to_owned()];
    let disabled: Vec<_> = adapter.info().disabled(&granted).map(|feature| feature.name).collect();
    assert_eq!(disabled, ["mailbox_time_zone"]);
}
