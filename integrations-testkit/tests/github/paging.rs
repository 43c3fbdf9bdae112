//! From page to page.

use serde_json::json;

use super::*;

async fn with_issues(clock: &ManualClock, issues: u64, numbered: bool) -> FakeGitHub {
    let fake = builder(clock).repository(RepoSpec::new(REPO)).numbered_links(numbered).start().await;
    for _ in 0..issues {
        fake.open_issue(REPO, json!({}));
        later(clock);
    }
    fake
}

#[tokio::test]
async fn links_are_absolute_name_the_repository_by_its_id_and_keep_the_query() {
    let clock = clock();
    let fake = with_issues(&clock, 13, true).await;
    let id = fake.repository_id(REPO);
    let base = format!("{}/repositories/{id}/issues?state=all&per_page=3&labels=", fake.url());
    let query = [("state", "all"), ("per_page", "3"), ("labels", "")];
    let first = get(&fake, &within("/issues"), &query).await;
    let expected = format!("<{base}&page=2>; rel=\"next\", <{base}&page=5>; rel=\"last\"");
    assert_eq!(header(&first, "link"), Some(expected.as_str()));
    let second = get(&fake, &link(&first, "next").unwrap(), &[]).await;
    let expected = format!(
        "<{base}&page=1>; rel=\"prev\", <{base}&page=3>; rel=\"next\", <{base}&page=5>; rel=\"last\", \
         <{base}&page=1>; rel=\"first\""
    );
    assert_eq!(header(&second, "link"), Some(expected.as_str()));
    let last = get(&fake, &link(&second, "last").unwrap(), &[]).await;
    let expected = format!("<{base}&page=4>; rel=\"prev\", <{base}&page=1>; rel=\"first\"");
    assert_eq!(header(&last, "link"), Some(expected.as_str()));
    assert_eq!(numbers(&last.json::<Vec<Value>>().await.unwrap()), [1]);
    let beyond = get(&fake, &within("/issues"), &[("page", "9"), ("per_page", "3")]).await;
    assert!(link(&beyond, "next").is_none());
    assert_eq!(beyond.json::<Value>().await.unwrap(), json!([]));
    assert_eq!(header(&get(&fake, &within("/issues"), &[]).await, "link"), None, "one page has no links");
}

#[tokio::test]
async fn at_github_com_the_issues_of_a_repository_are_linked_by_cursor() {
    let clock = clock();
    let fake = with_issues(&clock, 7, false).await;
    let first = get(&fake, &within("/issues"), &[("per_page", "3")]).await;
    let links = header(&first, "link").unwrap().to_owned();
    let id = fake.repository_id(REPO);
    assert!(
        links.starts_with(&format!(
            "<{}/repositories/{id}/issues?per_page=3&after=Y3Vyc29yOnYyOpL",
            fake.url()
        )),
        "{links}"
    );
    assert!(links.ends_with("&page=2>; rel=\"next\"") && !links.contains("rel=\"last\""), "{links}");
    let second = get(&fake, &link(&first, "next").unwrap(), &[]).await;
    let back = link(&second, "prev").unwrap();
    assert!(back.contains("&before=") && back.ends_with("&page=1"), "{back}");
    let third = get(&fake, &link(&second, "next").unwrap(), &[]).await;
    assert_eq!((link(&third, "next"), link(&third, "prev").is_some()), (None, true));
    assert_eq!(numbers(&third.json::<Vec<Value>>().await.unwrap()), [1]);
    let again = get(&fake, &back, &[]).await;
    assert_eq!((link(&again, "prev"), link(&again, "next").is_some()), (None, true));
    assert_eq!(again.json::<Value>().await.unwrap(), first.json::<Value>().await.unwrap());
    assert_eq!(fake.requests().iter().filter(|request| request.page_token).count(), 3);

    let wrong = refused(&fake, &within("/issues"), &[("after", "nonsense")]).await;
    assert_eq!(wrong.0, 422);
}

