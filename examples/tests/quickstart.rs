//! What a user of the quickstart relies on: what comes at first, what changes, and what is shown of it; and that
//! a second run goes on from the first one's database.

#![allow(clippy::unwrap_used, reason = "a helper of a test fails the test")]

#[path = "../quickstart.rs"]
#[allow(dead_code, reason = "a program has a main function")]
mod program;

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Value, json};

async fn run(db: &Path) -> Value {
    let options = program::Options { db: Some(db.to_owned()), real: false, zone: None, json: true };
    program::run(options).await.unwrap().unwrap()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap()
}

fn text<'a>(entry: &'a Value, field: &str) -> &'a str {
    entry[field].as_str().unwrap()
}

/// What has changed in one way, as service and title.
fn changes<'a>(document: &'a Value, sign: &str) -> BTreeSet<(&'a str, &'a str)> {
    let entries = list(&document["changes"][sign]);
    entries.iter().map(|entry| (text(entry, "service"), text(entry, "title"))).collect()
}

/// The first entry of a list with this text in a field.
fn find<'a>(entries: &'a Value, field: &str, wanted: &str) -> Option<&'a Value> {
    list(entries).iter().find(|entry| entry[field] == wanted)
}

/// The conversation of the inbox that begins with this.
fn thread<'a>(document: &'a Value, begins: &str) -> Option<&'a Value> {
    list(&document["inbox"]["threads"]).iter().find(|thread| thread["message"]["text"] == begins)
}

#[tokio::test]
async fn the_first_ten_minutes_and_the_next_ones() {
    let folder = tempfile::tempdir().unwrap();
    let db = folder.path().join("quickstart.db");
    let first = run(&db).await;
    connects_and_lists(&first);
    follows_changes(&first);
    shows_the_week(&first);
    shows_the_inbox(&first);
    shows_what_is_to_do(&first);
    shows_the_same_thing_once(&first);
    let second = run(&db).await;
    goes_on(&second);
}

fn connects_and_lists(document: &Value) {
    assert_eq!(document["provider"]["fake"], true);
    let connections = list(&document["connections"]).iter();
    let connections: Vec<_> =
        connections.map(|one| (text(one, "service"), text(one, "account"), one["known"] == true)).collect();
    let ada = "ada@example.com";
    let there = "ada@goettingen.example";
    assert_eq!(
        connections,
        [
            ("github", ada, false),
            ("gmail", ada, false),
            ("google_calendar", ada, false),
            ("google_tasks", ada, false),
            ("outlook_calendar", there, false),
            ("outlook_mail", there, false),
            ("slack", "example.com", false),
            ("zoom", ada, false)
        ]
    );
    let streams = list(&document["first_sync"]).iter();
    let streams: Vec<_> = streams
        .map(|stream| {
            (text(stream, "service"), text(stream, "title"), stream["report"]["upserted"].as_u64().unwrap())
        })
        .collect();
    #[rustfmt::skip]
    let expected = [
        ("github",           "ada/notes",            1),
        ("github",           "engines/mill",         8),
        ("github",           "engines/store",        2),
        ("github",           "Notifications",        3),
        ("gmail",            "Messages",             14),
        ("gmail",            "Labels",               15),
        ("google_calendar",  "Ada",                  11),
        ("google_calendar",  "Team",                 5),
        ("google_calendar",  "Tokyo office",         3),
        ("google_tasks",     "My tasks",             6),
        ("google_tasks",     "The review",           5),
        ("outlook_calendar", "University",           4),
        ("outlook_calendar", "Department",           1),
        ("outlook_mail",     "Inbox",                4),
        ("outlook_mail",     "Folders",              9),
        ("outlook_mail",     "Drafts",               0),
        ("outlook_mail",     "Sent Items",           1),
        ("outlook_mail",     "Deleted Items",        0),
        ("outlook_mail",     "Junk Email",           0),
        ("outlook_mail",     "Archive",              0),
        ("outlook_mail",     "Outbox",               0),
        ("outlook_mail",     "Conversation History", 0),
        ("outlook_mail",     "Students",             1),
        ("slack",            "Users",                8),
        ("slack",            "Channels",             7),
        ("slack",            "#general",             6),
        ("slack",            "#q4-review",           4),
        ("slack",            "#tokyo",               3),
        ("slack",            "#releases",            2),
        ("slack",            "#ten-years",           3),
        ("slack",            "Haruka Sato",          2),
        ("slack",            "Grace, Katherine",     1),
        ("zoom",             "Meetings",             6),
        ("zoom",             "Past meetings",        1),
    ];
    assert_eq!(streams, expected);
}

