//! What does message number `i` of a generated channel look like?
//!
//! A message and the replies of its thread are a pure function of the seed, the channel, the fake's start
//! and the index, so a million of them cost no memory. They are written straight into the answer as JSON
//! text. Each message has a slot of time that its thread stays in: the `ts` of anything tells its index.

mod body;
mod place;
mod words;

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

pub(super) use self::place::Place;
pub(super) use self::words::PEOPLE;

use self::body::{put_attachments, put_blocks, put_files, put_reactions, put_text};
use self::place::Slots;
use self::words::{BOT_TEXTS, BOTS};
use super::ids::{made_up, uuid};
use super::ts::Ts;
use crate::random::{Draw, hash_text, mix};

/// Generated messages lie in this span before the fake's start, in the order of their index.
const SPAN: TimeDelta = TimeDelta::days(400);
/// What lies between the last of them and the start, so that an edit is not later than the start.
const REST: TimeDelta = TimeDelta::days(1);

macro_rules! put {
    ($out:expr, $($part:expr),+ $(,)?) => {{ $($out.extend_from_slice(AsRef::<[u8]>::as_ref(&$part));)+ }};
}
use put;

/// Before any generated message.
pub(super) fn dawn(start: DateTime<Utc>) -> DateTime<Utc> {
    start - SPAN - REST
}

/// Who writes in a channel, and where it is.
#[derive(Debug, Clone)]
pub(super) struct Scene {
    pub(super) team: String,
    /// The workspace's host name, such as `example.slack.com`.
    pub(super) host: String,
    pub(super) channel: String,
    /// Ids of users; at least one.
    pub(super) authors: Arc<[String]>,
    /// Whether it is a direct conversation, which nobody joins.
    pub(super) direct: bool,
}

/// Writes the messages of one channel.
#[derive(Debug)]
pub(super) struct Generator {
    slots: Slots,
    scene: Scene,
}

/// What sort of message stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    Join,
    /// A bot's, without a user.
    Bot,
    /// An app's, with its bot as the user.
    App,
    User,
}

impl Sort {
    fn draw(draw: &mut Draw, direct: bool) -> Self {
        match draw.below(100) {
            0 if !direct => Self::Join,
            1..5 => Self::Bot,
            5..8 => Self::App,
            _ => Self::User,
        }
    }
}

impl Generator {
    pub(super) fn new(seed: u64, count: u64, start: DateTime<Utc>, scene: Scene) -> Self {
        let key = mix(seed ^ hash_text(&scene.channel));
        Self { slots: Slots::new(key, count, Ts::of(dawn(start)), SPAN, scene.direct), scene }
    }

    /// What is generated at a `ts`.
    pub(super) fn find(&self, ts: Ts) -> Option<Place> {
        self.slots.find(ts)
    }

