//! What may a test tell the first account?

use serde_json::Value;

use super::repositories::add_patch;
use super::{FakeGitHub, issue, repository};
use crate::github::hub::Hub;
use crate::github::notification::Notification;

/// Notifications of the first account. Methods that name one panic when there is none.
impl FakeGitHub {
    /// Tells the first account of an issue or a pull request, with a reason such as `mention`, `assign`,
    /// `review_requested` or `subscribed`. There is one thread for each: it is unread again, and has the new
    /// reason. Returns the thread's id.
    ///
    /// # Panics
    /// When there is no such issue.
    pub fn notify(&self, full_name: &str, number: u64, reason: &str) -> String {
        self.write(full_name, |hub, id, now| {
            issue(repository(hub, id), number);
            let comment = repository(hub, id).tracker.comments_of(number).last();
            hub.note(now);
            let known =
                hub.notifications.iter().position(|known| (known.repository, known.number) == (id, number));
            let place = known.unwrap_or_else(|| {
                let thread = hub.fresh_id();
                hub.notifications.push(Notification {
                    id: thread,
                    repository: id,
                    number,
                    reason: String::new(),
                    unread: true,
                    updated: now,
                    last_read: None,
                    comment: None,
                    patch: None,
                });
                hub.notifications.len() - 1
            });
            let notification = &mut hub.notifications[place];
            reason.clone_into(&mut notification.reason);
            notification.unread = true;
            notification.updated = now;
            notification.comment = comment;
            notification.id.to_string()
        })
    }

    fn notification<T>(&self, thread: &str, work: impl FnOnce(&mut Hub, usize, i64) -> T) -> T {
        let now = self.github.now();
        let mut hub = self.github.hub_mut();
        let place = hub.notifications.iter().position(|known| known.id.to_string() == thread);
        let place = place.unwrap_or_else(|| panic!("no notification {thread:?} in this fake"));
        work(&mut hub, place, now)
    }

    /// The user reads a thread. That is no news: who asks with `If-Modified-Since` is not told of it.
    pub fn read_notification(&self, thread: &str) {
        self.notification(thread, |hub, place, now| {
            hub.notifications[place].unread = false;
            hub.notifications[place].last_read = Some(now);
        });
    }

    /// The user is done with a thread: it is in no listing any more. That is no news either.
    pub fn finish_notification(&self, thread: &str) {
        self.notification(thread, |hub, place, _| drop(hub.notifications.remove(place)));
    }

    /// Merges a patch into what is shown of a thread, for instance to make it one about a release.
    pub fn patch_notification(&self, thread: &str, patch: Value) {
        self.notification(thread, |hub, place, _| add_patch(&mut hub.notifications[place].patch, patch));
    }

    /// Serves this text as an item of the listing, as it is, updated now.
    pub fn raw_notification(&self, raw_json_text: &str) {
        let now = self.github.now();
        let mut hub = self.github.hub_mut();
        hub.note(now);
        hub.raw_notifications.push((now, raw_json_text.to_owned()));
    }

    /// The ids of all threads, read ones too, in the order in which they came.
    pub fn notifications(&self) -> Vec<String> {
        self.github.hub().notifications.iter().map(|known| known.id.to_string()).collect()
    }
}
