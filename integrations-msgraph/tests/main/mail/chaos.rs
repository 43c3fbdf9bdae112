//! Whatever happens, and in whatever order: at rest each message stands in the stream of its folder, and in no
//! other.

use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use integrations_core::sync::{SyncReport, SyncRequest};
use integrations_testkit::Fault;
use integrations_testkit::msgraph::FolderSpec;
use serde_json::json;

use super::{Mailbox, Random};

const FOLDERS: [&str; 5] = ["inbox", "archive", "deleteditems", "Projects", "2026"];

/// Polls a future so many times, then drops it, as a host does that is shut down.
async fn dropped_after(polls: usize, future: impl Future) {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return Poll::Ready(());
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| ())
    })
    .await;
}

fn folder(random: &mut Random) -> &'static str {
    FOLDERS[random.below(FOLDERS.len())]
}

fn change(mailbox: &Mailbox, random: &mut Random) {
    let fake = &mailbox.fake;
    let ids: Vec<_> = FOLDERS.iter().flat_map(|folder| fake.message_ids(folder)).collect();
    let files = json!([{"name": "a.txt"}, {"name": "b.png", "isInline": true}]);
    let one = |random: &mut Random| ids[random.below(ids.len())].clone();
    match random.below(8) {
        0 => drop(fake.insert_message(folder(random), json!({"subject": "new"}))),
        1 => drop(fake.insert_message(folder(random), json!({"subject": "new", "attachments": files}))),
        2 if ids.len() > 12 => fake.delete_message(&one(random)),
        3 => fake.flag_message(&one(random), ["flagged", "notFlagged", "complete"][random.below(3)]),
        4 => fake.mark_read(&one(random), random.below(2) == 0),
        5 => drop(fake.add_attachment(&one(random), &json!({"name": "later.txt"}))),
        _ => fake.move_message(&one(random), folder(random)),
    }
}

fn trouble(mailbox: &Mailbox, random: &mut Random) {
    let fake = &mailbox.fake;
    let nth = 1 + random.below(9) as u64;
    let delta = Fault::on("messages.delta").nth(nth);
    let list = Fault::on("attachments.list").nth(nth);
    let fault = match random.below(17) {
        0 => return fake.expire_delta_tokens(),
        1 => return fake.expire_skip_tokens(),
        2 => return fake.expire_access_tokens(),
        3 => return fake.expire_folder_tokens(folder(random)),
        4 => return mailbox.clock.advance(Duration::from_secs(60 * random.below(90) as u64)),
        5 => delta.status(503),
        6 => delta.status(401),
        7 => delta.truncate(900),
        8 => delta.reset(),
        9 => delta.html(),
        10 => Fault::on("mailFolders.delta").status(500),
        11 => Fault::on("mailFolders.get").status(429),
        12 => Fault::on("batch").reset(),
        13 => Fault::on("batch").truncate(200),
        14 => list.times(2).status(429),
        15 => list.reset(),
        _ => Fault::on("token.refresh").status(500),
    };
    drop(fake.fault(fault));
}

/// Where each message stands, in the sink and at the provider.
fn places(mailbox: &Mailbox) -> [BTreeMap<String, Vec<&'static str>>; 2] {
    let mut places = [BTreeMap::<_, Vec<_>>::new(), BTreeMap::new()];
    for folder in FOLDERS {
        for record in mailbox.records(folder) {
            places[0].entry(record.id().to_owned()).or_default().push(folder);
        }
        for id in mailbox.fake.message_ids(folder) {
            places[1].entry(id).or_default().push(folder);
        }
    }
    places
}

#[tokio::test]
async fn each_message_stands_in_the_stream_of_its_folder() {
    let seeds = std::env::var("CHAOS_SEED").ok().map_or(0..20, |seed| {
        let seed: u64 = seed.parse().unwrap();
        seed..seed + 1
    });
    for seed in seeds {
        let mut random = Random(seed);
        let mailbox = Mailbox::with(
            |fake| {
                fake.page_cap(5)
                    .partial_read_marks(true)
                    .folder(FolderSpec::new("Projects").inside("inbox"))
                    .folder(FolderSpec::new("2026").inside("Projects"))
                    .folder(FolderSpec::well_known("inbox").generated(13))
                    .folder(FolderSpec::well_known("archive").generated(6))
            },
            |gateway| gateway,
            |config| config,
        )
        .await;
        for _ in 0..30 {
            match random.below(6) {
                0..=2 => change(&mailbox, &mut random),
                3 => trouble(&mailbox, &mut random),
                4 => {
                    let polls = random.below(60);
                    dropped_after(polls, mailbox.sync_all(SyncRequest::incremental())).await;
                }
                _ => {
                    let full = random.below(6) == 0;
                    let request = if full { SyncRequest::full() } else { SyncRequest::incremental() };
                    let _ = mailbox.sync_all(request).await;
                }
            }
        }
        mailbox.fake.clear_faults();
        // A refresh that has failed is not tried again at once.
        mailbox.clock.advance(Duration::from_secs(60));
        // The first run ends a listing that was under way; the second brings what changed meanwhile.
        for _ in 0..2 {
            let report = mailbox.sync_all(SyncRequest::incremental().accept_shrink()).await;
            let report = report.and_then(SyncReport::into_result);
            assert!(report.is_ok(), "CHAOS_SEED={seed}: {report:?}");
        }
        let [ours, theirs] = places(&mailbox);
        assert_eq!(ours, theirs, "CHAOS_SEED={seed}");
        assert!(theirs.values().all(|folders| folders.len() == 1), "CHAOS_SEED={seed}");
        for folder in FOLDERS {
            mailbox.assert_same(folder);
        }
        assert_eq!(mailbox.quarantine(), [], "CHAOS_SEED={seed}");
    }
}
