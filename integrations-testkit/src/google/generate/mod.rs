//! What does event number `i` of a generated calendar look like?
//!
//! An event is a pure function of the seed, the calendar, the start day and its index, so a million of
//! them cost no memory. They are written straight into the answer as JSON text.

mod days;
mod plan;
mod words;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use chrono_tz::Tz;

pub(super) use days::{Days, Zone};

use self::days::{REACH, digits2};
use self::plan::{Plan, Rule};
use self::words::{DESCRIPTIONS, LOCATIONS, PEOPLE, RESPONSES, SUMMARIES, WEEKDAYS, ZONES};
use super::listing::Window;
use crate::random::{Draw, hash_text, mix, unmix};

const BASE32_HEX: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
const ID_LEN: usize = 26;
const MS_PER_DAY: i64 = 86_400_000;
/// Generated events were last changed in this span before the start day, in the order of their index.
const UPDATED_SPAN: i64 = 400 * MS_PER_DAY;

macro_rules! put {
    ($out:expr, $($part:expr),+ $(,)?) => {{ $($out.extend_from_slice(AsRef::<[u8]>::as_ref(&$part));)+ }};
}

/// What all calendars of one fake share.
#[derive(Debug)]
pub(super) struct Almanac {
    days: Days,
    zones: Vec<Zone>,
}

impl Almanac {
    pub(super) fn around(start: chrono::NaiveDate) -> Self {
        let days = Days::around(start);
        let zones = ZONES.iter().map(|&zone| Zone::new(zone, &days)).collect();
        Self { days, zones }
    }
}

/// Writes the events of one calendar.
#[derive(Debug)]
pub(super) struct Generator {
    key: u64,
    count: u64,
    almanac: Arc<Almanac>,
    zone: Zone,
    /// When event 0 was changed, and how far the events lie apart.
    updated_first: i64,
    updated_step: i64,
    /// The calendar's part of every `htmlLink`.
    link_end: String,
    own: String,
}

impl Generator {
    pub(super) fn new(
        seed: u64,
        calendar: &str,
        zone: Tz,
        count: u64,
        owner: &str,
        almanac: &Arc<Almanac>,
    ) -> Self {
        let step = UPDATED_SPAN / i64::try_from(count.max(1)).unwrap_or(i64::MAX);
        let own = serde_json::json!({"email": owner, "self": true}).to_string();
        Self {
            key: mix(seed ^ hash_text(calendar)),
            count,
            zone: Zone::new(zone, &almanac.days),
            updated_first: almanac.days.midnight(u32::from(REACH)) - UPDATED_SPAN,
            updated_step: step,
            // 26 characters and a space are nine whole groups of base64, so the rest never changes.
            link_end: STANDARD_NO_PAD.encode(calendar),
            own,
            almanac: Arc::clone(almanac),
        }
    }

    pub(super) const fn count(&self) -> u64 {
        self.count
    }

    /// The id of an event: its index, scattered by a bijection, and a check.
    fn id(&self, index: u64) -> [u8; ID_LEN] {
        let scattered = mix(index ^ self.key);
        let check = mix(scattered.wrapping_add(self.key));
        let mut id = [0; ID_LEN];
        for (half, mut bits) in [scattered, check].into_iter().enumerate() {
            for place in &mut id[half * 13..half * 13 + 13] {
                *place = BASE32_HEX[(bits & 31) as usize];
                bits >>= 5;
            }
        }
        id
    }

    /// The index behind an id of this calendar.
    pub(super) fn index_of(&self, id: &str) -> Option<u64> {
        let digits: &[u8; ID_LEN] = id.as_bytes().try_into().ok()?;
        let mut scattered = 0_u64;
        for digit in digits[..13].iter().rev() {
            let value = BASE32_HEX.iter().position(|known| known == digit)?;
            scattered = scattered.wrapping_shl(5) | value as u64;
        }
        let index = unmix(scattered) ^ self.key;
        (index < self.count && self.id(index) == *digits).then_some(index)
    }

