//! A client of Gmail or Tasks that follows the protocol ends up with what the account holds, whatever
//! happens between its pages.

use std::collections::BTreeMap;
use std::time::Duration;

use integrations_core::clock::Clock as _;
use integrations_testkit::ManualClock;
use integrations_testkit::google::{FakeGoogle, MailSpec, TaskListSpec};
use serde_json::{Value, json};

use super::convergence::Dice;
use super::{builder, clock, get};

type Mirror = BTreeMap<String, Value>;

async fn call(fake: &FakeGoogle, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
    let answer = get(fake, path, query).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// All pages of a listing, with work between them; `None` when its start is too old.
async fn pages(
    fake: &FakeGoogle,
    path: &str,
    query: &[(&str, &str)],
    mut between: impl FnMut(),
) -> Option<Vec<Value>> {
    let (mut pages, mut page_token) = (Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        query.extend(page_token.as_deref().map(|token| ("pageToken", token)));
        let (status, page) = call(fake, path, &query).await;
        if status == 404 {
            return None;
        }
        assert_eq!(status, 200, "{page}");
        page_token = page["nextPageToken"].as_str().map(str::to_owned);
        pages.push(page);
        between();
        if page_token.is_none() {
            return Some(pages);
        }
    }
}

fn edit_mail(fake: &FakeGoogle, dice: &mut Dice) {
    let known = fake.message_ids();
    let pick = dice.roll(known.len().max(1));
    match (dice.roll(9), known.get(pick)) {
        (0 | 1, Some(id)) => fake.modify_messages(&[id], &["STARRED"], &["UNREAD"]),
        (2, Some(id)) => fake.modify_messages(&[id], &["UNREAD"], &["STARRED", "INBOX"]),
        (3, Some(id)) => fake.delete_message(id),
        (4, Some(id)) => fake.trash_message(id),
        (5, Some(id)) => drop(fake.add_message(MailSpec::new("Re:").thread(id))),
        (6, _) if dice.roll(4) == 0 => fake.expire_history(),
        _ => drop(fake.add_message(MailSpec::new("new"))),
    }
}

/// Reads a message into the mirror; one that is gone by now is left to the history that will tell so.
async fn read(fake: &FakeGoogle, mirror: &mut Mirror, id: &str) {
    let (status, message) = call(fake, &format!("/gmail/v1/users/me/messages/{id}"), &[]).await;
    match status {
        200 => drop(mirror.insert(id.to_owned(), message)),
        status => {
            assert_eq!(status, 404);
            mirror.remove(id);
        }
    }
}

async fn sync_mail(fake: &FakeGoogle, dice: &mut Dice, mirror: &mut Mirror, since: Option<&str>) -> String {
    let size = (1 + dice.roll(4)).to_string();
    let mut edits = dice.roll(5);
    let mut between = || {
        for _ in 0..std::mem::take(&mut edits) {
            edit_mail(fake, dice);
        }
    };
    if let Some(start) = since {
        let query = [("startHistoryId", start), ("maxResults", size.as_str())];
        if let Some(pages) = pages(fake, "/gmail/v1/users/me/history", &query, &mut between).await {
            let records = pages.iter().filter_map(|page| page["history"].as_array()).flatten();
            for message in records.flat_map(|record| record["messages"].as_array().unwrap()) {
                read(fake, mirror, message["id"].as_str().unwrap()).await;
            }
            return pages.last().unwrap()["historyId"].as_str().unwrap().to_owned();
        }
    }
    // In full: the place to go on from is read before anything else.
    mirror.clear();
    let (_, profile) = call(fake, "/gmail/v1/users/me/profile", &[]).await;
    let query = [("includeSpamTrash", "true"), ("maxResults", size.as_str())];
    let pages = pages(fake, "/gmail/v1/users/me/messages", &query, &mut between).await.unwrap();
    for message in pages.iter().filter_map(|page| page["messages"].as_array()).flatten() {
        read(fake, mirror, message["id"].as_str().unwrap()).await;
    }
    profile["historyId"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_mirror_of_the_mailbox_converges() {
    for seed in 0..8 {
        let fake = builder(&clock()).messages(15).empty_pages(seed % 2 == 0).start().await;
        let (mut dice, mut mirror) = (Dice(seed), Mirror::new());
        let mut since = sync_mail(&fake, &mut dice, &mut mirror, None).await;
        for _ in 0..10 {
            since = sync_mail(&fake, &mut dice, &mut mirror, Some(&since)).await;
            edit_mail(&fake, &mut dice);
        }
        // Until nothing happens any more.
        while since != fake.history_id() {
            since = sync_mail(&fake, &mut dice, &mut mirror, Some(&since)).await;
        }
        let mut live = fake.message_ids();
        live.sort_unstable();
        assert_eq!(mirror.keys().cloned().collect::<Vec<_>>(), live, "seed {seed}");
        assert_eq!(fake.live_messages(), live.len() as u64);
        for (id, message) in &mirror {
            assert_eq!(fake.message(id).as_ref(), Some(message), "seed {seed}");
        }
    }
}

fn edit_tasks(fake: &FakeGoogle, clock: &ManualClock, dice: &mut Dice) {
    clock.advance(Duration::from_millis(u64::try_from(dice.roll(3)).unwrap()));
    let known = fake.task_ids("@default");
    let pick = dice.roll(known.len().max(1));
    match (dice.roll(7), known.get(pick)) {
        (0, Some(id)) => fake.patch_task("@default", id, json!({"title": dice.roll(1_000).to_string()})),
        (1, Some(id)) => fake.complete_task("@default", id),
        (2, Some(id)) => fake.delete_task("@default", id),
        (3, Some(id)) => fake.move_task("@default", id, None, None),
        (4, Some(id)) => fake.patch_task("@default", id, json!({"status": "needsAction"})),
        _ => drop(fake.insert_task("@default", json!({"title": "new"}))),
    }
}

async fn sync_tasks(fake: &FakeGoogle, mirror: &mut Mirror, since: Option<&str>, between: impl FnMut()) {
    let mut query =
        vec![("showDeleted", "true"), ("showHidden", "true"), ("showAssigned", "true"), ("maxResults", "3")];
    query.extend(since.map(|time| ("updatedMin", time)));
    let pages = pages(fake, "/tasks/v1/lists/@default/tasks", &query, between).await.unwrap();
    for task in pages.iter().filter_map(|page| page["items"].as_array()).flatten() {
        let id = task["id"].as_str().unwrap();
        if task["deleted"] == true {
            mirror.remove(id);
        } else {
            mirror.insert(id.to_owned(), task.clone());
        }
    }
}

#[tokio::test]
async fn a_mirror_of_the_tasks_converges() {
    for seed in 0..8 {
        let clock = clock();
        let list = TaskListSpec::new("list").generated(12);
        let fake = builder(&clock).task_list(list).empty_pages(seed % 2 == 0).start().await;
        let (mut dice, mut mirror, mut since) = (Dice(seed), Mirror::new(), None::<String>);
        for turn in 0..12 {
            let begun = clock.now().to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            let mut edits = if turn < 11 { dice.roll(5) } else { 0 };
            sync_tasks(&fake, &mut mirror, since.as_deref(), || {
                for _ in 0..std::mem::take(&mut edits) {
                    edit_tasks(&fake, &clock, &mut dice);
                }
            })
            .await;
            since = Some(begun);
        }
        let mut live = fake.task_ids("@default");
        live.sort_unstable();
        assert_eq!(mirror.keys().cloned().collect::<Vec<_>>(), live, "seed {seed}");
        assert_eq!(fake.live_tasks("@default"), live.len() as u64);
        for (id, task) in &mirror {
            assert_eq!(fake.task("@default", id).as_ref(), Some(task), "seed {seed}");
        }
    }
}
