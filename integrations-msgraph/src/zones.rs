//! Which zone of the IANA database does a name of Microsoft's mean?
//!
//! Outlook names zones as Windows does, by IANA's names, or in ways of its own. A name that says nothing (a
//! zone that somebody drew by hand) is none: the instants of an event are known without it.

use chrono::{DateTime, TimeDelta, TimeZone};
#[allow(clippy::enum_glob_use, reason = "a table of zones")]
use chrono_tz::Tz::{self, *};
use chrono_tz::{OffsetComponents, TZ_VARIANTS};

/// The zone that a name means; `None` for one that nobody can tell, such as `tzone://Microsoft/Custom` or
/// `Customized Time Zone`.
///
/// Takes the names of Windows and of IANA, in any case, `tzone://Microsoft/Utc`, and what Windows shows for a
/// zone in English: `(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna`.
///
/// ```
/// use integrations_msgraph::time_zone;
///
/// assert_eq!(time_zone("W. Europe Standard Time"), Some(chrono_tz::Europe::Berlin));
/// assert_eq!(time_zone("Customized Time Zone"), None);
/// ```
pub fn time_zone(name: &str) -> Option<Tz> {
    let name = name.trim();
    name.parse().ok().or_else(|| of_windows(name)).or_else(|| of_iana(name)).or_else(|| shown(name))
}

fn of_windows(name: &str) -> Option<Tz> {
    let tables = WINDOWS.iter().chain(OLD);
    tables.into_iter().find(|(windows, _)| windows.eq_ignore_ascii_case(name)).map(|(_, zone)| *zone)
}

/// IANA's names in another case than IANA's.
fn of_iana(name: &str) -> Option<Tz> {
    TZ_VARIANTS.iter().find(|zone| zone.name().eq_ignore_ascii_case(name)).copied()
}

/// What Windows shows: an offset, and cities or a region. The first of them that is a zone with that offset
/// is the zone; the offset alone is none, for it does not say when the clocks change.
fn shown(name: &str) -> Option<Tz> {
    let (offset, places) = name.strip_prefix('(')?.split_once(')')?;
    let digits = offset.strip_prefix("UTC").or_else(|| offset.strip_prefix("GMT"))?;
    let offset = if digits.is_empty() { TimeDelta::zero() } else { offset_of(digits)? };
    let places = places.split('(').next().unwrap_or_default();
    places.split([',', '/']).map(str::trim).find_map(|place| {
        let region = REGIONS.iter().find(|(region, _)| region.eq_ignore_ascii_case(place));
        let city = place.replace(' ', "_");
        let is_city =
            |zone: &&Tz| zone.name().rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(&city));
        let zone = match region {
            Some((_, zone)) => *zone,
            None => *TZ_VARIANTS.iter().find(is_city)?,
        };
        (standard_offset(zone) == offset).then_some(zone)
    })
}

/// `+01:00`.
fn offset_of(text: &str) -> Option<TimeDelta> {
    let (sign, digits) = match text.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-" | "\u{2212}", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = digits.split_once(':')?;
    let minutes: i64 = hours.parse::<u8>().ok().map(i64::from)? * 60 + i64::from(minutes.parse::<u8>().ok()?);
    TimeDelta::try_minutes(sign * minutes)
}

/// The offset without summer time. Those of the zones that are shown have not changed for years.
fn standard_offset(zone: Tz) -> TimeDelta {
    let any = DateTime::UNIX_EPOCH.naive_utc() + TimeDelta::days(20_454); // 2026
    zone.offset_from_utc_datetime(&any).base_utc_offset()
}

/// What Windows shows of zones that it names by no city.
#[rustfmt::skip]
const REGIONS: &[(&str, Tz)] = &[
    ("Atlantic Time",              America__Halifax),
    ("Central America",            America__Guatemala),
    ("Central Time",               America__Chicago),
    ("Coordinated Universal Time", UTC),
    ("Eastern Time",               America__New_York),
    ("Indiana",                    America__Indianapolis),
    ("Mountain Time",              America__Denver),
    ("Pacific Time",               America__Los_Angeles),
    ("West Central Africa",        Africa__Lagos),
];