    pub(super) fn id_text(&self, index: u64) -> String {
        self.id(index).iter().map(|&byte| char::from(byte)).collect()
    }

    /// When the event was last changed, in milliseconds; grows with the index.
    pub(super) fn updated(&self, index: u64) -> i64 {
        self.updated_first + self.updated_step * i64::try_from(index).unwrap_or(i64::MAX)
    }

    fn draw(&self, index: u64) -> Draw {
        Draw::new(mix(self.key.wrapping_add(index)) ^ self.key)
    }

    fn zone(&self, plan: &Plan) -> &Zone {
        plan.zone.map_or(&self.zone, |zone| &self.almanac.zones[zone as usize])
    }

    /// The time an event covers, a series from its first start to its last day.
    pub(super) fn window(&self, index: u64) -> Window {
        let plan = Plan::draw(&mut self.draw(index));
        let zone = self.zone(&plan);
        let midnight =
            |day: u32| self.almanac.days.midnight(day) - i64::from(zone.offset_seconds(day)) * 1_000;
        let (min, mut max) = match plan.time {
            Some((minute, length)) => {
                let min = midnight(plan.day) + i64::from(minute) * 60_000;
                (min, min + i64::from(length) * 60_000)
            }
            None => (midnight(plan.day), midnight(plan.day + plan.days)),
        };
        match plan.rule {
            None => {}
            Some(Rule::WeeklyUntil(last) | Rule::DailyUntil(last)) => max = midnight(last + 1),
            Some(Rule::DailyCount(count)) => max += i64::from(count - 1) * MS_PER_DAY,
            Some(_) => max = i64::MAX,
        }
        Window { min, max }
    }