#[tokio::test]
async fn pages_by_number_shift_and_pages_by_cursor_do_not() {
    for numbered in [true, false] {
        let clock = clock();
        let fake = with_issues(&clock, 9, numbered).await;
        let query = [("sort", "updated"), ("direction", "asc"), ("per_page", "3")];
        let first = get(&fake, &within("/issues"), &query).await;
        let next = link(&first, "next").unwrap();
        // What was on the first page goes to the end.
        fake.edit_issue(REPO, 2, json!({"title": "changed"}));
        let second = numbers(&get(&fake, &next, &[]).await.json::<Vec<Value>>().await.unwrap());
        assert_eq!(second, if numbered { [5, 6, 7] } else { [4, 5, 6] });
        let all = numbers(&drain(&fake, &within("/issues"), &query).await);
        assert_eq!(all, [1, 3, 4, 5, 6, 7, 8, 9, 2]);
    }
    // Other listings know numbers only.
    let clock = clock();
    let fake = start(&clock).await;
    let issue = fake.open_issue(REPO, json!({}));
    let comments: Vec<_> = (0..6).map(|_| fake.comment(REPO, issue, json!({"body": "a"}))).collect();
    let first = get(&fake, &within("/issues/comments"), &[("per_page", "3")]).await;
    fake.delete_comment(REPO, comments[0]);
    let second = get(&fake, &link(&first, "next").unwrap(), &[]).await;
    assert_eq!(ids(&second.json::<Vec<Value>>().await.unwrap()), comments[4..]);
}

#[tokio::test]
async fn cursors_expire_and_empty_pages_lead_on() {
    let clock = clock();
    let fake = builder(&clock).repository(RepoSpec::new(REPO)).empty_pages(true).start().await;
    for _ in 0..7 {
        fake.open_issue(REPO, json!({}));
        later(&clock);
    }
    let mut lengths = Vec::new();
    let mut next = Some(format!("{}{}?per_page=3&direction=asc", fake.url(), within("/issues")));
    let mut all = Vec::new();
    while let Some(address) = next {
        let page = get(&fake, &address, &[]).await;
        next = link(&page, "next");
        let page = numbers(&page.json::<Vec<Value>>().await.unwrap());
        lengths.push(page.len());
        all.extend(page);
    }
    assert_eq!((lengths, all), (vec![3, 0, 3, 0, 1], (1..=7).collect()));

    let first = get(&fake, &within("/issues"), &[("per_page", "3")]).await;
    let named = link(&first, "next").unwrap();
    fake.expire_cursors();
    assert_eq!(get(&fake, &named, &[]).await.status(), 422);
    let fresh = link(&get(&fake, &within("/issues"), &[("per_page", "3")]).await, "next").unwrap();
    assert_eq!(get(&fake, &fresh, &[]).await.status(), 200);
    assert_eq!(fake.requests().iter().filter(|request| request.page_token).count(), 6);
}

#[tokio::test]
async fn a_page_is_as_long_as_is_asked_for_within_bounds() {
    let clock = clock();
    let fake = builder(&clock).repository(RepoSpec::new(REPO).generated(150)).start().await;
    for (asked, length) in [("150", 100), ("100", 100), ("7", 7), ("0", 30), ("-5", 30), ("many", 30)] {
        let answer = get(&fake, &within("/issues"), &[("state", "all"), ("per_page", asked)]).await;
        assert!(link(&answer, "next").unwrap().contains(&format!("per_page={length}&")), "{asked}");
        assert_eq!(answer.json::<Vec<Value>>().await.unwrap().len(), length, "{asked}");
    }
    assert_eq!(ok(&fake, &within("/issues"), &[("state", "all")]).await.as_array().unwrap().len(), 30);
    let first = ok(&fake, &within("/pulls"), &[("state", "all"), ("page", "1")]).await;
    assert_eq!(ok(&fake, &within("/pulls"), &[("state", "all"), ("page", "0")]).await, first);

    let capped = builder(&clock).repository(RepoSpec::new(REPO).generated(150)).page_cap(40).start().await;
    let pages = pages(&capped, &within("/issues"), &[("state", "all"), ("per_page", "100")]).await;
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [40, 40, 40, 30]);
    assert_eq!(capped.items_served(), 150);
}

#[tokio::test]
async fn pages_that_are_too_far_are_reached_by_cursor_only() {
    let clock = clock();
    let fake = builder(&clock).repository(RepoSpec::new(REPO).generated(10_050)).start().await;
    let far = [("state", "all"), ("per_page", "100"), ("page", "100")];
    let (status, message) = refused(&fake, &within("/issues"), &far).await;
    assert_eq!(status, 422);
    assert!(message.contains("please use cursor based pagination (after/before)"), "{message}");
    let near = [("state", "all"), ("per_page", "100"), ("page", "99")];
    assert_eq!(numbers(ok(&fake, &within("/issues"), &near).await.as_array().unwrap())[0], 250);
    // The other listings have no such bound.
    assert_eq!(get(&fake, &within("/pulls"), &far).await.status(), 200);
}
