//! Channels, members and users, page by page.

use std::collections::HashSet;
use std::time::Duration;

use integrations_testkit::slack::{ChannelSpec, FakeSlack, UserSpec};
use serde_json::{Value, json};

use super::*;

/// A listing: its method, the field of its items, and its arguments.
type Listing = (&'static str, &'static str, Query<'static>);

const LISTINGS: [Listing; 6] = [
    ("conversations.list", "channels", &[]),
    ("users.conversations", "channels", &[]),
    ("conversations.members", "members", &[("channel", CHANNEL)]),
    ("users.list", "members", &[]),
    ("conversations.history", "messages", &[("channel", CHANNEL)]),
    ("conversations.replies", "messages", &[("channel", CHANNEL), ("ts", PARENT)]),
];

/// The first message of the fake's clock.
const PARENT: &str = "1772355600.000000";

/// A workspace in which every listing has so many items, the parent of the thread not counted.
async fn with_items(items: usize, set_up: impl FnOnce(FakeSlackBuilder) -> FakeSlackBuilder) -> FakeSlack {
    // Slackbot, the account and the bot are there anyhow, and the last two are in every channel.
    let mut builder = builder(&clock()).channel(general());
    for number in 3..items {
        builder = builder.add_user(UserSpec::new("user").id(&format!("U{number}")));
    }
    for number in 1..items {
        builder = builder.channel(ChannelSpec::public(&format!("channel-{number}")));
    }
    let fake = set_up(builder).start().await;
    assert_eq!(fake.post(CHANNEL, json!({"text": "the first"})), PARENT);
    for number in 0..items {
        fake.reply(CHANNEL, PARENT, json!({"text": number.to_string()}));
        if number > 0 {
            fake.post(CHANNEL, json!({"text": number.to_string()}));
        }
    }
    fake
}

/// Joins users until the channel has so many members, without a message of it.
async fn with_members(items: usize, set_up: impl FnOnce(FakeSlackBuilder) -> FakeSlackBuilder) -> FakeSlack {
    let users: Vec<_> = (2..items).map(|number| format!("M{number}")).collect();
    let users: Vec<&str> = users.iter().map(String::as_str).collect();
    let mut builder = builder(&clock());
    for user in &users {
        builder = builder.add_user(UserSpec::new("member").id(user));
    }
    set_up(builder.channel(general().members(&users))).start().await
}

async fn count_pages(fake: &FakeSlack, listing: Listing, limit: usize) -> (usize, Vec<Value>) {
    let (method, field, query) = listing;
    let limit = limit.to_string();
    let query = [query, &[("limit", limit.as_str())]].concat();
    let pages = pages(fake, method, &query).await;
    let items: Vec<_> = pages
        .iter()
        .enumerate()
        .flat_map(|(number, page)| {
            let items = page[field].as_array().unwrap();
            // Every page of a thread begins with the parent.
            let parent = usize::from(method == "conversations.replies");
            assert!(parent == 0 || items[0]["ts"] == PARENT, "page {number}: {page}");
            items[parent..].to_vec()
        })
        .collect();
    (pages.len(), items)
}

fn key(item: &Value) -> String {
    let keys = [item.as_str(), item["id"].as_str(), item["ts"].as_str()];
    keys.into_iter().flatten().next().unwrap().to_owned()
}

#[tokio::test]
async fn every_listing_has_every_item_once_whatever_the_size_of_its_pages() {
    for items in 3..=7 {
        for listing in LISTINGS {
            let members = listing.0 == "conversations.members";
            let fake =
                if members { with_members(items, |b| b).await } else { with_items(items, |b| b).await };
            let (_, whole) = count_pages(&fake, listing, 999).await;
            assert_eq!(whole.len(), items, "{listing:?}");
            assert_eq!(whole.iter().map(key).collect::<HashSet<_>>().len(), items);
            for limit in 1..=items + 1 {
                let (pages, read) = count_pages(&fake, listing, limit).await;
                assert_eq!(read, whole, "{listing:?} by {limit}");
                // The parent takes a place of each page of a thread, and of a page of one there is no other.
                let expected = match (listing.0, limit) {
                    ("conversations.replies", 1) => items + 1,
                    ("conversations.replies", _) => items.div_ceil(limit - 1),
                    _ => items.div_ceil(limit),
                };
                assert_eq!(pages, expected, "{listing:?} by {limit}");
            }
        }
    }
}

#[tokio::test]
async fn a_page_holds_no_more_than_the_cap_and_empty_pages_have_successors() {
    for listing in LISTINGS {
        let set_up = |builder: FakeSlackBuilder| builder.page_cap(3).empty_pages(true);
        let members = listing.0 == "conversations.members";
        let fake = if members { with_members(8, set_up).await } else { with_items(8, set_up).await };
        let (pages, items) = count_pages(&fake, listing, 100).await;
        assert_eq!(items.iter().map(key).collect::<HashSet<_>>().len(), 8, "{listing:?}");
        let expected = if listing.0 == "conversations.replies" { 8 / 2 } else { 3 };
        assert_eq!(pages, expected + 1, "{listing:?}: an empty page is among them");

        let (method, field, query) = listing;
        let first = ok(&fake, method, query).await;
        let second = ok(&fake, method, &[query, &[("cursor", cursor(&first).unwrap())]].concat()).await;
        let parent = usize::from(method == "conversations.replies");
        assert_eq!(second[field].as_array().unwrap().len(), parent, "{listing:?}");
        assert!(cursor(&second).is_some());
    }
    // Even what fits on one page has its empty page, and one that ends it.
    let fake = with_items(3, |builder| builder.empty_pages(true)).await;
    assert_eq!(count_pages(&fake, LISTINGS[0], 100).await.0, 3);
    assert_eq!(history(&fake, CHANNEL, &[]).await.len(), 3);
}

#[tokio::test]
async fn a_cursor_belongs_to_its_request() {
    for listing in LISTINGS {
        let members = listing.0 == "conversations.members";
        let fake = if members { with_members(6, |b| b).await } else { with_items(6, |b| b).await };
        let (method, _, query) = listing;
        let query = [query, &[("limit", "2")]].concat();
        let first = ok(&fake, method, &query).await;
        let next = cursor(&first).unwrap().to_owned();
        assert!(next.ends_with('='), "{next}");
        let with = |more: &[(&'static str, &'static str)], cursor: &str| {
            let kept = query.iter().filter(|(name, _)| more.iter().all(|(other, _)| other != name));
            let mut query: Vec<_> = kept.map(|&(name, value)| (name, value.to_owned())).collect();
            query.extend(more.iter().map(|&(name, value)| (name, value.to_owned())));
            query.push(("cursor", cursor.to_owned()));
            query
        };
        let code = async |query: Vec<(&str, String)>| {
            let query: Vec<_> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
            call(&fake, method, &query).await["error"].as_str().unwrap_or("none").to_owned()
        };
        assert_eq!(code(with(&[], &next)).await, "none", "{method}");
        assert_eq!(code(with(&[("limit", "3")], &next)).await, "invalid_cursor", "{method}");
        for wrong in ["dGVhbTpDMDYxRkE1UEI=", "x", next.trim_end_matches('='), &next.replace('=', "A")] {
            assert_eq!(code(with(&[], wrong)).await, "invalid_cursor", "{method} {wrong}");
        }
        // What a client sends that does not percent-encode: `+` becomes a space.
        if next.contains('+') {
            assert_eq!(code(with(&[], &next.replace('+', " "))).await, "invalid_cursor");
        }
        let foreign = if method == "users.list" { "conversations.list" } else { "users.list" };
        let other = ok(&fake, foreign, &[("limit", "2")]).await;
        assert_eq!(code(with(&[], cursor(&other).unwrap())).await, "invalid_cursor", "{method}");
        fake.expire_cursors();
        assert_eq!(code(with(&[], &next)).await, "invalid_cursor", "{method}");
        assert_eq!(ok(&fake, method, &query).await["ok"], true);
    }
}

#[tokio::test]
async fn a_cursor_does_not_outlive_a_change_of_its_range_or_of_what_is_left_out() {
    let fake = with_items(6, |builder| builder).await;
    let pairs: [(&str, Query<'_>, Query<'_>); 6] = [
        ("conversations.list", &[("exclude_archived", "true")], &[]),
        ("conversations.list", &[("types", "public_channel")], &[("types", "public_channel,im")]),
        ("conversations.history", &[("channel", CHANNEL), ("oldest", "1")], &[("channel", CHANNEL)]),
        ("conversations.history", &[("channel", CHANNEL)], &[("channel", CHANNEL), ("latest", "1900000000")]),
        (
            "conversations.history",
            &[("channel", CHANNEL), ("oldest", "1")],
            &[("channel", CHANNEL), ("oldest", "1"), ("inclusive", "true")],
        ),
        ("users.list", &[("include_locale", "true")], &[]),
    ];
    for (method, first, then) in pairs {
        let page = ok(&fake, method, &[first, &[("limit", "1")]].concat()).await;
        let next = ("cursor", cursor(&page).unwrap());
        assert_eq!(call(&fake, method, &[first, &[("limit", "1"), next]].concat()).await["ok"], true);
        assert_eq!(refused(&fake, method, &[then, &[("limit", "1"), next]].concat()).await, "invalid_cursor");
    }
}

#[tokio::test]
async fn what_comes_and_goes_while_the_pages_are_read_shifts_nothing() {
    let fake = with_items(6, |builder| builder).await;
    let ids = fake.channel_ids();
    let first = ok(&fake, "conversations.list", &[("limit", "2")]).await;
    fake.remove_channel(&ids[0]);
    fake.remove_channel(&ids[2]);
    let new = fake.add_channel(ChannelSpec::public("new"));
    let mut rest = Vec::new();
    let mut next = cursor(&first).map(str::to_owned);
    while let Some(place) = next {
        let page = ok(&fake, "conversations.list", &[("limit", "2"), ("cursor", &place)]).await;
        rest.extend(page["channels"].as_array().unwrap().clone());
        next = cursor(&page).map(str::to_owned);
    }
    assert_eq!(all(&rest, "id"), [&ids[3], &ids[4], &ids[5], &new]);
}

#[tokio::test]
async fn arguments_are_checked() {
    let fake = with_items(3, |builder| builder).await;
    for listing in LISTINGS {
        for wrong in ["0", "1000", "-1", "ten", "", "1.5"] {
            let query = [listing.2, &[("limit", wrong)]].concat();
            assert_eq!(refused(&fake, listing.0, &query).await, "invalid_limit", "{listing:?} {wrong}");
        }
        let query = [listing.2, &[("limit", "2"), ("limit", "2")]].concat();
        assert_eq!(refused(&fake, listing.0, &query).await, "invalid_arguments");
        let body = call(&fake, listing.0, &[listing.2, &[("page", "2")]].concat()).await;
        assert_eq!(body["error"], "invalid_arguments");
        assert!(body["response_metadata"]["messages"][0].as_str().unwrap().contains("page"), "{body}");
    }
    for method in
        ["conversations.info", "conversations.members", "conversations.history", "conversations.replies"]
    {
        let body =
            call(&fake, method, &[("ts", PARENT)].as_slice()[..usize::from(method.ends_with("replies"))])
                .await;
        assert_eq!(body["response_metadata"]["messages"][0], "[ERROR] missing required field: channel");
    }
    assert_eq!(
        refused(&fake, "conversations.list", &[("exclude_archived", "yes")]).await,
        "invalid_arguments"
    );
    assert_eq!(refused(&fake, "users.info", &[("user", "U0NOBODY")]).await, "user_not_found");
    assert_eq!(refused(&fake, "conversations.list", &[("team_id", "T0OTHER")]).await, "team_not_found");
    ok(&fake, "conversations.list", &[("team_id", fake.team_id())]).await;
    let body = call(&fake, "conversations.open", &[]).await;
    assert_eq!(
        (&body["error"], &body["req_method"]),
        (&json!("unknown_method"), &json!("conversations.open"))
    );
    assert_eq!(http().put(format!("{}/api/users.list", fake.url())).send().await.unwrap().status(), 404);
}

#[tokio::test]
async fn a_form_says_what_a_query_says_and_json_is_not_read() {
    let fake = with_items(5, |builder| builder).await;
    let url = format!("{}/api/conversations.list", fake.url());
    let post = async |request: reqwest::RequestBuilder| {
        request.bearer_auth(TOKEN).send().await.unwrap().json::<Value>().await.unwrap()
    };
    let by_get = ok(&fake, "conversations.list", &[("limit", "2")]).await;
    assert_eq!(post(http().post(&url).form(&[("limit", "2")])).await, by_get);
    assert_eq!(post(http().post(&url).query(&[("limit", "2")])).await, by_get);
    let ignored = post(http().post(&url).json(&json!({"limit": 2}))).await;
    assert_eq!(ignored["channels"].as_array().unwrap().len(), 5);
    let bare = post(http().post(&url).body("limit=2")).await;
    assert_eq!(bare["error"], "missing_post_type");
    let odd = post(http().post(&url).header("content-type", "text/csv").body("limit=2")).await;
    assert_eq!(odd["error"], "invalid_post_type");
    let next = cursor(&by_get).unwrap();
    let second = post(http().post(&url).form(&[("cursor", next), ("limit", "2")])).await;
    assert_eq!(second, ok(&fake, "conversations.list", &[("limit", "2"), ("cursor", next)]).await);
}

#[tokio::test]
async fn a_channel_changes_its_name_its_topic_and_its_state() {
    let clock = clock();
    let fake = builder(&clock).channel(general().created(1_700_000_000)).start().await;
    let info = async || {
        ok(&fake, "conversations.info", &[("channel", CHANNEL), ("include_num_members", "1")]).await["channel"].clone()
    };
    let before = info().await;
    assert_eq!(
        (&before["created"], &before["updated"]),
        (&json!(1_700_000_000), &json!(1_700_000_000_000_u64))
    );
    assert_eq!((&before["num_members"], &before["is_archived"]), (&json!(2), &json!(false)));
    clock.advance(Duration::from_millis(1_500));
    fake.rename_channel(CHANNEL, "allgemein");
    fake.set_topic(CHANNEL, "Ab heute auf Deutsch");
    fake.set_purpose(CHANNEL, "Alles");
    fake.archive_channel(CHANNEL);
    let after = info().await;
    assert_eq!((&after["name"], &after["previous_names"]), (&json!("allgemein"), &json!(["general"])));
    assert_eq!(after["topic"]["value"], "Ab heute auf Deutsch");
    assert_eq!(after["purpose"]["last_set"], 1_772_355_601);
    assert_eq!((&after["updated"], &after["is_archived"]), (&json!(1_772_355_601_500_u64), &json!(true)));
    assert_eq!(fake.channel_object(CHANNEL).unwrap()["updated"], after["updated"]);
    assert!(ok(&fake, "conversations.list", &[("exclude_archived", "true")]).await["channels"][0].is_null());
    fake.unarchive_channel(CHANNEL);
    fake.make_private(CHANNEL);
    let after = info().await;
    assert_eq!(
        (&after["is_private"], &after["is_channel"], &after["id"]),
        (&json!(true), &json!(true), &json!(CHANNEL))
    );
    let subtypes = history(&fake, CHANNEL, &[]).await;
    assert_eq!(
        all(&subtypes, "subtype"),
        [
            "channel_convert_to_private",
            "channel_unarchive",
            "channel_archive",
            "channel_purpose",
            "channel_topic",
            "channel_name"
        ]
    );
}

#[tokio::test]
async fn each_listing_shows_a_channel_in_its_way() {
    let fake = builder(&clock())
        .add_user(UserSpec::new("grace").id("U0GRACE"))
        .channel(general().general().ext_shared())
        .channel(ChannelSpec::private("old").id("G0OLD"))
        .channel(ChannelSpec::private("new").id("C0NEW"))
        .channel(ChannelSpec::im("U0GRACE").id("D0GRACE"))
        .channel(ChannelSpec::mpim(&["U0GRACE"]).id("G0GROUP"))
        .start()
        .await;
    let types = ("types", "public_channel,private_channel,mpim,im");
    let listed = drain(&fake, "conversations.list", "channels", &[types]).await;
    let flags = |channel: &Value| {
        let names = ["is_channel", "is_group", "is_im", "is_mpim", "is_private"];
        names
            .iter()
            .map(|name| channel[name].as_bool().map_or('-', |set| if set { '1' } else { '0' }))
            .collect::<String>()
    };
    let shown: Vec<_> = listed.iter().map(flags).collect();
    assert_eq!(shown, ["10000", "01001", "10001", "--1--", "01011"]);
    let general = &listed[0];
    assert_eq!(
        (&general["is_general"], &general["is_shared"], &general["is_ext_shared"]),
        (&json!(true), &json!(true), &json!(true))
    );
    assert_eq!((&general["num_members"], &general["is_member"]), (&json!(2), &json!(true)));
    assert_eq!(general["context_team_id"], fake.team_id());
    let direct = &listed[3];
    assert_eq!((&direct["user"], &direct["is_user_deleted"]), (&json!("U0GRACE"), &json!(false)));
    assert!(direct.get("name").is_none() && direct.get("topic").is_none());
    assert_eq!(listed[4]["name"], "mpdm-ada--grace-1");
    let members = drain(&fake, "conversations.members", "members", &[("channel", "D0GRACE")]).await;
    assert_eq!(members, [json!(fake.user_id()), json!("U0GRACE")]);

    let own = drain(&fake, "users.conversations", "channels", &[types]).await;
    assert!(
        own.iter().all(|channel| channel.get("is_member").is_none() && channel.get("num_members").is_none())
    );
    assert_eq!(all(&own, "id"), all(&listed, "id"));
    let info = ok(&fake, "conversations.info", &[("channel", CHANNEL), ("include_locale", "true")]).await;
    assert_eq!((&info["channel"]["locale"], info["channel"].get("num_members")), (&json!("en-US"), None));

    fake.deactivate_user("U0GRACE");
    let info = ok(&fake, "conversations.info", &[("channel", "D0GRACE")]).await;
    assert_eq!(info["channel"]["is_user_deleted"], true);
}

#[tokio::test]
async fn users_change_leave_and_vanish() {
    let clock = clock();
    let fake = builder(&clock)
        .add_user(
            UserSpec::new("grace").id("U0GRACE").real_name("Grace Hopper").time_zone("America/New_York"),
        )
        .add_user(UserSpec::new("guest").id("U0GUEST").ultra_restricted())
        .add_user(UserSpec::new("gone").id("U0GONE").deactivated())
        .start()
        .await;
    let info = async |user: &str| ok(&fake, "users.info", &[("user", user)]).await["user"].clone();
    let grace = info("U0GRACE").await;
    assert_eq!((&grace["tz"], &grace["tz_offset"]), (&json!("America/New_York"), &json!(-18_000)));
    assert_eq!(
        (&grace["profile"]["first_name"], &grace["real_name"]),
        (&json!("Grace"), &json!("Grace Hopper"))
    );
    let guest = info("U0GUEST").await;
    assert_eq!((&guest["is_restricted"], &guest["is_ultra_restricted"]), (&json!(true), &json!(true)));
    assert_eq!(info("USLACKBOT").await["is_bot"], false);
    let bot = info(&fake.bot_user_id()).await;
    assert_eq!((&bot["is_bot"], &bot["profile"]["bot_id"]), (&json!(true), &json!(fake.bot_id())));
    assert_eq!(info(fake.user_id()).await["is_admin"], true);

    clock.advance(Duration::from_secs(7));
    let late = fake.add_user(UserSpec::new("late").email("late@elsewhere.example"));
    assert_eq!(info(&late).await["profile"]["email"], "late@elsewhere.example");
    assert_eq!(fake.add_user(UserSpec::new("late").id(&late).app_user()), late);
    assert_eq!(info(&late).await["is_app_user"], true);
    fake.update_user(
        "U0GRACE",
        json!({"profile": {"status_text": "away", "title": null}, "tz": "Asia/Tokyo"}),
    );
    fake.deactivate_user("U0GUEST");
    fake.remove_user("U0GONE");
    fake.raw_user(r#"{"id":"U0ODD","profile":7}"#);
    let grace = info("U0GRACE").await;
    assert_eq!((&grace["profile"]["status_text"], grace["profile"].get("title")), (&json!("away"), None));
    assert_eq!(grace["updated"], 1_772_355_607);
    let guest = info("U0GUEST").await;
    assert_eq!((&guest["deleted"], guest.get("tz"), guest.get("is_restricted")), (&json!(true), None, None));
    assert_eq!(refused(&fake, "users.info", &[("user", "U0GONE")]).await, "user_not_found");
    let listed = ok(&fake, "users.list", &[("include_locale", "true")]).await;
    assert_eq!(listed["cache_ts"], 1_772_355_607);
    let members = listed["members"].as_array().unwrap();
    assert_eq!(members.last().unwrap(), &json!({"id": "U0ODD", "profile": 7}));
    assert_eq!(all(&members[..members.len() - 1], "id"), fake.user_ids());
    assert_eq!(members[3]["locale"], "en-US");
}

#[tokio::test]
async fn a_large_workspace_wants_a_limit() {
    let fake = builder(&clock()).generated_users(1_200).start().await;
    assert_eq!(refused(&fake, "users.list", &[]).await, "limit_required");
    let users = drain(&fake, "users.list", "members", &[("limit", "200")]).await;
    // Slackbot, the account, and three bots are there too.
    assert_eq!(users.len(), 1_205);
    assert_eq!(all(&users, "id"), fake.user_ids());
    let share = |test: &dyn Fn(&Value) -> bool| users.iter().filter(|user| test(user)).count();
    assert!(share(&|user| user["deleted"] == true) > 20);
    assert!(share(&|user| user["is_restricted"] == true) > 40);
    assert_eq!(share(&|user| user["is_bot"] == true), 3);
}

#[tokio::test]
async fn a_raw_channel_is_listed_as_it_is() {
    let fake = with_items(3, |builder| builder).await;
    fake.raw_channel(r#"{"id":17}"#);
    let listed = drain(&fake, "users.conversations", "channels", &[("limit", "2")]).await;
    assert_eq!((listed.len(), &listed[3]), (4, &json!({"id": 17})));
    assert_eq!(fake.channel_ids().len(), 3);
}
