//! What do Ada and the others work on at GitHub?

use integrations_testkit::github::{FakeGitHub, FakeGitHubBuilder, RepoSpec, UserSpec};
use serde_json::{Value, json};

use super::chapters::Threads;
use super::clock::StoryClock;
use super::{ADA, CHARLES, GRACE, HARUKA, KATHERINE, at};

pub(super) const MILL: &str = "engines/mill";
pub(super) const STORE: &str = "engines/store";
const NOTES: &str = "ada/notes";

/// What is before the `@` of the address.
pub(super) const LOGIN: &str = "ada";

/// The pull request that Ada is asked to look at.
pub(super) const CARRY: u64 = 2;

pub(super) fn fake() -> FakeGitHubBuilder {
    let team = [LOGIN, GRACE.login, KATHERINE.login, CHARLES.login, HARUKA.login];
    let others = [KATHERINE, CHARLES, HARUKA].map(|one| UserSpec::new(one.login).name(one.name));
    // Tokens of an OAuth app open the notifications, too.
    let github = FakeGitHub::builder().user(ADA).with_lasting_tokens();
    others
        .into_iter()
        .fold(github, FakeGitHubBuilder::add_user)
        .repository(RepoSpec::new(MILL).description("The part that computes").members(&team))
        .repository(RepoSpec::new(STORE).description("The part that remembers").members(&team))
        .repository(RepoSpec::new(NOTES).private())
}

/// What was opened and said before anybody looks, the oldest first.
pub(super) fn fill(github: &FakeGitHub, clock: &StoryClock, threads: &mut Threads) {
    let passed = |name: &str| json!({"name": name, "conclusion": "success"});
    let head = |number| github.head_sha(MILL, number);
    let issue = |repository, who: &str, title: &str, assignees: &[&str], labels: &[&str]| {
        let issue = json!({"user": who, "title": title, "assignees": assignees, "labels": labels});
        github.open_issue(repository, issue)
    };

    clock.stand_at(at(-9, 10, 0));
    let zero = issue(MILL, CHARLES.login, "The mill stops at zero", &[LOGIN], &["bug"]);
    github.comment(MILL, zero, json!({"user": GRACE.login, "body": "At zero exactly, or near it?"}));
    clock.stand_at(at(-9, 10, 5));
    issue(NOTES, LOGIN, "Note G: the numbers of Bernoulli", &[LOGIN], &[]);
    let milestone = github.add_milestone(STORE, "For the review", Some("2026-03-03T08:00:00Z"));

    clock.stand_at(at(-6, 11, 0));
    let carry = json!({"user": GRACE.login, "title": "Carry ahead, not along", "head": "carry-ahead", "body": "Twice as fast, and half as loud."});
    let carry = github.open_pull(MILL, carry);
    debug_assert_eq!(carry, CARRY);
    github.request_review(MILL, CARRY, LOGIN);
    github.check_run(MILL, &head(CARRY), passed("build"));
    github.check_run(MILL, &head(CARRY), passed("tests"));
    let sign = issue(STORE, KATHERINE.login, "Column 37 forgets its sign", &[LOGIN], &["bug"]);
    github.edit_issue(STORE, sign, json!({"milestone": milestone}));
    let bolt = issue(MILL, CHARLES.login, "A loose bolt in barrel 2", &[CHARLES.login], &[]);
    github.close_issue(MILL, bolt, Some("completed"));

    clock.stand_at(at(-4, 15, 0));
    let margins =
        json!({"user": LOGIN, "title": "Tables without margins", "head": "margins", "assignees": [LOGIN]});
    let margins = github.open_pull(MILL, margins);
    github.check_run(MILL, &head(margins), passed("build"));
    github.check_run(MILL, &head(margins), json!({"name": "tests", "conclusion": "failure"}));
    let review = json!({"user": KATHERINE.login, "state": "CHANGES_REQUESTED", "body": "Without margins, column 7 is gone."});
    github.review(MILL, margins, review);
    github.notify(MILL, margins, "author");

    clock.stand_at(at(-3, 13, 30));
    let review = json!({"user": CHARLES.login, "state": "APPROVED", "body": "It is louder in the workshop, but it is right."});
    github.review(MILL, CARRY, review);
    github.notify(MILL, CARRY, "review_requested");
    let oil = issue(STORE, HARUKA.login, "Oil for the third axis", &[LOGIN], &[]);
    threads.issues = vec![(oil, "Oil for the third axis")];

    clock.stand_at(at(0, 7, 40));
    let exact = json!({"user": CHARLES.login, "body": "@ada exactly. It is very exact."});
    github.comment(MILL, zero, exact);
    github.notify(MILL, zero, "mention");
}

/// An issue for Ada.
pub(super) fn for_ada(who: &str, title: &str) -> Value {
    json!({"user": who, "title": title, "assignees": [LOGIN]})
}