/// Exactly what happened, and nothing else, comes with the second sync.
fn follows_changes(document: &Value) {
    assert_eq!(list(&document["changes"]["told"]).len(), 21);
    let new = [
        // The issue, and the note that it is there.
        ("github", "The bell rings twice"),
        ("github", "Rebased. The carry is a turn ahead of itself now."),
        ("gmail", "Lunch today: alas, no"),
        ("outlook_calendar", "Exam questions, with Emmy"),
        ("outlook_mail", "Hall 2, because of the bees"),
        // It was held.
        ("zoom", "Ten minutes for the slides"),
        ("zoom", "The numbers, aloud"),
        ("google_calendar", "Tea with Emmy"),
        ("google_tasks", "An adapter for the blue room’s projector"),
        ("slack", "Room 4 has no projector. To the blue room!"),
        ("slack", "I could open, and you show the roadmap?"),
    ];
    assert_eq!(changes(document, "new"), new.into());
    let changed = [
        // It was commented on, and so is the note of it.
        ("github", "Carry ahead, not along"),
        ("github", "Oil for the third axis"),
        ("outlook_calendar", "Lecture: Engines and algebra"),
        // It counts its mails.
        ("outlook_mail", "Inbox"),
        ("outlook_mail", "Sheet 5, and a question"),
        ("gmail", "The numbers for the review"),
        ("gmail", "Ten things that borrow checkers taught us"),
        ("google_calendar", "Quarterly review"),
        ("google_tasks", "Send Katherine the January figures"),
        ("slack", "Handover Thursday: 17:00 JST, 9:00 CET"),
        // It counts its replies.
        ("slack", "You have Tuesday’s agenda. Who presents what?"),
    ];
    assert_eq!(changes(document, "changed"), changed.into());
    let gone = [("google_calendar", "Lunch with Charles"), ("outlook_calendar", "Office hour")];
    assert_eq!(changes(document, "gone"), gone.into());
}

fn shows_the_week(document: &Value) {
    let agenda = &document["agenda"];
    assert_eq!((&agenda["zone"], &agenda["failures"]), (&json!("Europe/Berlin"), &json!(0)));
    let review = find(&agenda["entries"], "title", "Quarterly review").unwrap();
    let expected = json!({
        "day": "2026-03-03", "time": "16:00–17:30", "title": "Quarterly review", "calendar": "Team",
        "place": "New York, the blue room", "kind": "event", "services": ["google_calendar"],
    });
    assert_eq!(*review, expected);
    let handout = find(&agenda["entries"], "title", "Print the handout, 12 copies").unwrap();
    assert_eq!(
        (text(handout, "day"), text(handout, "time"), text(handout, "kind")),
        ("2026-03-03", "due", "task")
    );
    for gone in
        ["Lunch with Charles", "Send Katherine the January figures", "Renew the passport", "Train to Hamburg"]
    {
        assert_eq!(find(&agenda["entries"], "title", gone), None);
    }
    // A series, one of its occurrences cancelled and one moved.
    let days = list(&agenda["entries"]).iter().filter(|entry| entry["title"] == "Stand-up");
    let days: Vec<_> = days.map(|entry| text(entry, "day")).collect();
    assert_eq!(days, ["2026-03-02", "2026-03-03", "2026-03-05"]);
    assert_eq!(find(&agenda["entries"], "title", "Stand-up, in the garden").unwrap()["time"], "11:00–11:15");
}

