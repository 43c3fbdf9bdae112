//! What is in the workspace?
//!
//! Channels keep their place in the order in which they came, also when one is removed, so that a listing
//! can be taken up at any of them.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};

use super::channel::{Channel, Kind, Note};
use super::generate::{self, Generator, PEOPLE, Scene};
use super::ids::made_up_text;
use super::roster::Roster;
use super::spec::{ChannelSpec, UserSpec};
use super::timeline::Timeline;
use crate::random::{Draw, hash_text, mix};

/// Names of generated channels.
const TOPICS: &[&str] = &["apollo", "billing", "café", "design", "incidents", "mobile", "営業", "random"];

#[derive(Debug)]
enum Seat {
    Channel(Box<Channel>),
    /// Text of the test, served as it is.
    Raw(String),
    Removed,
}

/// What a listing shows at a place.
#[derive(Debug, Clone, Copy)]
pub(super) enum Listed<'a> {
    Channel(&'a Channel),
    Raw(&'a str),
}

/// What does not change while a fake runs.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) seed: u64,
    pub(super) start: DateTime<Utc>,
    pub(super) team: String,
    pub(super) host: String,
    /// Those who use the app: the accounts, and at last the bot.
    pub(super) app: Vec<String>,
}

/// The channels and the users.
#[derive(Debug)]
pub(super) struct Workspace {
    pub(super) ground: Ground,
    pub(super) roster: Roster,
    seats: Vec<Seat>,
    by_id: HashMap<String, usize>,
    /// Who writes in generated channels, once there are any.
    cast: Option<Arc<[String]>>,
}

impl Workspace {
    pub(super) fn new(ground: Ground, roster: Roster) -> Self {
        Self { ground, roster, seats: Vec::new(), by_id: HashMap::new(), cast: None }
    }

    pub(super) fn channel(&self, id: &str) -> Option<&Channel> {
        match self.seats.get(*self.by_id.get(id)?)? {
            Seat::Channel(channel) => Some(channel),
            _ => None,
        }
    }

    pub(super) fn channel_mut(&mut self, id: &str) -> Option<&mut Channel> {
        match self.seats.get_mut(*self.by_id.get(id)?)? {
            Seat::Channel(channel) => Some(channel),
            _ => None,
        }
    }

    /// Whatever is listed, from a place on.
    pub(super) fn listed(&self, from: u64) -> impl Iterator<Item = (u64, Listed<'_>)> {
        let from = usize::try_from(from).unwrap_or(usize::MAX).min(self.seats.len());
        self.seats[from..].iter().zip(from as u64..).filter_map(|(seat, place)| match seat {
            Seat::Channel(channel) => Some((place, Listed::Channel(channel))),
            Seat::Raw(text) => Some((place, Listed::Raw(text))),
            Seat::Removed => None,
        })
    }

    pub(super) fn raw(&mut self, text: &str) {
        self.seats.push(Seat::Raw(text.to_owned()));
    }

    pub(super) fn remove(&mut self, id: &str) -> bool {
        let seat = self.by_id.remove(id);
        seat.map(|seat| self.seats[seat] = Seat::Removed).is_some()
    }

    pub(super) fn add_user(&mut self, spec: UserSpec, now: DateTime<Utc>) -> String {
        self.roster.add(spec, &self.ground.team, self.ground.seed, now)
    }

    /// Adds a channel; returns its id.
    pub(super) fn add_channel(&mut self, spec: ChannelSpec, now: DateTime<Utc>) -> String {
        let unnamed = spec.kind.is_direct().then(|| spec.members.join(" "));
        let key = mix(self.ground.seed) ^ hash_text(spec.kind.type_name());
        let made_up = hash_text(unnamed.as_ref().unwrap_or(&spec.name)) ^ key;
        let id = spec.id.clone().unwrap_or_else(|| made_up_text(spec.kind.letter(), made_up));
        assert!(!self.by_id.contains_key(&id), "there is a channel {:?} already: {id}", spec.name);
        let peer = (spec.kind == Kind::Im).then(|| spec.members[0].clone());
        let unknown = spec.members.iter().find(|member| !self.roster.contains(member));
        assert!(unknown.is_none(), "no user {unknown:?} in this workspace: add the user before the channel");

        let dawn = generate::dawn(self.ground.start);
        let created = if spec.generated > 0 { dawn } else { now };
        let creator = spec.creator.unwrap_or_else(|| self.ground.app[0].clone());
        let scene = Scene {
            team: self.ground.team.clone(),
            host: self.ground.host.clone(),
            channel: id.clone(),
            authors: self.authors(&spec.members, spec.kind, spec.generated, now),
            direct: spec.kind.is_direct(),
        };
        let generator = Generator::new(self.ground.seed, spec.generated, self.ground.start, scene);
        let name = if spec.kind == Kind::Mpim { self.group_name(&spec.members) } else { spec.name };
        let mut channel = Channel::new(
            id.clone(),
            spec.kind,
            name,
            creator.clone(),
            spec.created.unwrap_or(created.timestamp()),
            Timeline::new(generator),
        );
        channel.topic = Note::new(&spec.topic, &creator, created);
        channel.purpose = Note::new(&spec.purpose, &creator, created);
        channel.archived = spec.archived;
        channel.general = spec.general;
        channel.ext_shared = spec.ext_shared;
        channel.peer = peer;
        let app = self.ground.app.iter().filter(|_| spec.joined);
        for member in app.chain(&spec.members) {
            channel.join(member);
        }
        self.by_id.insert(id.clone(), self.seats.len());
        self.seats.push(Seat::Channel(Box::new(channel)));
        id
    }