    /// What stands in the history, down from a `ts`.
    pub(super) fn history(&self, from: Ts) -> impl Iterator<Item = Ts> + '_ {
        self.slots.history(from)
    }

    fn author(&self, draw: &mut Draw) -> &str {
        draw.pick::<String>(&self.scene.authors)
    }

    /// Appends what stands at a place as JSON.
    pub(super) fn write(&self, place: &Place, out: &mut Vec<u8>) {
        match place.reply() {
            None => self.put_message(place, out),
            Some(reply) => self.put_reply(place, reply, out),
        }
    }

    fn put_message(&self, place: &Place, out: &mut Vec<u8>) {
        let mut draw = place.draw(None);
        let author = self.author(&mut draw);
        let ts = place.message();
        match Sort::draw(&mut draw, self.scene.direct) {
            Sort::Join => {
                put!(out, r#"{"type":"message","subtype":"channel_join","ts":""#, ts.text());
                put!(out, r#"","user":""#, author, r#"","text":"<@"#, author);
                put!(out, r#"> has joined the channel"}"#);
                return;
            }
            Sort::Bot => {
                let bot = draw.pick(BOTS);
                put!(out, r#"{"subtype":"bot_message","text":""#, draw.pick(BOT_TEXTS));
                put!(out, r#"","username":""#, bot.name, r#"","icons":{"emoji":""#, bot.emoji, r#""}"#);
                put!(out, r#","type":"message","ts":""#, ts.text(), r#"","bot_id":""#);
                put!(out, bot_id(&self.scene.team, bot.name), "\"");
                put_attachments(out, &mut draw);
            }
            Sort::App => {
                let bot = draw.pick(BOTS);
                let id = bot_id(&self.scene.team, bot.name);
                put!(out, r#"{"bot_id":""#, id, r#"","type":"message","text":""#, draw.pick(BOT_TEXTS));
                put!(out, r#"","user":""#, bot_user(&self.scene.team, bot.name), r#"","ts":""#, ts.text());
                put!(out, r#"","app_id":"A0DEPL0Y123","team":""#, self.scene.team);
                put!(out, r#"","bot_profile":{"id":""#, id, r#"","deleted":false,"name":""#, bot.name);
                put!(out, r#"","updated":1700000000,"app_id":"A0DEPL0Y123","icons":{"image_36":"#);
                put!(out, r#""https://a.slack-edge.com/80588/img/plugins/app/bot_36.png"},"team_id":""#);
                put!(out, self.scene.team, r#""}"#);
                put_attachments(out, &mut draw);
            }
            Sort::User => {
                self.put_said(out, &mut draw, author, ts);
                put_files(out, &mut draw, &self.scene, author, ts);
            }
        }
        self.put_thread(place, out);
        put_reactions(out, &mut draw, &self.scene.authors);
        put!(out, "}");
    }

    /// What a user said, without the brace at its end.
    fn put_said(&self, out: &mut Vec<u8>, draw: &mut Draw, author: &str, ts: Ts) {
        let edited = draw.percent(3);
        put!(out, r#"{"user":""#, author, r#"","type":"message","ts":""#, ts.text());
        put!(out, r#"","client_msg_id":""#, uuid(mix(ts.0)), r#"","text":""#);
        put_text(out, &mut draw.clone(), &self.scene);
        put!(out, r#"","team":""#, self.scene.team, "\"");
        if edited {
            let later = Ts((ts.seconds() + 61) * 1_000_000);
            put!(out, r#","edited":{"user":""#, author, r#"","ts":""#, later.text(), r#""}"#);
        }
        put!(out, r#","blocks":["#);
        put_blocks(out, draw, &self.scene);
        put!(out, "]");
    }

    fn put_thread(&self, place: &Place, out: &mut Vec<u8>) {
        let Some(latest) = place.replies().last() else { return };
        let mut users: Vec<&str> = Vec::new();
        let mut count = 0_u8;
        for reply in 0..place.reply_count() {
            count += 1;
            let user = self.author(&mut place.draw(Some(reply)));
            if !users.contains(&user) {
                users.push(user);
            }
        }
        put!(out, r#","thread_ts":""#, place.message().text(), r#"","reply_count":"#, [b'0' + count]);
        let users_count = u8::try_from(users.len()).unwrap_or(0);
        put!(out, r#","reply_users_count":"#, [b'0' + users_count], r#","latest_reply":""#, latest.text());
        put!(out, r#"","reply_users":["#);
        for (index, user) in users.iter().enumerate() {
            put!(out, if index == 0 { "\"" } else { ",\"" }, user, "\"");
        }
        put!(out, r#"],"is_locked":false,"subscribed":false"#);
    }

    fn put_reply(&self, place: &Place, reply: u8, out: &mut Vec<u8>) {
        let mut draw = place.draw(Some(reply));
        let author = self.author(&mut draw);
        self.put_said(out, &mut draw, author, place.ts());
        put!(out, r#","thread_ts":""#, place.message().text(), "\"");
        let mut parent = place.draw(None);
        let parent_author = self.author(&mut parent);
        match Sort::draw(&mut parent, self.scene.direct) {
            Sort::User | Sort::Join => put!(out, r#","parent_user_id":""#, parent_author, "\""),
            Sort::App => {
                let user = bot_user(&self.scene.team, parent.pick(BOTS).name);
                put!(out, r#","parent_user_id":""#, user, "\"");
            }
            Sort::Bot => {}
        }
        if place.is_broadcast() {
            put!(out, r#","subtype":"thread_broadcast","root":"#);
            self.put_message(&place.parent_place(), out);
        }
        put_reactions(out, &mut draw, &self.scene.authors);
        put!(out, "}");
    }
}

/// The id of a bot that writes generated messages.
pub(super) fn bot_id(team: &str, name: &str) -> [u8; 11] {
    made_up(b'B', hash_text(team) ^ hash_text(name))
}

/// The user that stands for such a bot.
pub(super) fn bot_user(team: &str, name: &str) -> [u8; 11] {
    made_up(b'U', hash_text(team) ^ hash_text(name))
}

/// The names of those bots.
pub(super) fn bots() -> impl Iterator<Item = &'static str> {
    BOTS.iter().map(|bot| bot.name)
}
