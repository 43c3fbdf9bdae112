//! Tasks: lists, listings, tombstones.

use std::time::Duration;

use integrations_testkit::Fault;
use integrations_testkit::google::{FakeGoogle, TaskListSpec};
use serde_json::{Value, json};

use super::{TOKEN, builder, clock, get, http, ids, reason};

const DEFAULT: &str = "/tasks/v1/lists/@default/tasks";

async fn call(fake: &FakeGoogle, path: &str, query: &[(&str, &str)]) -> (u16, Value) {
    let answer = get(fake, path, query).await;
    (answer.status().as_u16(), answer.json().await.unwrap())
}

/// All pages of a listing: the items and the sizes of the pages.
async fn drain(fake: &FakeGoogle, path: &str, query: &[(&str, &str)]) -> (Vec<Value>, Vec<usize>) {
    let (mut items, mut sizes, mut page_token) = (Vec::new(), Vec::new(), None::<String>);
    loop {
        let mut query = query.to_vec();
        query.extend(page_token.as_deref().map(|token| ("pageToken", token)));
        let (status, page) = call(fake, path, &query).await;
        assert_eq!(status, 200, "{page}");
        let more = page.get("items").map(|items| items.as_array().unwrap().clone());
        assert!(more.as_ref().is_none_or(|items| !items.is_empty()), "an empty array is left out");
        sizes.push(more.as_ref().map_or(0, Vec::len));
        items.extend(more.unwrap_or_default());
        match page["nextPageToken"].as_str() {
            Some(token) => page_token = Some(token.to_owned()),
            None => return (items, sizes),
        }
    }
}

async fn listed(fake: &FakeGoogle, query: &[(&str, &str)]) -> Vec<String> {
    ids(&drain(fake, DEFAULT, query).await.0).into_iter().map(str::to_owned).collect()
}

/// What a client asks for that wants to see everything.
const EVERYTHING: [(&str, &str); 4] =
    [("showCompleted", "true"), ("showDeleted", "true"), ("showHidden", "true"), ("showAssigned", "true")];

#[tokio::test]
async fn an_account_has_a_default_list_that_is_empty() {
    let fake = builder(&clock()).start().await;
    let (status, lists) = call(&fake, "/tasks/v1/users/@me/lists", &[]).await;
    assert_eq!((status, &lists["kind"]), (200, &json!("tasks#taskLists")));
    let list = &lists["items"][0];
    assert_eq!((&list["title"], &list["kind"]), (&json!("My Tasks"), &json!("tasks#taskList")));
    assert_eq!(list["updated"], "2026-03-01T09:00:00.000Z");
    let (_, page) = call(&fake, DEFAULT, &[]).await;
    assert_eq!(page, json!({"kind": "tasks#tasks", "etag": page["etag"]}));
    let named = format!("/tasks/v1/lists/{}/tasks", list["id"].as_str().unwrap());
    assert_eq!(call(&fake, &named, &[]).await.1, page);
    assert_eq!(call(&fake, "/tasks/v1/users/%40me/lists", &[]).await.1, lists);
    assert_eq!(call(&fake, "/tasks/v1/lists/%40default/tasks", &[]).await.1, page);
}

