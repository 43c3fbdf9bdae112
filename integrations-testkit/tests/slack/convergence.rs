//! Whatever people do in a channel, history, threads and the handle tell the same.

use integrations_testkit::slack::FakeSlack;
use serde_json::{Value, json};

use super::*;

/// A small generator: the order of acts must be the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % sides
    }
}

fn act(fake: &FakeSlack, dice: &mut Dice) {
    let top = fake.history(CHANNEL);
    let message = |ts: &str| fake.message(CHANNEL, ts).unwrap();
    let picked = top.get(dice.roll(top.len().max(1))).cloned();
    let Some(ts) = picked else {
        fake.post(CHANNEL, json!({"text": "first"}));
        return;
    };
    let subtype = message(&ts)["subtype"].as_str().unwrap_or_default().to_owned();
    let replies = fake.thread(CHANNEL, &ts);
    let text = json!({"text": dice.roll(1_000).to_string(), "user": format!("U{}", dice.roll(4))});
    match dice.roll(9) {
        0 | 1 => drop(fake.post(CHANNEL, text)),
        2 | 3 if !["channel_join", "thread_broadcast"].contains(&subtype.as_str()) => {
            fake.reply(CHANNEL, &ts, text);
        }
        4 if !["channel_join", "thread_broadcast"].contains(&subtype.as_str()) => {
            let mut text = text;
            text["reply_broadcast"] = json!(true);
            fake.reply(CHANNEL, &ts, text);
        }
        5 if subtype != "tombstone" => fake.edit(CHANNEL, &ts, json!({"text": "edited"})),
        6 if subtype != "tombstone" => fake.delete(CHANNEL, &ts),
        7 if !replies.is_empty() => fake.delete(CHANNEL, &replies[dice.roll(replies.len())]),
        8 if !replies.is_empty() => {
            fake.edit(CHANNEL, &replies[dice.roll(replies.len())], json!({"text": "!"}));
        }
        _ => {}
    }
}

fn reads_as(fake: &FakeSlack, message: &Value) {
    let ts = message["ts"].as_str().unwrap();
    assert_eq!(fake.message(CHANNEL, ts).as_ref(), Some(message));
}

#[tokio::test]
async fn history_and_threads_show_what_there_is() {
    for seed in 0..5 {
        let generated = [0, 12][usize::from(seed % 2 == 0)];
        let fake =
            builder(&clock()).channel(general().generated(generated)).empty_pages(seed == 4).start().await;
        let mut dice = Dice(seed);
        for round in 0..6 {
            for _ in 0..25 {
                act(&fake, &mut dice);
            }
            let limit = (1 + dice.roll(6)).to_string();
            let top = history(&fake, CHANNEL, &[("limit", &limit)]).await;
            assert_eq!(all(&top, "ts"), fake.history(CHANNEL), "seed {seed}, round {round}");
            let mut replies = 0;
            let mut shown = 0;
            for message in &top {
                reads_as(&fake, message);
                if message["subtype"] == "thread_broadcast" {
                    let parent = message["thread_ts"].as_str().unwrap();
                    assert_eq!(fake.message(CHANNEL, parent).as_ref(), message.get("root"));
                    continue;
                }
                shown += 1;
                if message["subtype"] == "channel_join" {
                    continue;
                }
                let ts = message["ts"].as_str().unwrap();
                let (parent, listed) = thread(&fake, CHANNEL, ts, &[("limit", &limit)]).await;
                assert_eq!(&parent, message);
                assert_eq!(all(&listed, "ts"), fake.thread(CHANNEL, ts));
                assert_eq!(message["reply_count"].as_u64().unwrap_or(0), listed.len() as u64);
                assert_eq!(
                    message["latest_reply"],
                    listed.last().map_or(Value::Null, |last| last["ts"].clone())
                );
                for reply in &listed {
                    reads_as(&fake, reply);
                }
                replies += listed.len() as u64;
            }
            assert_eq!(fake.message_count(CHANNEL), shown + replies);
        }
    }
}
