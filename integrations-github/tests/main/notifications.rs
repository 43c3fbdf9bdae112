//! The user's notifications: what is new, and no look before GitHub allows it.

use std::collections::BTreeMap;
use std::time::Duration;

use integrations_core::Connection;
use integrations_core::sync::SyncRequest;
use integrations_github::NOTIFICATIONS;
use serde_json::json;

use crate::host::{HELLO, Host};

const LIST: &str = "activity.listNotificationsForAuthenticatedUser";

struct Notified {
    host: Host,
    connection: Connection,
}

impl Notified {
    /// A host whose user has so many notifications, some seconds apart unless all are of one second.
    async fn new(number: usize, same_second: bool) -> Self {
        let host = Host::new().await;
        for _ in 0..number {
            let issue = host.fake.open_issue(HELLO, json!({}));
            host.fake.notify(HELLO, issue, "mention");
            if !same_second {
                host.clock.advance(Duration::from_secs(10));
            }
        }
        let connection = host.connect().await;
        Self { host, connection }
    }

    async fn sync(&self) -> u64 {
        self.host.sync_one(&self.connection, NOTIFICATIONS).await.upserted
    }

    /// Waits as long as GitHub asks for, then syncs.
    async fn sync_later(&self) -> u64 {
        self.host.clock.advance(Duration::from_secs(61));
        let upserted = self.sync().await;
        assert_eq!(self.host.fake.early_polls(), 0);
        upserted
    }

    /// Which are there, and whether they are unread.
    fn there(&self) -> BTreeMap<String, bool> {
        let records = self.host.records(&self.connection, NOTIFICATIONS);
        records
            .iter()
            .map(|record| {
                let notification = record.entity.as_notification().unwrap();
                (record.id().to_owned(), notification.unread)
            })
            .collect()
    }

    fn is_unread(&self, thread: &str) -> bool {
        self.there()[thread]
    }

    fn assert_complete(&self) {
        let mut theirs = self.host.fake.notifications();
        theirs.sort();
        assert_eq!(self.there().into_keys().collect::<Vec<_>>(), theirs);
    }
}

#[tokio::test]
async fn all_of_them_come_and_then_what_is_new() {
    let notified = Notified::new(120, false).await;
    assert!(notified.sync().await >= 120);
    notified.assert_complete();
    assert_eq!(notified.sync_later().await, 0);
    assert_eq!((notified.host.fake.count(LIST), notified.host.fake.units_used()), (1, 0));

    let issue = notified.host.fake.issue_numbers(HELLO)[0];
    let again = notified.host.fake.notify(HELLO, issue, "assign");
    let new = notified.host.fake.open_issue(HELLO, json!({}));
    let new = notified.host.fake.notify(HELLO, new, "review_requested");
    assert_eq!(notified.sync_later().await, 2);
    assert_eq!(notified.host.fake.count(LIST), 1);
    notified.assert_complete();
    assert!(notified.is_unread(&again) && notified.is_unread(&new));
}

#[tokio::test]
async fn more_than_a_page_of_news_is_read_down_to_what_is_known() {
    let notified = Notified::new(120, false).await;
    notified.sync().await;
    notified.host.clock.advance(Duration::from_secs(3_600));
    for issue in notified.host.fake.issue_numbers(HELLO).into_iter().take(70) {
        notified.host.tick();
        notified.host.fake.notify(HELLO, issue, "assign");
    }
    assert!(notified.sync_later().await >= 70);
    assert_eq!(notified.host.fake.count(LIST), 2, "and not to the end");
    let assigned = notified
        .host
        .records(&notified.connection, NOTIFICATIONS)
        .iter()
        .filter(|record| record.entity.as_notification().unwrap().reason.as_deref() == Some("assign"))
        .count();
    assert_eq!(assigned, 70);
}

#[tokio::test]
async fn many_in_one_second_neither_loop_nor_are_lost() {
    let notified = Notified::new(130, true).await;
    notified.sync().await;
    notified.assert_complete();
    assert!(notified.host.fake.count(LIST) <= 6);
    assert_eq!(notified.sync_later().await, 0);
}

#[tokio::test]
async fn nobody_looks_before_the_time_that_github_names() {
    let notified = Notified::new(3, false).await;
    notified.sync().await;
    for _ in 0..5 {
        notified.host.clock.advance(Duration::from_secs(11));
        notified.sync().await;
        assert_eq!(notified.host.fake.count(LIST), 0);
    }
    notified.host.clock.advance(Duration::from_secs(6));
    notified.sync().await;
    assert_eq!((notified.host.fake.count(LIST), notified.host.fake.early_polls()), (1, 0));
    // The wait is told with a 304, too.
    notified.host.clock.advance(Duration::from_secs(30));
    notified.sync().await;
    assert_eq!(notified.host.fake.count(LIST), 0);
    // A clock that was wrong and is set back locks nobody out.
    notified.host.clock.set_wall(chrono::DateTime::UNIX_EPOCH + chrono::TimeDelta::days(20_000));
    notified.sync().await;
    assert_eq!(notified.host.fake.count(LIST), 1);
}

#[tokio::test]
async fn what_the_user_has_read_shows_and_what_is_done_with_goes_with_a_full_listing() {
    let notified = Notified::new(20, false).await;
    notified.sync().await;
    let threads = notified.host.fake.notifications();
    notified.host.fake.read_notification(&threads[3]);
    notified.sync_later().await;
    assert!(!notified.is_unread(&threads[3]) && notified.is_unread(&threads[4]));

    notified.host.fake.finish_notification(&threads[5]);
    notified.sync_later().await;
    assert_eq!(notified.there().len(), 20, "absence is no proof");
    notified.host.clock.advance(Duration::from_secs(61));
    let report =
        notified.host.try_one(&notified.connection, NOTIFICATIONS, SyncRequest::full()).await.unwrap();
    assert_eq!(report.swept, 1);
    notified.assert_complete();
}

#[tokio::test]
async fn what_happens_while_they_are_listed_is_not_lost() {
    for same_second in [false, true] {
        let notified = Notified::new(170, same_second).await;
        let clock = notified.host.clock.clone();
        notified.host.meddle(move |operation, fake| {
            if operation.starts_with("activity.") {
                clock.advance(Duration::from_secs(1));
                let numbers = fake.issue_numbers(HELLO);
                fake.notify(HELLO, numbers[60], "assign");
                let new = fake.open_issue(HELLO, json!({}));
                fake.notify(HELLO, new, "mention");
            }
        });
        notified.sync().await;
        notified.host.leave_alone();
        notified.sync_later().await;
        notified.assert_complete();
    }
}

#[tokio::test]
async fn an_odd_one_harms_itself_alone() {
    let notified = Notified::new(3, false).await;
    notified.host.fake.raw_notification(r#"{"id":"77","subject":7,"reason":"mention"}"#);
    notified.host.fake.raw_notification("7");
    let report = notified.host.sync_one(&notified.connection, NOTIFICATIONS).await;
    assert_eq!((report.upserted, report.quarantined), (3, 2));
}