fn shows_the_inbox(document: &Value) {
    let inbox = &document["inbox"];
    assert_eq!((&inbox["unread"], &inbox["more"]), (&json!(7), &json!(true)));
    let lunch = thread(document, "Lunch today: alas, no").unwrap();
    assert_eq!((&lunch["service"], &lunch["unread"]), (&json!("gmail"), &json!(true)));
    assert_eq!(lunch["message"]["who"], "Charles Babbage");
    assert_eq!(thread(document, "The numbers for the review").unwrap()["unread"], false);
    assert_eq!(thread(document, "Re: Quarterly review: agenda, and one wish").unwrap()["others"], 1);
    // Archived, spam, thrown away, a draft.
    for hidden in [
        "Ten things that borrow checkers taught us",
        "You have WON a Difference Engine!!!",
        "Spare parts for engine no. 1",
        "Re: A symmetry that you may like",
    ] {
        assert_eq!(thread(document, hidden), None, "{hidden}");
    }

    let review = thread(document, "You have Tuesday’s agenda. Who presents what?").unwrap();
    assert_eq!((&review["place"], &review["unread"]), (&json!("#q4-review"), &Value::Null));
    let reply = list(&review["replies"]).last().unwrap();
    assert_eq!(text(reply, "who"), "Katherine Johnson");
    assert_eq!(text(reply, "text"), "I could open, and you show the roadmap?");
    assert_eq!(
        thread(document, "Handover Thursday: 17:00 JST, 9:00 CET").unwrap()["message"]["edited"],
        true
    );
    assert_eq!(
        thread(document, "@Ada Lovelace page 7 still shows last year.").unwrap()["place"],
        "#q4-review"
    );
    assert_eq!(thread(document, "It is in my bag already.").unwrap()["place"], "Haruka Sato");
    assert_eq!(
        thread(document, "Ten minutes at nine, for the slides?").unwrap()["place"],
        "Grace, Katherine"
    );

    // The latest of each conversation, with its replies, newest first.
    let latest = |thread: &Value| {
        let replies = list(&thread["replies"]).iter().map(|reply| text(reply, "at").to_owned());
        replies.chain([text(&thread["message"], "at").to_owned()]).max().unwrap()
    };
    let times: Vec<_> = list(&inbox["threads"]).iter().map(latest).collect();
    assert!(times.is_sorted_by(|one, next| one >= next), "{times:?}");
    // People and places have names.
    let shown = inbox.to_string();
    assert!(!["U0", "C0", "D0", "G0", "mpdm"].iter().any(|id| shown.contains(id)), "{shown}");
}

/// Meetings and mails that stand in two places, and people whom two services know.
fn shows_the_same_thing_once(document: &Value) {
    let week = list(&document["agenda"]["entries"]);
    let all = |title: &str| {
        let these = week.iter().filter(|entry| entry["title"] == title);
        these
            .map(|entry| (text(entry, "kind"), text(entry, "place"), entry["services"].clone()))
            .collect::<Vec<_>>()
    };
    let both = |one: &str, other: &str| json!([one, other]);
    let team = both("google_calendar", "zoom");
    assert_eq!(all("Dry run for the review"), [("event", "Zoom", team.clone())]);
    // A series in each.
    assert_eq!(all("Planning"), [("event", "Zoom", team)]);
    // Two titles and one address.
    assert_eq!(all("Seminar with Emmy"), [("event", "Zoom", both("outlook_calendar", "zoom"))]);
    assert_eq!(all("Seminar: Symmetries"), []);
    assert_eq!(all("Interview: a mathematician"), [("meeting", "Zoom", json!(["zoom"]))]);
    let calendars = both("outlook_calendar", "google_calendar");
    assert_eq!(all("Colloquium: Symmetries"), [("event", "Mathematical institute", calendars)]);
    let lecture = all("Lecture: Engines and algebra");
    assert_eq!(lecture, [("event", "hall 2", json!(["outlook_calendar"]))]);
    assert_eq!(all("Retrospective"), [], "it was held last week");

    let invitation = thread(document, "Colloquium on Thursday: symmetries").unwrap();
    let copies = BTreeSet::from([&invitation["service"], &invitation["also"][0]].map(Value::to_string));
    assert_eq!(copies, ["\"gmail\"", "\"outlook_mail\""].map(str::to_owned).into());
    let threads = list(&document["inbox"]["threads"]).iter();
    let invitations =
        threads.filter(|thread| thread["message"]["text"] == "Colloquium on Thursday: symmetries");
    assert_eq!(invitations.count(), 1);
    // Slack knows whose address it is.
    let guest = thread(document, "A guest lecture on churn?").unwrap();
    assert_eq!(guest["message"]["who"], "Katherine Johnson");
    let carry = thread(document, "Carry ahead, not along").unwrap();
    assert_eq!((&carry["place"], &carry["unread"]), (&json!("mill#2"), &json!(true)));
    assert_eq!(text(list(&carry["replies"]).last().unwrap(), "who"), "grace");
}