#[tokio::test]
async fn a_task_gets_what_the_server_assigns_and_keeps_of_its_due_date_the_day() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let id = fake.insert_task(
        "@default",
        json!({"title": "Zahnarzt", "notes": "9 Uhr", "due": "2026-03-08T17:30:00+02:00"}),
    );
    let (status, task) = call(&fake, &format!("{DEFAULT}/{id}"), &[]).await;
    assert_eq!(status, 200);
    assert_eq!(fake.task("@default", &id).as_ref(), Some(&task));
    for (field, value) in [
        ("kind", "tasks#task"),
        ("id", id.as_str()),
        ("title", "Zahnarzt"),
        ("status", "needsAction"),
        ("due", "2026-03-08T00:00:00.000Z"),
        ("updated", "2026-03-01T09:00:00.000Z"),
    ] {
        assert_eq!(task[field], value, "{field}");
    }
    for field in ["etag", "selfLink", "position", "webViewLink", "links"] {
        assert!(task.get(field).is_some(), "{field} is missing in {task}");
    }
    assert_eq!(task["position"].as_str().unwrap().len(), 20);
    for field in ["completed", "hidden", "deleted", "parent"] {
        assert!(task.get(field).is_none(), "{field} in {task}");
    }

    clock.advance(Duration::from_millis(1_234));
    fake.patch_task("@default", &id, json!({"notes": null, "title": "Dentist"}));
    let patched = fake.task("@default", &id).unwrap();
    assert_eq!((&patched["title"], patched.get("notes")), (&json!("Dentist"), None));
    assert_eq!(patched["updated"], "2026-03-01T09:00:01.234Z");
    assert_ne!(patched["etag"], task["etag"]);

    let url = format!("{}{DEFAULT}/{id}", fake.url());
    let fetch = async |etag: &Value| {
        let request = http().get(&url).bearer_auth(TOKEN).header("if-none-match", etag.as_str().unwrap());
        request.send().await.unwrap().status()
    };
    assert_eq!((fetch(&patched["etag"]).await.as_u16(), fetch(&task["etag"]).await.as_u16()), (304, 200));
}

#[tokio::test]
async fn completed_hidden_assigned_and_deleted_tasks_are_shown_when_they_are_asked_for() {
    let fake = builder(&clock()).start().await;
    let insert = |task: Value| fake.insert_task("@default", task);
    let [open, by_client, by_google, assigned, deleted] = [
        insert(json!({"title": "open"})),
        insert(json!({"title": "completed by a client"})),
        insert(json!({"title": "completed in Google's own program"})),
        insert(json!({"title": "assigned", "assignmentInfo": {"surfaceType": "SPACE"}})),
        insert(json!({"title": "deleted"})),
    ];
    fake.patch_task("@default", &by_client, json!({"status": "completed"}));
    fake.complete_task("@default", &by_google);
    fake.delete_task("@default", &deleted);

    assert_eq!(listed(&fake, &[]).await, [&open, &by_client].map(String::clone));
    let (show, hide) = ("true", "false");
    for (query, expected) in [
        (vec![("showCompleted", hide)], vec![&open]),
        (vec![("showCompleted", show)], vec![&open, &by_client]),
        (vec![("showHidden", show)], vec![&open, &by_client, &by_google]),
        (vec![("showHidden", show), ("showCompleted", hide)], vec![&open]),
        (vec![("showAssigned", show)], vec![&open, &by_client, &assigned]),
        (vec![("showDeleted", show)], vec![&open, &by_client, &deleted]),
        (EVERYTHING.to_vec(), vec![&open, &by_client, &by_google, &assigned, &deleted]),
    ] {
        assert_eq!(listed(&fake, &query).await.iter().collect::<Vec<_>>(), expected, "{query:?}");
    }
    let hidden = fake.task("@default", &by_google).unwrap();
    assert_eq!((&hidden["status"], &hidden["hidden"]), (&json!("completed"), &json!(true)));
    assert_eq!(hidden["completed"], "2026-03-01T09:00:00.000Z");
    let tombstone = fake.task("@default", &deleted).unwrap();
    assert_eq!((&tombstone["deleted"], &tombstone["title"]), (&json!(true), &json!("deleted")));
    assert_eq!(call(&fake, &format!("{DEFAULT}/{deleted}"), &[]).await, (200, tombstone));
    assert_eq!(fake.live_tasks("@default"), 4);
    assert_eq!(fake.task_ids("@default"), [open, by_client, by_google.clone(), assigned]);

    fake.patch_task("@default", &by_google, json!({"status": "needsAction"}));
    let again = fake.task("@default", &by_google).unwrap();
    assert_eq!((again.get("completed"), again.get("hidden")), (None, None));
}