    /// How Slack names a conversation of several.
    fn group_name(&self, members: &[String]) -> String {
        let all = self.ground.app.iter().take(1).chain(members);
        let names: Vec<_> = all.map(|member| self.roster.name(member)).collect();
        format!("mpdm-{}-1", names.join("--"))
    }

    /// Who writes the generated messages of a channel: in a direct conversation those who are in it.
    fn authors(
        &mut self,
        members: &[String],
        kind: Kind,
        generated: u64,
        now: DateTime<Utc>,
    ) -> Arc<[String]> {
        if generated == 0 {
            return Arc::from([]);
        }
        if kind.is_direct() {
            return self.ground.app.iter().take(1).chain(members).cloned().collect();
        }
        self.cast(now)
    }

    /// The people who write in generated channels; their bots come with them.
    pub(super) fn cast(&mut self, now: DateTime<Utc>) -> Arc<[String]> {
        if let Some(cast) = &self.cast {
            return Arc::clone(cast);
        }
        let cast: Arc<[String]> = (0..PEOPLE.len()).map(|number| self.add_person(number, now)).collect();
        for name in generate::bots() {
            let text = |id: [u8; 11]| id.iter().map(|&byte| char::from(byte)).collect::<String>();
            let user = text(generate::bot_user(&self.ground.team, name));
            let bot = text(generate::bot_id(&self.ground.team, name));
            self.add_user(UserSpec::new(name).id(&user).bot_with_id(&bot), now);
        }
        self.cast = Some(Arc::clone(&cast));
        cast
    }

    /// Adds the made-up person of this number: the first ones are the cast, the others are numbered, with a
    /// guest and a deactivated account among them now and then.
    pub(super) fn add_person(&mut self, number: usize, now: DateTime<Utc>) -> String {
        let [name, real_name, display_name, title, zone] = PEOPLE[number % PEOPLE.len()];
        let round = number / PEOPLE.len();
        let numbered = |text: &str, space: &str| match (text, round) {
            ("", _) | (_, 0) => text.to_owned(),
            _ => format!("{text}{space}{round}"),
        };
        let mut spec = UserSpec::new(&numbered(name, ""))
            .real_name(&numbered(real_name, " "))
            .display_name(&numbered(display_name, " "))
            .title(title)
            .time_zone(zone);
        if round > 0 {
            match number % 25 {
                3 => spec = spec.deactivated(),
                7 => spec = spec.restricted(),
                11 => spec = spec.ultra_restricted(),
                19 => spec = spec.status("On holiday", ":palm_tree:"),
                _ => {}
            }
        }
        self.add_user(spec, now)
    }

    /// Adds so many made-up channels with so many messages each. Of 25, one is a direct conversation, one
    /// is one of several, three are private, and one of the public ones is archived.
    pub(super) fn add_generated(&mut self, channels: u64, messages: u64, now: DateTime<Utc>) {
        let cast = self.cast(now);
        let (mut direct, mut groups) = (0_usize, 0_usize);
        for number in 0..channels {
            let mut draw = Draw::new(mix(self.ground.seed ^ number));
            let name = format!("{}-{number}", draw.pick(TOPICS));
            let purpose = format!("Everything about {name}");
            let mut spec = match number % 25 {
                24 if direct < cast.len() => {
                    direct += 1;
                    ChannelSpec::im(&cast[direct - 1])
                }
                23 => {
                    // Each group is another one: two of the cast, further and further apart.
                    groups += 1;
                    let (first, apart) = (groups % cast.len(), 1 + groups / cast.len());
                    match cast.get((first + apart) % cast.len()).filter(|_| apart < cast.len() / 2) {
                        Some(second) => ChannelSpec::mpim(&[&cast[first], second]),
                        None => ChannelSpec::private(&name),
                    }
                }
                20 => ChannelSpec::private(&name).id(&made_up_text(b'C', draw.next())),
                21 | 22 => ChannelSpec::private(&name).topic("Only for us"),
                7 => ChannelSpec::public(&name).purpose(&purpose).archived(),
                _ => ChannelSpec::public(&name).purpose(&purpose),
            };
            if !spec.kind.is_direct() {
                let others = &cast[..2 + draw.below(6) as usize];
                spec.members.extend(others.iter().cloned());
            }
            self.add_channel(spec.generated(messages), now);
        }
    }
}