    /// Appends the event as JSON.
    pub(super) fn write(&self, index: u64, out: &mut Vec<u8>) {
        let mut draw = self.draw(index);
        let plan = Plan::draw(&mut draw);
        let id = self.id(index);
        let updated = self.updated(index);

        put!(out, r#"{"kind":"calendar#event","etag":"\""#);
        put_number(out, u64::try_from(updated).unwrap_or(0) * 2_000);
        put!(out, r#"\"","id":""#, id, r#"","status":""#);
        put!(out, if draw.percent(6) { "tentative" } else { "confirmed" });
        put!(out, r#"","htmlLink":"https://www.google.com/calendar/event?eid="#);
        let mut link = [b' '; ID_LEN + 1];
        link[..ID_LEN].copy_from_slice(&id);
        let mut eid = [0; 36];
        // The buffer has exactly the size that 27 bytes need.
        let _ = STANDARD_NO_PAD.encode_slice(link, &mut eid);
        put!(out, eid, self.link_end, r#"","created":""#);
        let created = updated - i64::from(draw.below(90 * 86_400)) * 1_000;
        self.put_instant(out, created - created.rem_euclid(1_000));
        put!(out, r#"","updated":""#);
        self.put_instant(out, updated);
        put!(out, r#"","summary":""#, draw.pick(SUMMARIES), "\"");
        if draw.percent(60) {
            put!(out, r#","description":""#, draw.pick(DESCRIPTIONS), "\"");
        }
        if draw.percent(45) {
            put!(out, r#","location":""#, draw.pick(LOCATIONS), "\"");
        }
        if draw.percent(8) {
            put!(out, r#","colorId":""#, [b'1' + u8::try_from(draw.below(9)).unwrap_or(0)], "\"");
        }
        let guests = if draw.percent(45) { 0 } else { 1 + draw.below(6) };
        let host = (guests > 0 && draw.percent(50)).then(|| draw.below(9) as usize);
        self.put_people(out, &mut draw, host, guests);
        self.put_times(out, &plan);
        if plan.time.is_none() || draw.percent(5) {
            put!(out, r#","transparency":"transparent""#);
        }
        if draw.percent(8) {
            put!(out, r#","visibility":""#, draw.pick(&["private", "public", "confidential"]), "\"");
        }
        put!(
            out,
            r#","iCalUID":""#,
            id,
            r#"@google.com","sequence":"#,
            [b'0' + u8::try_from(draw.below(5)).unwrap_or(0)]
        );
        put_extras(out, &mut draw, plan.time.is_some());
        put!(out, "}");
    }

    fn put_people(&self, out: &mut Vec<u8>, draw: &mut Draw, host: Option<usize>, guests: u32) {
        if let Some(host) = host {
            put!(out, ",\"creator\":{", PEOPLE[host], "},\"organizer\":{", PEOPLE[host], "}");
        } else {
            put!(out, ",\"creator\":", self.own, ",\"organizer\":", self.own);
        }
        if guests == 0 {
            return;
        }
        let own_end = self.own.len() - 1;
        put!(out, ",\"attendees\":[", self.own.as_bytes()[..own_end]);
        put!(out, if host.is_none() { ",\"organizer\":true" } else { "" });
        put!(out, ",\"responseStatus\":\"", draw.pick(RESPONSES), "\"}");
        let first = draw.below(12) as usize;
        // `guests` counts the account too; neighbours in the list are different people.
        for guest in 1..guests as usize {
            let person = PEOPLE[(first + guest) % PEOPLE.len()];
            put!(out, ",{", person, ",\"responseStatus\":\"", draw.pick(RESPONSES), "\"");
            if draw.percent(5) {
                put!(out, r#","comment":"Könnte 5 min später kommen","additionalGuests":1"#);
            }
            put!(out, "}");
        }
        put!(out, "]");
    }

    fn put_times(&self, out: &mut Vec<u8>, plan: &Plan) {
        let zone = self.zone(plan);
        let days = &self.almanac.days;
        if let Some((minute, length)) = plan.time {
            for (name, minute) in
                [(",\"start\":{\"dateTime\":\"", minute), (",\"end\":{\"dateTime\":\"", minute + length)]
            {
                put!(out, name, days.date(plan.day), "T");
                put!(out, digits2(minute / 60), ":", digits2(minute % 60), ":00", zone.offset(plan.day));
                put!(out, "\",\"timeZone\":\"", zone.name, "\"}");
            }
        } else {
            put!(out, ",\"start\":{\"date\":\"", days.date(plan.day));
            put!(out, "\"},\"end\":{\"date\":\"", days.date(plan.day + plan.days), "\"}");
        }
        let Some(rule) = plan.rule else { return };
        let weekday = WEEKDAYS[days.weekday(plan.day)];
        put!(out, ",\"recurrence\":[\"RRULE:FREQ=");
        match rule {
            Rule::Weekly => put!(out, "WEEKLY;BYDAY=", weekday),
            Rule::Fortnightly => put!(out, "WEEKLY;WKST=MO;INTERVAL=2;BYDAY=", weekday),
            Rule::Monthly => put!(out, "MONTHLY"),
            Rule::Yearly => put!(out, "YEARLY"),
            Rule::DailyCount(count) => put!(out, "DAILY;COUNT=", digits2(count)),
            Rule::WeeklyUntil(last) => {
                put!(out, "WEEKLY;UNTIL=");
                self.put_until(out, last, plan);
                put!(out, ";BYDAY=", weekday);
            }
            Rule::DailyUntil(last) => {
                put!(out, "DAILY;UNTIL=");
                self.put_until(out, last, plan);
            }
            Rule::WeeklyExcept => {
                put!(out, "WEEKLY;BYDAY=", weekday, "\",\"EXDATE;");
                if let Some((minute, _)) = plan.time {
                    put!(out, "TZID=", zone.name, ":");
                    put_basic_date(out, days.date(plan.day + 7));
                    put!(out, "T", digits2(minute / 60), digits2(minute % 60), "00");
                } else {
                    put!(out, "VALUE=DATE:");
                    put_basic_date(out, days.date(plan.day + 7));
                }
            }
        }
        put!(out, "\"]");
    }

    /// UNTIL is a date for all-day series and a time in UTC for the others (RFC 5545, 3.3.10).
    fn put_until(&self, out: &mut Vec<u8>, last: u32, plan: &Plan) {
        put_basic_date(out, self.almanac.days.date(last));
        put!(out, if plan.time.is_some() { "T225959Z" } else { "" });
    }

    /// `2026-03-08T09:00:00.000Z`.
    fn put_instant(&self, out: &mut Vec<u8>, instant: i64) {
        let since = u64::try_from(instant - self.almanac.days.midnight(0)).unwrap_or(0);
        let (day, ms) = (since / 86_400_000, since % 86_400_000);
        let part = |number: u64| digits2(u32::try_from(number).unwrap_or(0));
        put!(out, self.almanac.days.date(u32::try_from(day).unwrap_or(0)), "T");
        put!(out, part(ms / 3_600_000), ":", part(ms / 60_000 % 60), ":", part(ms / 1_000 % 60));
        let millis = days::digits4(u32::try_from(ms % 1_000).unwrap_or(0));
        put!(out, ".", millis[1..], "Z");
    }
}

/// What hangs on an event: conference, reminders, properties, attachments, type.
fn put_extras(out: &mut Vec<u8>, draw: &mut Draw, timed: bool) {
    if draw.percent(30) {
        let mut room = *b"aaa-aaaa-aaa";
        let mut letters = draw.next();
        for place in room.iter_mut().filter(|place| **place != b'-') {
            *place += (letters % 16) as u8;
            letters /= 16;
        }
        put!(out, r#","hangoutLink":"https://meet.google.com/"#, room);
        put!(
            out,
            r#"","conferenceData":{"entryPoints":[{"entryPointType":"video","uri":"https://meet.google.com/"#,
            room
        );
        put!(
            out,
            r#"","label":"meet.google.com/"#,
            room,
            r#""}],"conferenceSolution":{"key":{"type":"hangoutsMeet"},"#
        );
        put!(
            out,
            r#""name":"Google Meet","iconUri":"https://fonts.gstatic.com/s/i/productlogos/meet_2020q4/v6/web-512dp/logo_meet_2020q4_color_2x_web_512dp.png"},"#
        );
        put!(out, r#""conferenceId":""#, room, "\"}");
    }
    match draw.below(20) {
        0..16 => put!(out, r#","reminders":{"useDefault":true}"#),
        16..18 => put!(
            out,
            r#","reminders":{"useDefault":false,"overrides":[{"method":"popup","minutes":10},{"method":"email","minutes":1440}]}"#
        ),
        _ => put!(out, r#","reminders":{"useDefault":false}"#),
    }
    if draw.percent(8) {
        put!(out, r#","extendedProperties":{"private":{"crm_id":"deal-"#);
        put_number(out, u64::from(draw.below(100_000)));
        put!(out, r#""},"shared":{"project":"apollo"}}"#);
    }
    if draw.percent(5) {
        put!(out, r#","attachments":[{"fileUrl":"https://drive.google.com/open?id=1x"#);
        put_number(out, draw.next() >> 20);
        put!(
            out,
            r#"","title":"Notes \u2013 weekly.pdf","mimeType":"application/pdf","iconLink":"https://drive-thirdparty.googleusercontent.com/16/type/application/pdf"}]"#
        );
    }
    // Focus time and absence are never all-day here, as at Google.
    put!(out, r#","eventType":""#);
    put!(
        out,
        match draw.below(50) {
            0 if timed => "focusTime",
            1 if timed => "outOfOffice",
            _ => "default",
        }
    );
    put!(out, "\"");
}

fn put_basic_date(out: &mut Vec<u8>, date: &[u8; 10]) {
    put!(out, date[..4], date[5..7], date[8..]);
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            break;
        }
    }
    put!(out, digits[first..]);
}
