//! What is said in the workspace of Ada's company?

use integrations_testkit::slack::{ChannelSpec, FakeSlack};
use serde_json::{Value, json};

use super::chapters::{Post, Threads};
use super::clock::StoryClock;
use super::{ADA_AT_SLACK, CHARLES, GRACE, HARUKA, KATHERINE, at};

pub(super) const DEPLOYS: &str = "U0DEPLOYS";

pub(super) const GENERAL: &str = "C0GENERAL";
pub(super) const REVIEW: &str = "C0REVIEW";
pub(super) const TOKYO: &str = "C0TOKYO";
const RELEASES: &str = "C0RELEASES";
const PARTY: &str = "C0PARTY";
const WITH_HARUKA: &str = "D0HARUKA";
const WITH_GRACE_AND_KATHERINE: &str = "G0REVIEW";

/// Whether a message begins something, or answers what was last begun in its channel.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Reply,
}
use Place::{Reply, Top};

/// The channel, the day and the time in Berlin, who speaks, where, and what they say.
type Row = (&'static str, i64, (i64, i64), &'static str, Place, &'static str);

const ADA: &str = ADA_AT_SLACK;

#[rustfmt::skip]
const ROWS: &[Row] = &[
    (GENERAL, -3, (17, 30), GRACE.id,     Top,   "Thank you for this quarter, all of you. Have a good weekend, and please do not read Slack."),
    (GENERAL, -3, (17, 34), CHARLES.id,   Reply, "I have read this on paper."),
    (GENERAL,  0, ( 8,  2), KATHERINE.id, Top,   "Who has put an engine into the coffee corner?"),
    (GENERAL,  0, ( 8,  6), CHARLES.id,   Reply, "It is only there until it has finished."),
    (GENERAL,  0, ( 8,  9), ADA,          Reply, "When will that be?"),
    (GENERAL,  0, ( 8, 11), CHARLES.id,   Reply, "It is computing that, too."),

    (REVIEW,  -3, (14, 20), GRACE.id,     Top,   "You have Tuesday’s agenda. Who presents what?"),
    (REVIEW,  -3, (14, 31), KATHERINE.id, Reply, "Revenue and churn are mine."),
    (REVIEW,  -3, (14, 40), ADA,          Reply, "And I take the roadmap: slides 4 to 9."),

    (TOKYO,   -3, (10,  5), ADA,          Top,   "Is Thursday still good for the handover?"),
    (TOKYO,   -3, (10, 52), HARUKA.id,    Reply, "Yes! I have booked the long table."),
    (TOKYO,    0, ( 7, 20), HARUKA.id,    Top,   "Handover Thursday: 17:00 JST, 10:00 CET"),

    (RELEASES, -4, (11, 15), DEPLOYS,     Top,   "sync 2.4.0 is live, after 41 s"),
    (RELEASES, -3, (12,  1), DEPLOYS,     Top,   "sync 2.4.1 is live, after 38 s"),

    (PARTY,   -1, (19,  0), KATHERINE.id, Top,   "Charles has his ten years with us on Friday. Cake?"),
    (PARTY,   -1, (19, 12), GRACE.id,     Reply, "Cake. I bring it on the plane if I must."),
    (PARTY,   -1, (19, 30), ADA,          Reply, "I have the candles: 1010, in binary."),

    (WITH_HARUKA, 0, (7, 24), HARUKA.id,  Top,   "Could you bring the blue notebook on Thursday?"),
    (WITH_HARUKA, 0, (8, 15), ADA,        Top,   "It is in my bag already."),

    (WITH_GRACE_AND_KATHERINE, 0, (8, 20), GRACE.id, Top, "Ten minutes at nine, for the slides?"),
];

pub(super) fn channels() -> Vec<ChannelSpec> {
    let all = [GRACE.id, KATHERINE.id, CHARLES.id, HARUKA.id];
    let public = |id: &str, name: &str| ChannelSpec::public(name).id(id).members(&all);
    vec![
        public(GENERAL, "general").general().topic("Kindness, and what everybody should know"),
        public(REVIEW, "q4-review").topic("Tuesday, 16:00 in Berlin, 10:00 in New York"),
        public(TOKYO, "tokyo"),
        public(RELEASES, "releases").members(&[DEPLOYS]),
        ChannelSpec::private("ten-years").id(PARTY).members(&[KATHERINE.id]),
        ChannelSpec::im(HARUKA.id).id(WITH_HARUKA),
        ChannelSpec::mpim(&[GRACE.id, KATHERINE.id]).id(WITH_GRACE_AND_KATHERINE),
    ]
}

/// A message in which somebody is mentioned, as Slack's own programs write it.
fn calling(somebody: &str, rest: &str) -> Value {
    let elements = json!([{"type": "user", "user_id": somebody}, {"type": "text", "text": rest}]);
    let section = json!({"type": "rich_text_section", "elements": elements});
    json!({"text": format!("<@{somebody}>{rest}"), "blocks": [{"type": "rich_text", "block_id": "b1", "elements": [section]}]})
}

/// What was said before anybody looks.
pub(super) fn fill(slack: &FakeSlack, clock: &StoryClock, threads: &mut Threads) {
    let mut last = String::new();
    for &(channel, day, (hour, minute), user, place, text) in ROWS {
        clock.stand_at(at(day, hour, minute));
        let message = json!({"user": user, "text": text});
        if place == Reply {
            slack.reply(channel, &last, message);
            continue;
        }
        last = slack.post(channel, message);
        match (channel, day) {
            (REVIEW, _) => threads.review.clone_from(&last),
            (TOKYO, 0) => {
                let better = "Handover Thursday: 17:00 JST, 9:00 CET";
                threads.posts = vec![Post { channel, ts: last.clone(), who: HARUKA.name, better }];
            }
            (GENERAL, 0) => slack.react(channel, &last, "coffee", GRACE.id),
            _ => {}
        }
    }
    clock.stand_at(at(0, 8, 12));
    let mut message = calling(ADA_AT_SLACK, " page 7 still shows last year.");
    message["user"] = json!(KATHERINE.id);
    slack.post(REVIEW, message);
}