fn shows_what_is_to_do(document: &Value) {
    let tasks: Vec<_> = list(&document["work"]).iter().map(|task| text(task, "title")).collect();
    let expected = [
        "Renew the passport",
        "Water the fig tree",
        "Slides 4 to 9",
        "Page 7: this year’s numbers",
        "Redraw the churn chart",
        "Column 37 forgets its sign",
        "Tell the school who comes",
        "Print the handout, 12 copies",
        "Pack for Hamburg",
        "Carry ahead, not along",
        "Tables without margins",
        "The mill stops at zero",
        "Note G: the numbers of Bernoulli",
        "The bell rings twice",
        "Give Emmy her book back",
        "An adapter for the blue room’s projector",
    ];
    assert_eq!(tasks, expected);
    assert_eq!(document["work"][3]["part"], true);
    let one = |title| {
        let one = find(&document["work"], "title", title).unwrap();
        (text(one, "kind"), text(one, "list"), &one["state"], &one["checks"])
    };
    let (asked, wanted) = (json!(["your review", "approved"]), json!(["changes asked for"]));
    let (passed, failed) = (json!("success"), json!("failure"));
    assert_eq!(one("Carry ahead, not along"), ("review", "engines/mill#2", &asked, &passed));
    assert_eq!(one("Tables without margins"), ("pull_request", "engines/mill#4", &wanted, &failed));
    let due = find(&document["work"], "title", "Column 37 forgets its sign").unwrap();
    assert_eq!((text(due, "kind"), text(due, "due")), ("issue", "2026-03-03"));
}

/// The second run lists nothing that has a mark, and reads what the next chapter brings.
fn goes_on(document: &Value) {
    assert!(list(&document["connections"]).iter().all(|connection| connection["known"] == true));
    for stream in list(&document["first_sync"]) {
        let (report, title) = (&stream["report"], text(stream, "title"));
        let listed = ["Labels", "Folders", "Users", "Channels"].contains(&title);
        assert_eq!(text(report, "started_in"), if listed { "listed" } else { "tracking" }, "{title}");
        // GitHub is asked for what was updated in the last moments, once more.
        let overlaps = text(stream, "service") == "github";
        assert!(listed || overlaps || report["upserted"] == 0, "{title}: {report}");
        assert_eq!(report["deleted"], 0, "{title}");
    }
    assert_eq!(document["found"], json!({"new": 0, "changed": 0, "gone": 0}));
    let new = [
        ("github", "I have put my ear to it. It is faster."),
        ("github", "Zero has two signs"),
        ("gmail", "The blue room is being painted. Blue"),
        ("outlook_calendar", "Sheet 5, with Sofja"),
        ("outlook_mail", "Both solutions"),
        ("zoom", "A look at the garden"),
        ("zoom", "The numbers, aloud"),
        ("google_calendar", "A call with Katherine"),
        ("google_tasks", "A stand for the handout"),
        ("slack", "The cherry tree has its first blossom."),
        ("slack", "Katherine, then Ada. I hold the clock."),
    ];
    assert_eq!(changes(document, "new"), new.into());
    let gone = [("google_calendar", "Tea with Emmy"), ("outlook_calendar", "Exam questions, with Emmy")];
    assert_eq!(changes(document, "gone"), gone.into());
    assert_eq!(changes(document, "changed").len(), 11);
    let review = find(&document["agenda"]["entries"], "title", "Quarterly review").unwrap();
    assert_eq!(review["place"], "New York, the library");
    assert_eq!(thread(document, "Lunch today: alas, no").unwrap()["unread"], false);
    assert!(thread(document, "The numbers for the review").is_none(), "it was archived");
    let corrected = thread(document, "Room 4 has no projector. To the library!").unwrap();
    assert_eq!(corrected["message"]["edited"], true);
}
