//! From page to page.

use std::time::Duration;

use integrations_testkit::zoom::{ExpiredPages, PageTokens};
use serde_json::json;

use super::*;

const LIST: &str = "/users/me/meetings";

fn fill(fake: &FakeZoom, meetings: usize) -> Vec<u64> {
    let start =
        |hour: usize| json!({"start_time": format!("2026-03-{:02}T{:02}:00:00Z", 2 + hour / 24, hour % 24)});
    (0..meetings).map(|hour| fake.create_meeting(start(hour))).collect()
}

fn ids(items: &[Value]) -> Vec<u64> {
    items.iter().map(|item| item["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_listing_is_whole_whatever_the_size_of_its_pages() {
    let fake = start().await;
    let all = fill(&fake, 65);
    for (size, count) in [(None, 3), (Some("300"), 1), (Some("65"), 1), (Some("64"), 2), (Some("1"), 65)] {
        let query: Vec<_> = size.map(|size| ("page_size", size)).into_iter().collect();
        let pages = pages(&fake, LIST, &query).await;
        assert_eq!(pages.len(), count, "{size:?}");
        let items: Vec<_> =
            pages.iter().flat_map(|page| page["meetings"].as_array().unwrap().clone()).collect();
        assert_eq!(ids(&items), all, "{size:?}");
        let size = size.map_or(30, |size| size.parse::<u64>().unwrap());
        for page in &pages {
            assert_eq!((&page["page_size"], &page["total_records"]), (&json!(size), &json!(65)));
            assert_eq!(page["page_count"], count);
        }
        assert_eq!(pages[0]["page_number"], 1);
    }
    for size in ["0", "301", "many"] {
        assert_eq!(refused(&fake, LIST, &[("page_size", size)]).await, (400, 300), "{size}");
    }
}

#[tokio::test]
async fn pages_can_be_smaller_than_asked_for_and_empty() {
    let fake = builder(&clock()).page_cap(4).empty_pages(true).start().await;
    let all = fill(&fake, 10);
    let pages = pages(&fake, LIST, &[]).await;
    let sizes: Vec<_> = pages.iter().map(|page| page["meetings"].as_array().unwrap().len()).collect();
    assert_eq!(sizes, [4, 0, 4, 2]);
    assert_eq!(ids(&drain(&fake, LIST, "meetings", &[]).await), all);
    let empty = builder(&clock()).empty_pages(true).start().await;
    assert_eq!(super::pages(&empty, LIST, &[]).await.len(), 3);
}

#[tokio::test]
async fn a_token_lives_for_fifteen_minutes_and_until_it_is_expired() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    fill(&fake, 5);
    let query = [("page_size", "2")];
    let first = ok(&fake, LIST, &query).await;
    let further = [query[0], ("next_page_token", next(&first).unwrap())];
    clock.advance(Duration::from_secs(15 * 60 - 1));
    let second = ok(&fake, LIST, &further).await;
    clock.advance(Duration::from_secs(1));
    assert_eq!(refused(&fake, LIST, &further).await, (400, 300));
    let third = [query[0], ("next_page_token", next(&second).unwrap())];
    ok(&fake, LIST, &third).await;
    fake.expire_page_tokens();
    let answer = get(&fake, LIST, &third).await;
    assert_eq!(answer.status(), 400);
    assert_eq!(
        answer.json::<Value>().await.unwrap(),
        json!({"code": 300, "message": "The next page token is invalid or expired."})
    );
}

#[tokio::test]
async fn how_an_expired_token_is_answered_can_be_chosen() {
    for (choice, found) in [(ExpiredPages::Empty, 0), (ExpiredPages::First, 2)] {
        let fake = builder(&clock()).expired_pages(choice).start().await;
        let all = fill(&fake, 5);
        let first = ok(&fake, LIST, &[("page_size", "2")]).await;
        fake.expire_page_tokens();
        let further = [("page_size", "2"), ("next_page_token", next(&first).unwrap())];
        let page = ok(&fake, LIST, &further).await;
        assert_eq!(ids(page["meetings"].as_array().unwrap()), all[..found], "{choice:?}");
        assert_eq!((next(&page).is_some(), &page["total_records"]), (found > 0, &json!(5)));
        let wrong = [("page_size", "2"), ("next_page_token", "made up")];
        assert_eq!(refused(&fake, LIST, &wrong).await, (400, 300), "it is not one that has expired");
    }
}

#[tokio::test]
async fn a_token_belongs_to_the_parameters_it_came_with() {
    let fake = start().await;
    fill(&fake, 5);
    let first = ok(&fake, LIST, &[("page_size", "2"), ("type", "upcoming")]).await;
    let token = ("next_page_token", next(&first).unwrap());
    ok(&fake, LIST, &[token, ("type", "upcoming"), ("page_size", "2")]).await;
    for query in [
        vec![token],
        vec![token, ("type", "upcoming")],
        vec![token, ("type", "scheduled"), ("page_size", "2")],
        vec![("next_page_token", "made up"), ("page_size", "2")],
    ] {
        assert_eq!(refused(&fake, LIST, &query).await, (400, 300), "{query:?}");
    }
    assert_eq!(refused(&fake, "/users/me/recordings", &[token, ("page_size", "2")]).await, (400, 300));
}

#[tokio::test]
async fn pages_can_be_counted_too() {
    let fake = start().await;
    let all = fill(&fake, 5);
    let numbered = async |number: &str| ok(&fake, LIST, &[("page_size", "2"), ("page_number", number)]).await;
    let mut seen = Vec::new();
    for number in 1..=3 {
        let page = numbered(&number.to_string()).await;
        assert_eq!((&page["page_number"], &page["page_count"]), (&json!(number), &json!(3)));
        assert_eq!(next(&page), None);
        seen.extend(ids(page["meetings"].as_array().unwrap()));
    }
    assert_eq!(seen, all);
    assert_eq!(numbered("4").await["meetings"], json!([]));
    let first = ok(&fake, LIST, &[("page_size", "2")]).await;
    let both = [("page_size", "2"), ("page_number", "2"), ("next_page_token", next(&first).unwrap())];
    assert_eq!(refused(&fake, LIST, &both).await, (400, 300));
}

#[tokio::test]
async fn what_is_deleted_on_the_way_shifts_nothing_unless_tokens_count() {
    for (tokens, left) in [(PageTokens::Place, 2..6), (PageTokens::Count, 3..6)] {
        let fake = builder(&clock()).page_tokens(tokens).empty_pages(true).start().await;
        let all = fill(&fake, 6);
        let mut page = ok(&fake, LIST, &[("page_size", "2")]).await;
        assert_eq!(ids(page["meetings"].as_array().unwrap()), all[..2]);
        fake.delete_meeting(all[0]);
        let mut rest = Vec::new();
        while let Some(token) = next(&page) {
            page = ok(&fake, LIST, &[("page_size", "2"), ("next_page_token", token)]).await;
            rest.extend(ids(page["meetings"].as_array().unwrap()));
        }
        assert_eq!(rest, all[left], "{tokens:?}");
    }
}