#[tokio::test]
async fn what_has_changed_since_then_is_found_with_its_tombstones() {
    let clock = clock();
    let fake = builder(&clock).task_list(TaskListSpec::new("list").generated(60)).start().await;
    let known = fake.task_ids("@default");
    clock.advance(Duration::from_mins(1));
    fake.patch_task("@default", &known[7], json!({"status": "needsAction", "assignmentInfo": null}));
    fake.complete_task("@default", &known[9]);
    clock.advance(Duration::from_millis(1));
    fake.delete_task("@default", &known[3]);
    let new = fake.insert_task("@default", json!({"title": "new"}));

    let since = async |time: &'static str, more: &[(&'static str, &'static str)]| {
        let mut query = vec![("updatedMin", time)];
        query.extend_from_slice(more);
        listed(&fake, &query).await
    };
    let all = since("2026-03-01T09:01:00.000Z", &EVERYTHING).await;
    assert_eq!(all, [&known[3], &known[7], &known[9], &new].map(String::clone));
    let later = since("2026-03-01T10:01:00.001+01:00", &EVERYTHING).await;
    assert_eq!(later, [&known[3], &new].map(String::clone));
    assert_eq!(since("2026-03-01T09:01:00Z", &[]).await, [&known[7], &new].map(String::clone));
    let before = listed(&fake, &EVERYTHING).await;
    assert_eq!((before.len(), fake.live_tasks("@default")), (61, 60));

    // A client that repeats the last `updated` sees that change again and loses none.
    fake.patch_task("@default", &known[1], json!({"updated": "2026-03-01T09:01:00.000Z"}));
    assert!(since("2026-03-01T09:01:00.000Z", &EVERYTHING).await.contains(&known[1]));
    let (status, refused) = call(&fake, DEFAULT, &[("updatedMin", "yesterday")]).await;
    assert_eq!((status, reason(&refused)), (400, "badRequest"));
}

#[tokio::test]
async fn due_and_completion_dates_have_bounds() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let march = |day: u32| format!("2026-03-{day:02}T00:00:00.000Z");
    let tasks: Vec<_> =
        (1..=4).map(|day| fake.insert_task("@default", json!({"title": "x", "due": march(day)}))).collect();
    fake.insert_task("@default", json!({"title": "whenever"}));
    let (second, fourth) = (march(2), march(4));
    assert_eq!(listed(&fake, &[("dueMin", &second), ("dueMax", &fourth)]).await, tasks[1..3]);
    assert_eq!(listed(&fake, &[("dueMin", &fourth)]).await, tasks[3..]);
    fake.patch_task("@default", &tasks[0], json!({"status": "completed"}));
    clock.advance(Duration::from_secs(60));
    fake.patch_task("@default", &tasks[1], json!({"status": "completed"}));
    assert_eq!(listed(&fake, &[("completedMin", "2026-03-01T09:01:00Z")]).await, tasks[1..2]);
    assert_eq!(listed(&fake, &[("completedMax", "2026-03-01T09:01:00Z")]).await, tasks[..1]);
}

#[tokio::test]
async fn pages_hold_what_is_asked_for_at_every_boundary() {
    for empty_pages in [false, true] {
        let fake = builder(&clock()).empty_pages(empty_pages).start().await;
        let tasks: Vec<_> =
            (0..12).map(|n| fake.insert_task("@default", json!({"title": n.to_string()}))).collect();
        for size in [1, 2, 3, 5, 11, 12, 13] {
            let size_text = size.to_string();
            let (items, sizes) = drain(&fake, DEFAULT, &[("maxResults", size_text.as_str())]).await;
            assert_eq!(ids(&items), tasks);
            assert_eq!(sizes.contains(&0), empty_pages);
            if !empty_pages {
                assert_eq!(sizes.len(), 12_usize.div_ceil(size));
            }
        }
    }
    let fake = builder(&clock()).task_list(TaskListSpec::new("list").generated(250)).start().await;
    assert_eq!(drain(&fake, DEFAULT, &EVERYTHING).await.1[..2], [20, 20]);
    let most = [&EVERYTHING[..], &[("maxResults", "500")]].concat();
    assert_eq!(drain(&fake, DEFAULT, &most).await.1, [100, 100, 50]);
    let fake = builder(&clock()).task_list(TaskListSpec::new("list").generated(20)).page_cap(7).start().await;
    assert_eq!(drain(&fake, DEFAULT, &EVERYTHING).await.1, [7, 7, 6]);
    assert_eq!(fake.items_served(), 20);
}

