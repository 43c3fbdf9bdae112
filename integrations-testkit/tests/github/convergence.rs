//! Whatever people do in a repository, a sync by the time of update has it in the end.

use std::collections::BTreeMap;

use serde_json::json;

use super::*;

/// A small generator: the order of acts must be the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn act(fake: &FakeGitHub, dice: &mut Dice) {
    let numbers = fake.issue_numbers(REPO);
    let Some(&number) = numbers.get(dice.roll(numbers.len().max(1))) else {
        fake.open_issue(REPO, json!({}));
        return;
    };
    let is_pull = fake.pull(REPO, number).is_some();
    let comments = fake.comment_ids_of(REPO, number);
    let picked = comments.get(dice.roll(comments.len().max(1))).copied();
    let title = dice.roll(1_000).to_string();
    match (dice.roll(11), picked) {
        (0, _) => drop(fake.open_issue(REPO, json!({"title": title, "labels": ["bug"]})).to_string()),
        (1, _) => drop(fake.open_pull(REPO, json!({"title": title})).to_string()),
        (2, _) => fake.edit_issue(REPO, number, json!({"title": title, "assignees": ["ada"]})),
        (3, _) => fake.close_issue(REPO, number, Some("duplicate")),
        (4, _) => fake.reopen_issue(REPO, number),
        (5, _) => drop(fake.comment(REPO, number, json!({"body": title})).to_string()),
        (6, Some(comment)) => fake.edit_comment(REPO, comment, &title),
        (7, Some(comment)) => fake.delete_comment(REPO, comment),
        (8, _) if !is_pull => fake.delete_issue(REPO, number),
        (9, _) if !is_pull => drop(fake.transfer_issue(REPO, number, "octo-org/other").to_string()),
        (10, _) if is_pull => drop(fake.review(REPO, number, json!({"state": "APPROVED"})).to_string()),
        _ => fake.lock_issue(REPO, number, None),
    }
}

/// What a mirror keeps of each issue: what is not counted afresh.
type Mirror = BTreeMap<u64, Value>;

/// Takes over everything that was updated since; returns the latest time.
async fn pull(fake: &FakeGitHub, mirror: &mut Mirror, since: &str, per_page: &str) -> String {
    let query = [
        ("state", "all"),
        ("sort", "updated"),
        ("direction", "asc"),
        ("since", since),
        ("per_page", per_page),
    ];
    let issues = drain(fake, &within("/issues"), &query).await;
    assert!(all(&issues, "updated_at").is_sorted());
    let latest = issues.last().map_or(since, |issue| issue["updated_at"].as_str().unwrap()).to_owned();
    for issue in issues {
        mirror.insert(issue["number"].as_u64().unwrap(), issue);
    }
    latest
}

#[tokio::test]
async fn a_mirror_by_time_of_update_converges() {
    for seed in 0..4 {
        let clock = clock();
        let generated = [0, 70][usize::from(seed % 2 == 0)];
        let fake = builder(&clock)
            .repository(RepoSpec::new(REPO).generated(generated))
            .repository(RepoSpec::new("octo-org/other"))
            .numbered_links(seed >= 2)
            .start()
            .await;
        let (mut dice, mut mirror, mut since) =
            (Dice(seed), Mirror::new(), "1970-01-01T00:00:00Z".to_owned());
        for round in 0..5 {
            for _ in 0..20 {
                act(&fake, &mut dice);
                if dice.roll(3) == 0 {
                    later(&clock);
                }
            }
            let per_page = (1 + dice.roll(9)).to_string();
            since = pull(&fake, &mut mirror, &since, &per_page).await;
            // Nothing tells of what was deleted or moved: it is found by asking for it.
            let live = fake.issue_numbers(REPO);
            let gone: Vec<u64> = mirror.keys().copied().filter(|number| !live.contains(number)).collect();
            for number in gone {
                let status = get(&fake, &within(&format!("/issues/{number}")), &[]).await.status().as_u16();
                assert!(matches!(status, 301 | 410), "{status}");
                mirror.remove(&number);
            }
            assert_eq!(mirror.keys().copied().collect::<Vec<_>>(), live, "seed {seed}, round {round}");
            let mut open = 0;
            for (number, kept) in &mirror {
                let issue = fake.issue(REPO, *number).unwrap();
                open += u64::from(issue["state"] == "open");
                for field in ["title", "state", "updated_at", "assignees", "labels", "locked"] {
                    assert_eq!(kept[field], issue[field], "seed {seed}, round {round}, issue {number}");
                }
                assert_eq!(issue["comments"], json!(fake.comment_ids_of(REPO, *number).len()));
            }
            assert_eq!(fake.repository_object(REPO).unwrap()["open_issues_count"], open);
            let comments = ids(&drain(&fake, &within("/issues/comments"), &[("per_page", &per_page)]).await);
            assert_eq!(comments, fake.comment_ids(REPO));
        }
    }
}
