//! What is somebody or something called that a record names by its id?

use std::collections::HashMap;

use integrations_core::connection::ConnectionId;
use integrations_core::model::identity;
use integrations_core::model::{Channel, ChannelKind, Message, Person, PersonRef, RecordKind};
use integrations_core::{Connection, Result};
use integrations_stores::SqliteStore;
use integrations_stores::sqlite::RecordQuery;

type Key = (ConnectionId, String);

/// The people and the channels that the user's accounts know.
#[derive(Default)]
pub(crate) struct Names {
    people: HashMap<Key, String>,
    by_login: HashMap<Key, String>,
    /// Somebody whom one account knows by their address is known to all.
    by_address: HashMap<String, String>,
    channels: HashMap<Key, Channel>,
    /// The user's own id in each directory.
    own: HashMap<ConnectionId, String>,
}

impl Names {
    pub(crate) async fn read(store: &SqliteStore, connections: &[&Connection]) -> Result<Self> {
        let mut names = Self::default();
        for connection in connections {
            // In a workspace somebody is known by its id and their own.
            let own = connection.account.id.as_str().rsplit(':').next().unwrap_or_default();
            names.own.insert(connection.id.clone(), own.to_owned());
            let of = |kind| RecordQuery::new().connection(&connection.id).kind(kind);
            for record in store.records(&of(RecordKind::Person)).await? {
                if let Some(person) = record.entity.as_person() {
                    names.add(&connection.id, person);
                }
            }
            for record in store.records(&of(RecordKind::Channel)).await? {
                if let Some(channel) = record.entity.as_channel() {
                    names.channels.insert((connection.id.clone(), channel.id.clone()), channel.clone());
                }
            }
        }
        Ok(names)
    }

    fn add(&mut self, connection: &ConnectionId, person: &Person) {
        let name = person.name.as_ref().or(person.full_name.as_ref()).unwrap_or(&person.id);
        self.people.insert((connection.clone(), person.id.clone()), name.clone());
        if let Some(address) = &person.email {
            self.by_address.insert(identity::address(address).into_owned(), name.clone());
        }
        if let Some(login) = &person.login {
            self.by_login.insert((connection.clone(), login.clone()), name.clone());
        }
    }

    /// Who wrote something.
    pub(crate) fn person(&self, connection: &ConnectionId, person: &PersonRef) -> String {
        let known = person.id.as_ref().and_then(|id| self.people.get(&(connection.clone(), id.clone())));
        // Programs that know no name write the address in its place.
        let is_address = |name: &String| Some(name) == person.email.as_ref();
        let known = known.or_else(|| {
            let nameless = person.name.as_ref().is_none_or(is_address);
            self.by_address.get(&*person.address()?).filter(|_| nameless)
        });
        // A program may write under a name of its own.
        let said = person.name.as_ref();
        let (first, second) = if person.is_bot { (said, known) } else { (known, said) };
        first.or(second).or(person.email.as_ref()).map_or_else(|| "Somebody".to_owned(), Clone::clone)
    }

    /// Where something was said: `#general`, or with whom.
    pub(crate) fn place(&self, connection: &ConnectionId, channel: &str) -> Option<String> {
        let channel = self.channels.get(&(connection.clone(), channel.to_owned()))?;
        let name = channel.name.as_deref();
        Some(match channel.kind {
            ChannelKind::Direct => self.person(connection, channel.with.as_ref()?),
            ChannelKind::Group => self.members(connection, name?),
            ChannelKind::Folder | ChannelKind::Label => name?.to_owned(),
            _ => format!("#{}", name?),
        })
    }

    /// Slack calls a conversation of several `mpdm-ada--grace--katherine-1`.
    fn members(&self, connection: &ConnectionId, name: &str) -> String {
        let logins = name.strip_prefix("mpdm-").and_then(|name| name.rsplit_once('-'));
        let Some((logins, _)) = logins else { return name.to_owned() };
        let own = self.own.get(connection).and_then(|id| self.people.get(&(connection.clone(), id.clone())));
        let key = |login: &str| (connection.clone(), login.to_owned());
        let all =
            logins.split("--").map(|login| self.by_login.get(&key(login)).map_or(login, String::as_str));
        // A group goes by its members' first names.
        let others = all.filter(|name| own.is_none_or(|own| own != name));
        others.map(|name| name.split(' ').next().unwrap_or(name)).collect::<Vec<_>>().join(", ")
    }

    /// The first line of a message, with names where it has ids.
    pub(crate) fn line(&self, connection: &ConnectionId, message: &Message) -> String {
        let file = || message.attachments.first().map(|file| file.title.as_deref().unwrap_or("(a file)"));
        let mut line = message.title().or_else(file).unwrap_or("(no text)").trim().to_owned();
        for mentioned in &message.mentions {
            if let Some(id) = &mentioned.id {
                line = line.replace(&format!("@{id}"), &format!("@{}", self.person(connection, mentioned)));
            }
        }
        if line.contains('#') {
            for (_, id) in self.channels.keys().filter(|(known, _)| known == connection) {
                if let Some(place) = self.place(connection, id) {
                    line = line.replace(&format!("#{id}"), &place);
                }
            }
        }
        line
    }
}