/// Names that Windows had before, and Exchange's own for UTC.
#[rustfmt::skip]
const OLD: &[(&str, Tz)] = &[
    ("Armenian Standard Time",     Asia__Yerevan),
    ("Kamchatka Standard Time",    Asia__Kamchatka),
    ("Mexico Standard Time",       America__Mexico_City),
    ("Mexico Standard Time 2",     America__Chihuahua),
    // It had summer time, and no land but South Georgia's, which has none.
    ("Mid-Atlantic Standard Time", Etc__GMTPlus2),
    ("tzone://Microsoft/Utc",      UTC),
];

/// Windows' zones and the IANA zone of each: CLDR's for the territory 001.
#[rustfmt::skip]
const WINDOWS: &[(&str, Tz)] = &[
    ("Afghanistan Standard Time",       Asia__Kabul),
    ("Alaskan Standard Time",           America__Anchorage),
    ("Alberta Standard Time",           America__Edmonton),
    ("Aleutian Standard Time",          America__Adak),
    ("Altai Standard Time",             Asia__Barnaul),
    ("Arab Standard Time",              Asia__Riyadh),
    ("Arabian Standard Time",           Asia__Dubai),
    ("Arabic Standard Time",            Asia__Baghdad),
    ("Argentina Standard Time",         America__Buenos_Aires),
    ("Astrakhan Standard Time",         Europe__Astrakhan),
    ("Atlantic Standard Time",          America__Halifax),
    ("AUS Central Standard Time",       Australia__Darwin),
    ("Aus Central W. Standard Time",    Australia__Eucla),
    ("AUS Eastern Standard Time",       Australia__Sydney),
    ("Azerbaijan Standard Time",        Asia__Baku),
    ("Azores Standard Time",            Atlantic__Azores),
    ("Bahia Standard Time",             America__Bahia),
    ("Bangladesh Standard Time",        Asia__Dhaka),
    ("Belarus Standard Time",           Europe__Minsk),
    ("Bougainville Standard Time",      Pacific__Bougainville),
    ("British Columbia Standard Time",  America__Vancouver),
    ("Canada Central Standard Time",    America__Regina),
    ("Cape Verde Standard Time",        Atlantic__Cape_Verde),
    ("Caucasus Standard Time",          Asia__Yerevan),
    ("Cen. Australia Standard Time",    Australia__Adelaide),
    ("Central America Standard Time",   America__Guatemala),
    ("Central Asia Standard Time",      Asia__Bishkek),
    ("Central Brazilian Standard Time", America__Cuiaba),
    ("Central Europe Standard Time",    Europe__Budapest),
    ("Central European Standard Time",  Europe__Warsaw),
    ("Central Pacific Standard Time",   Pacific__Guadalcanal),
    ("Central Standard Time",           America__Chicago),
    ("Central Standard Time (Mexico)",  America__Mexico_City),
    ("Chatham Islands Standard Time",   Pacific__Chatham),
    ("China Standard Time",             Asia__Shanghai),
    ("Cuba Standard Time",              America__Havana),
    ("Dateline Standard Time",          Etc__GMTPlus12),
    ("E. Africa Standard Time",         Africa__Nairobi),
    ("E. Australia Standard Time",      Australia__Brisbane),
    ("E. Europe Standard Time",         Europe__Chisinau),
    ("E. South America Standard Time",  America__Sao_Paulo),
    ("Easter Island Standard Time",     Pacific__Easter),
    ("Eastern Standard Time",           America__New_York),
    ("Eastern Standard Time (Mexico)",  America__Cancun),
    ("Egypt Standard Time",             Africa__Cairo),
    ("Ekaterinburg Standard Time",      Asia__Yekaterinburg),
    ("Fiji Standard Time",              Pacific__Fiji),
    ("FLE Standard Time",               Europe__Kiev),
    ("Georgian Standard Time",          Asia__Tbilisi),
    ("GMT Standard Time",               Europe__London),
    ("Greenland Standard Time",         America__Godthab),
    ("Greenwich Standard Time",         Atlantic__Reykjavik),
    ("GTB Standard Time",               Europe__Bucharest),
    ("Haiti Standard Time",             America__PortauPrince),
    ("Hawaiian Standard Time",          Pacific__Honolulu),
    ("India Standard Time",             Asia__Calcutta),
    ("Iran Standard Time",              Asia__Tehran),
    ("Israel Standard Time",            Asia__Jerusalem),
    ("Jordan Standard Time",            Asia__Amman),
    ("Kaliningrad Standard Time",       Europe__Kaliningrad),
    ("Korea Standard Time",             Asia__Seoul),
    ("Libya Standard Time",             Africa__Tripoli),
    ("Line Islands Standard Time",      Pacific__Kiritimati),
    ("Lord Howe Standard Time",         Australia__Lord_Howe),
    ("Magadan Standard Time",           Asia__Magadan),
    ("Magallanes Standard Time",        America__Punta_Arenas),
    ("Manitoba Standard Time",          America__Winnipeg),
    ("Marquesas Standard Time",         Pacific__Marquesas),
    ("Mauritius Standard Time",         Indian__Mauritius),
    ("Middle East Standard Time",       Asia__Beirut),
    ("Montevideo Standard Time",        America__Montevideo),
    ("Morocco Standard Time",           Africa__Casablanca),
    ("Mountain Standard Time",          America__Denver),
    ("Mountain Standard Time (Mexico)", America__Mazatlan),
    ("Myanmar Standard Time",           Asia__Rangoon),
    ("N. Central Asia Standard Time",   Asia__Novosibirsk),
    ("Namibia Standard Time",           Africa__Windhoek),
    ("Nepal Standard Time",             Asia__Katmandu),
    ("New Zealand Standard Time",       Pacific__Auckland),
    ("Newfoundland Standard Time",      America__St_Johns),
    ("Norfolk Standard Time",           Pacific__Norfolk),
    ("North Asia East Standard Time",   Asia__Irkutsk),
    ("North Asia Standard Time",        Asia__Krasnoyarsk),
    ("North Korea Standard Time",       Asia__Pyongyang),
    ("Omsk Standard Time",              Asia__Omsk),
    ("Pacific SA Standard Time",        America__Santiago),
    ("Pacific Standard Time",           America__Los_Angeles),
    ("Pacific Standard Time (Mexico)",  America__Tijuana),
    ("Pakistan Standard Time",          Asia__Karachi),
    ("Paraguay Standard Time",          America__Asuncion),
    ("Qyzylorda Standard Time",         Asia__Qyzylorda),
    ("Romance Standard Time",           Europe__Paris),
    ("Russia Time Zone 10",             Asia__Srednekolymsk),
    ("Russia Time Zone 11",             Asia__Kamchatka),
    ("Russia Time Zone 3",              Europe__Samara),
    ("Russian Standard Time",           Europe__Moscow),
    ("SA Eastern Standard Time",        America__Cayenne),
    ("SA Pacific Standard Time",        America__Bogota),
    ("SA Western Standard Time",        America__La_Paz),
    ("Saint Pierre Standard Time",      America__Miquelon),
    ("Sakhalin Standard Time",          Asia__Sakhalin),
    ("Samoa Standard Time",             Pacific__Apia),
    ("Sao Tome Standard Time",          Africa__Sao_Tome),
    ("Saratov Standard Time",           Europe__Saratov),
    ("SE Asia Standard Time",           Asia__Bangkok),
    ("Singapore Standard Time",         Asia__Singapore),
    ("South Africa Standard Time",      Africa__Johannesburg),
    ("South Sudan Standard Time",       Africa__Juba),
    ("Sri Lanka Standard Time",         Asia__Colombo),
    ("Sudan Standard Time",             Africa__Khartoum),
    ("Syria Standard Time",             Asia__Damascus),
    ("Taipei Standard Time",            Asia__Taipei),
    ("Tasmania Standard Time",          Australia__Hobart),
    ("Tocantins Standard Time",         America__Araguaina),
    ("Tokyo Standard Time",             Asia__Tokyo),
    ("Tomsk Standard Time",             Asia__Tomsk),
    ("Tonga Standard Time",             Pacific__Tongatapu),
    ("Transbaikal Standard Time",       Asia__Chita),
    ("Turkey Standard Time",            Europe__Istanbul),
    ("Turks And Caicos Standard Time",  America__Grand_Turk),
    ("Ulaanbaatar Standard Time",       Asia__Ulaanbaatar),
    ("US Eastern Standard Time",        America__Indianapolis),
    ("US Mountain Standard Time",       America__Phoenix),
    ("UTC",                             UTC),
    ("UTC+12",                          Etc__GMTMinus12),
    ("UTC+13",                          Etc__GMTMinus13),
    ("UTC-02",                          Etc__GMTPlus2),
    ("UTC-08",                          Etc__GMTPlus8),
    ("UTC-09",                          Etc__GMTPlus9),
    ("UTC-11",                          Etc__GMTPlus11),
    ("Venezuela Standard Time",         America__Caracas),
    ("Vladivostok Standard Time",       Asia__Vladivostok),
    ("Volgograd Standard Time",         Europe__Volgograd),
    ("W. Australia Standard Time",      Australia__Perth),
    ("W. Central Africa Standard Time", Africa__Lagos),
    ("W. Europe Standard Time",         Europe__Berlin),
    ("W. Mongolia Standard Time",       Asia__Hovd),
    ("West Asia Standard Time",         Asia__Tashkent),
    ("West Bank Standard Time",         Asia__Hebron),
    ("West Pacific Standard Time",      Pacific__Port_Moresby),
    ("Yakutsk Standard Time",           Asia__Yakutsk),
    ("Yukon Standard Time",             America__Whitehorse),
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;

    #[test]
    fn every_zone_of_windows_and_every_territory_is_a_zone() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = path.join("../../shared/data/timezones/windows_to_iana.json");
        let Ok(text) = std::fs::read(path) else {
            println!("skipped: ../shared/data/timezones is not here");
            return;
        };
        let table: BTreeMap<String, BTreeMap<String, Vec<String>>> = serde_json::from_slice(&text).unwrap();
        let mut territories = 0;
        for (windows, rows) in &table {
            // What Windows, IANA and everybody call UTC keeps that name.
            let iana = if windows == "UTC" { "UTC" } else { rows["001"][0].as_str() };
            assert_eq!(time_zone(windows).map(Tz::name), Some(iana), "{windows}");
            for name in rows.values().flatten() {
                assert_eq!(time_zone(name).map(Tz::name), Some(name.as_str()), "{windows}");
                assert_eq!(time_zone(&name.to_uppercase()).map(Tz::name), Some(name.as_str()));
                territories += 1;
            }
        }
        println!("timezones: {} zones of Windows, {territories} rows of territories", table.len());
        assert!(table.len() > 130);
        for (windows, _) in WINDOWS {
            assert!(table.contains_key(*windows) || ABSENT.contains(windows), "{windows}");
        }
    }

    /// Newer than CLDR's file.
    const ABSENT: &[&str] =
        &["Alberta Standard Time", "British Columbia Standard Time", "Manitoba Standard Time"];

    #[test]
    fn odd_names_are_told_or_none() {
        use chrono_tz::{Africa, America, Asia, Atlantic, Australia, Europe, US};
        for (name, zone) in [
            ("UTC", Some(UTC)),
            ("utc", Some(UTC)),
            ("tzone://Microsoft/Utc", Some(UTC)),
            ("tzone://microsoft/utc", Some(UTC)),
            ("tzone://Microsoft/Custom", None),
            ("Customized Time Zone", None),
            ("", None),
            ("europe/berlin", Some(Europe::Berlin)),
            (" w. europe standard time ", Some(Europe::Berlin)),
            ("Kamchatka Standard Time", Some(Asia::Kamchatka)),
            ("Pacific Standard Time (Mexico)", Some(America::Tijuana)),
            ("Mid-Atlantic Standard Time", Some(Etc__GMTPlus2)),
            ("(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna", Some(Europe::Amsterdam)),
            ("(UTC-05:00) Eastern Time (US & Canada)", Some(America::New_York)),
            ("(UTC-08:00) Pacific Time (US & Canada)", Some(America::Los_Angeles)),
            ("(UTC) Dublin, Edinburgh, Lisbon, London", Some(Europe::Lisbon)),
            ("(UTC+00:00) Monrovia, Reykjavik", Some(Africa::Monrovia)),
            ("(UTC) Coordinated Universal Time", Some(UTC)),
            ("(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi", Some(Asia::Kolkata)),
            ("(UTC+10:00) Canberra, Melbourne, Sydney", Some(Australia::Canberra)),
            ("(UTC-07:00) Arizona", Some(US::Arizona)),
            ("(UTC-01:00) Azores", Some(Atlantic::Azores)),
            ("(GMT+09:00) Osaka, Sapporo, Tokyo", Some(Asia::Tokyo)),
            // The offset is not that of the city, or there is no city.
            ("(UTC+02:00) Berlin", None),
            ("(UTC+01:00)", None),
            ("(UTC+x) Berlin", None),
            ("(UTC+01:00) \u{4e2d}", None),
        ] {
            assert_eq!(time_zone(name), zone, "{name}");
        }
    }
}
