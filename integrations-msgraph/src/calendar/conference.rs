//! How is an event of Outlook's joined on line?

use integrations_core::model::{Conference, ConferenceEntry};

use super::wire::{WireEvent, WireMeeting};

/// `(Graph's word, the name that people know)`.
const PROVIDERS: &[(&str, &str)] = &[
    ("teamsForBusiness", "Microsoft Teams"),
    ("skypeForBusiness", "Skype for Business"),
    ("skypeForConsumer", "Skype"),
];

/// The meeting of an event. Where there is just an address, as Skype's was given, that is it.
pub(super) fn conference(wire: &mut WireEvent) -> Option<Conference> {
    let address = wire.online_meeting_url.take().filter(|url| !url.is_empty());
    let WireMeeting { conference_id, join_url, phones, quick_dial, toll_free_numbers, toll_number } =
        match wire.online_meeting.take() {
            Some(meeting) => meeting,
            None => WireMeeting { join_url: Some(address.clone()?), ..WireMeeting::default() },
        };
    let id = conference_id.filter(|id| !id.is_empty());
    let join = join_url.filter(|url| !url.is_empty()).or(address);
    let mut entries: Vec<ConferenceEntry> = join.into_iter().map(|uri| entry("video", uri)).collect();
    let numbers = toll_number.into_iter().chain(toll_free_numbers.unwrap_or_default());
    let numbers = numbers.chain(phones.unwrap_or_default().into_iter().filter_map(|phone| phone.number));
    for number in numbers.chain(quick_dial) {
        let Some(uri) = telephone(&number) else { continue };
        if entries.iter().all(|known| known.uri != uri) {
            let code = id.clone();
            entries.push(ConferenceEntry { label: Some(number), code, ..entry("phone", uri) });
        }
    }
    if entries.is_empty() {
        return None;
    }
    let solution = wire.online_meeting_provider.take().filter(|word| !word.is_empty() && word != "unknown");
    let name = PROVIDERS.iter().find(|(word, _)| Some(*word) == solution.as_deref());
    Some(Conference { id, name: name.map(|(_, name)| (*name).to_owned()), solution, entries, notes: None })
}

fn entry(kind: &str, uri: String) -> ConferenceEntry {
    ConferenceEntry { kind: kind.to_owned(), uri, label: None, code: None }
}

/// `+1 323-555-0166` as an address (RFC 3966). A quick dial goes on with the conference's id: `,,123456#`.
fn telephone(number: &str) -> Option<String> {
    let kept: String =
        number.chars().filter(|letter| letter.is_ascii_digit() || "+,#*".contains(*letter)).collect();
    kept.contains(|letter: char| letter.is_ascii_digit()).then(|| format!("tel:{kept}"))
}