#[tokio::test]
async fn page_tokens_are_checked_and_can_expire() {
    let fake = builder(&clock())
        .task_list(TaskListSpec::new("one").generated(60))
        .task_list(TaskListSpec::new("two").generated(60))
        .start()
        .await;
    let (_, page) = call(&fake, DEFAULT, &[("showHidden", "true")]).await;
    let token = ("pageToken", page["nextPageToken"].as_str().unwrap());
    let same = [("showHidden", "true"), token];
    assert_eq!(call(&fake, DEFAULT, &same).await.0, 200);
    assert_eq!(call(&fake, "/tasks/v1/lists/one/tasks", &same).await.0, 200);
    for (path, query) in [
        (DEFAULT, &[token][..]),
        (DEFAULT, &[("showHidden", "true"), ("showCompleted", "false"), token]),
        (DEFAULT, &[("pageToken", "made-up")]),
        ("/tasks/v1/lists/two/tasks", &same),
        ("/tasks/v1/users/@me/lists", &[token]),
    ] {
        let (status, refused) = call(&fake, path, query).await;
        assert_eq!((status, reason(&refused)), (400, "invalidArgument"), "{query:?}");
    }
    fake.expire_task_page_tokens("@default");
    assert_eq!(call(&fake, DEFAULT, &same).await.0, 400);
}

#[tokio::test]
async fn lists_come_and_go() {
    let fake = builder(&clock())
        .task_list(TaskListSpec::new("one").title("Erste"))
        .task_list(TaskListSpec::new("two"))
        .page_cap(1)
        .start()
        .await;
    let lists = "/tasks/v1/users/@me/lists";
    fake.add_task_list(TaskListSpec::new("three"));
    let names = async || {
        let (items, sizes) = drain(&fake, lists, &[]).await;
        assert_eq!(sizes, vec![1; items.len()]);
        ids(&items).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(names().await, ["one", "two", "three"]);
    let task = fake.insert_task("two", json!({"title": "x"}));
    let (_, first) = call(&fake, lists, &[]).await;
    fake.remove_task_list("two");
    assert_eq!(names().await, ["one", "three"]);
    let token = first["nextPageToken"].as_str().unwrap();
    let (_, second) = call(&fake, lists, &[("pageToken", token)]).await;
    assert_eq!(ids(second["items"].as_array().unwrap()), ["three"]);
    for path in ["/tasks/v1/lists/two/tasks".to_owned(), format!("/tasks/v1/lists/two/tasks/{task}")] {
        let (status, refused) = call(&fake, &path, &[]).await;
        assert_eq!((status, reason(&refused)), (404, "notFound"));
    }
    assert_eq!(call(&fake, &format!("{DEFAULT}/{task}"), &[]).await.0, 404);
    assert_eq!(fake.task("one", &task), None);
    fake.add_task_list(TaskListSpec::new("two"));
    assert_eq!((names().await.len(), fake.live_tasks("two")), (3, 0));
}

#[tokio::test]
async fn tasks_have_an_order_among_their_siblings_and_take_those_under_them_along() {
    let clock = clock();
    let fake = builder(&clock).start().await;
    let order = |parent: Option<&str>| {
        let mut tasks: Vec<_> = fake
            .task_ids("@default")
            .iter()
            .map(|id| fake.task("@default", id).unwrap())
            .filter(|task| task.get("parent").and_then(Value::as_str) == parent)
            .collect();
        tasks.sort_by_key(|task| task["position"].as_str().unwrap().to_owned());
        tasks.iter().map(|task| task["title"].as_str().unwrap().to_owned()).collect::<String>()
    };
    let [a, b, c, d] =
        ["a", "b", "c", "d"].map(|title| fake.insert_task("@default", json!({"title": title})));
    assert_eq!(order(None), "dcba", "a new task comes first");
    clock.advance(Duration::from_secs(1));
    fake.move_task("@default", &d, None, Some(&a));
    fake.move_task("@default", &b, None, None);
    assert_eq!(order(None), "bcad");
    assert_eq!(fake.task("@default", &d).unwrap()["updated"], "2026-03-01T09:00:01.000Z");
    fake.move_task("@default", &c, Some(&a), None);
    fake.move_task("@default", &d, Some(&a), Some(&c));
    assert_eq!((order(None), order(Some(&a))), ("ba".to_owned(), "cd".to_owned()));
    // However often a task comes between the same two, there is room.
    for n in 0..60 {
        let id = fake.insert_task("@default", json!({"title": char::from(b'A' + n).to_string()}));
        fake.move_task("@default", &id, None, Some(&b));
    }
    let expected: String = (0..60).rev().map(|n| char::from(b'A' + n)).collect();
    assert_eq!(order(None), format!("b{expected}a"));

    fake.delete_task("@default", &a);
    assert_eq!(order(Some(&a)), "");
    for id in [&a, &c, &d] {
        assert_eq!(fake.task("@default", id).unwrap()["deleted"], true);
    }
    assert_eq!(fake.live_tasks("@default"), 61);
}

#[tokio::test]
async fn a_generated_task_takes_those_under_it_along() {
    let fake = builder(&clock()).task_list(TaskListSpec::new("list").generated(100)).start().await;
    let tasks: Vec<_> = fake.task_ids("list").iter().map(|id| fake.task("list", id).unwrap()).collect();
    let parent = tasks.iter().find_map(|task| task["parent"].as_str()).unwrap();
    let below = |parent: &str| tasks.iter().filter(|task| task["parent"] == parent).count() as u64;
    let moved = tasks.iter().find(|task| task.get("parent").is_none() && task["id"] != parent).unwrap();
    let moved = moved["id"].as_str().unwrap();
    fake.move_task("list", moved, Some(parent), None);
    fake.insert_task("list", json!({"title": "under it too", "parent": parent}));
    fake.delete_task("list", parent);
    assert_eq!(fake.live_tasks("list"), 101 - (1 + below(parent) + 2));
    assert_eq!(fake.task("list", moved).unwrap()["deleted"], true);
}

#[tokio::test]
async fn an_id_of_the_test_is_kept_and_names_one_task() {
    let fake = builder(&clock()).start().await;
    assert_eq!(fake.insert_task("@default", json!({"id": "own", "title": "a"})), "own");
    fake.insert_task("@default", json!({"id": "own", "title": "b"}));
    assert_eq!((fake.live_tasks("@default"), listed(&fake, &[]).await), (1, vec!["own".to_owned()]));
    assert_eq!(fake.task("@default", "own").unwrap()["title"], "b");
    fake.raw_task("@default", r#"{"id":"odd","due":17}"#);
    let (items, _) = drain(&fake, DEFAULT, &[("showCompleted", "false")]).await;
    assert_eq!(items[1], json!({"id": "odd", "due": 17}));
    assert_eq!((fake.live_tasks("@default"), fake.task_ids("@default").len()), (1, 1));
}

#[tokio::test]
async fn generated_tasks_are_the_same_every_time_and_agree_with_what_is_read_apart() {
    let tasks = async |seed| {
        let list = TaskListSpec::new("list").generated(2_000);
        let fake = builder(&clock()).task_list(list).seed(seed).start().await;
        let query = [&EVERYTHING[..], &[("maxResults", "100")]].concat();
        let (items, _) = drain(&fake, DEFAULT, &query).await;
        assert_eq!(ids(&items), fake.task_ids("list"));
        for item in items.iter().step_by(97) {
            let path = format!("{DEFAULT}/{}", item["id"].as_str().unwrap());
            assert_eq!(&call(&fake, &path, &[]).await.1, item);
        }
        items
    };
    let items = tasks(7).await;
    assert_eq!(items, tasks(7).await);
    assert_ne!(ids(&items), ids(&tasks(8).await));

    let known = ids(&items);
    let share = |test: &dyn Fn(&Value) -> bool| items.iter().filter(|item| test(item)).count() / 20;
    assert!((25..=45).contains(&share(&|task| task["status"] == "completed")));
    assert!((12..=30).contains(&share(&|task| task.get("hidden").is_some())));
    assert!((40..=60).contains(&share(&|task| task.get("due").is_some())));
    assert!((10..=30).contains(&share(&|task| task.get("parent").is_some())));
    assert!(share(&|task| task.get("assignmentInfo").is_some()) >= 1);
    assert!(items.is_sorted_by_key(|task| task["updated"].as_str().unwrap().to_owned()));
    for task in &items {
        assert_eq!(task["status"] == "completed", task.get("completed").is_some(), "{task}");
        assert!(task["completed"].as_str() <= task["updated"].as_str(), "{task}");
        assert!(task["parent"].as_str().is_none_or(|parent| known.contains(&parent)), "{task}");
    }
}

#[tokio::test]
async fn the_scope_the_parameters_and_the_faults_are_checked() {
    let fake = builder(&clock()).start().await;
    let status = async |token: &str, path: &str| {
        let answer = http().get(format!("{}{path}", fake.url())).bearer_auth(token).send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    for scope in ["https://www.googleapis.com/auth/tasks", "https://www.googleapis.com/auth/tasks.readonly"] {
        let token = super::oauth::token_for(&fake, &[scope]).await;
        assert_eq!(status(&token, DEFAULT).await.0, 200);
    }
    let mail = super::oauth::token_for(&fake, &["https://mail.google.com/"]).await;
    let (code, refused) = status(&mail, "/tasks/v1/users/@me/lists").await;
    assert_eq!((code, reason(&refused)), (403, "insufficientPermissions"));
    assert_eq!(refused["error"]["details"][0]["metadata"]["service"], "tasks.googleapis.com");

    for (path, parameter, expected) in [
        (DEFAULT, ("fields", "items"), "unsupportedByFake"),
        (DEFAULT, ("syncToken", "x"), "invalidArgument"),
        (DEFAULT, ("maxResults", "-1"), "invalid"),
        (DEFAULT, ("showHidden", "1"), "invalid"),
        ("/tasks/v1/users/@me/lists", ("showHidden", "true"), "invalidArgument"),
    ] {
        let (code, refused) = call(&fake, path, &[parameter]).await;
        assert_eq!((code, reason(&refused)), (400, expected), "{parameter:?}");
    }
    for (operation, path) in [
        ("tasklists.list", "/tasks/v1/users/@me/lists"),
        ("tasks.list", DEFAULT),
        ("tasks.get", &format!("{DEFAULT}/x")),
    ] {
        fake.fault(Fault::on(operation).status(403).reason("rateLimitExceeded"));
        let (code, refused) = call(&fake, path, &[]).await;
        assert_eq!((code, reason(&refused), fake.count(operation) > 0), (403, "rateLimitExceeded", true));
    }
    assert_eq!(call(&fake, &format!("{DEFAULT}/x"), &[]).await.0, 404);
}

#[tokio::test]
async fn a_batch_carries_calls_of_tasks_or_of_gmail_but_not_of_both() {
    let fake = builder(&clock()).start().await;
    let send = async |address: &str, paths: [&str; 2]| {
        let part = |path| format!("--b\r\nContent-Type: application/http\r\n\r\nGET {path}\r\n\r\n");
        let body = paths.map(part).concat() + "--b--";
        let request = http().post(format!("{}{address}", fake.url())).bearer_auth(TOKEN).body(body);
        let answer = request.header("content-type", "multipart/mixed; boundary=b").send().await.unwrap();
        let text = answer.text().await.unwrap();
        let mut statuses: Vec<_> = text.split("HTTP/1.1 ").skip(1).map(|part| part[..3].to_owned()).collect();
        statuses.sort_unstable();
        statuses.join(" ")
    };
    let (tasks, mail) = (DEFAULT, "/gmail/v1/users/me/profile");
    assert_eq!(send("/batch", [tasks, tasks]).await, "200 200");
    assert_eq!(send("/batch", [mail, mail]).await, "200 200");
    assert_eq!(send("/batch", [tasks, mail]).await, "200 404");
    assert_eq!(send("/batch/gmail/v1", [tasks, tasks]).await, "404 404");
    assert_eq!((fake.count("batch"), fake.count("tasks.list")), (4, 5));
}
