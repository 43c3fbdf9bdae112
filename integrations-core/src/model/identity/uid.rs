//! Which calendar entries have the same iCalendar UID, however a server writes it?

use chrono::NaiveDate;

/// What an Exchange "global object id" begins with ([MS-OXOCAL] 2.2.1.27).
const GLOBAL_OBJECT_ID: &str = "040000008200e00074c5b7101a82e008";
/// The fields of one: the id above, the day of the occurrence, when it was made, nothing, and a size.
const DAY: std::ops::Range<usize> = 16..20;
const DATA: usize = 40;
/// What the data of one begins with that hides another program's UID.
const FOREIGN: &[u8] = b"vCal-Uid\x01\0\0\0";

/// An iCalendar UID in the form that is equal in every calendar.
///
/// * Case does not count: RFC 5545 lets it, but servers write the hexadecimal digits of Exchange in either,
///   and no two programs make UIDs that differ in nothing else.
/// * Exchange writes the day of an occurrence into the UID ([MS-OXOCAL] 2.2.1.27), so that Microsoft Graph's
///   `iCalUId` differs from occurrence to occurrence; other calendars know the UID of the whole series. The
///   day is taken out, and kept beside.
/// * Exchange wraps the UID of an invitation from elsewhere in one of its own ([MS-OXCICAL]
///   2.1.3.1.1.20.26). It is unwrapped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Uid {
    text: Box<str>,
    day: Option<NaiveDate>,
}

impl Uid {
    /// Reads a UID; `None` for one that is empty.
    pub fn new(uid: &str) -> Option<Self> {
        let text = uid.trim().to_lowercase();
        if text.is_empty() {
            return None;
        }
        Some(Self::exchange(&text).unwrap_or_else(|| Self { text: text.into(), day: None }))
    }

    /// The UID, the same for all parts of a series.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The day on which the occurrence would have been, in its organiser's zone, where the UID says it.
    pub fn day(&self) -> Option<NaiveDate> {
        self.day
    }

    fn exchange(text: &str) -> Option<Self> {
        let hex =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_hexdigit()) && text.len().is_multiple_of(2);
        if !text.starts_with(GLOBAL_OBJECT_ID) || !hex(text) {
            return None;
        }
        let bytes = (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16));
        let mut bytes = bytes.collect::<Result<Vec<_>, _>>().ok()?;
        let data = bytes.get(DATA..).filter(|data| !data.is_empty())?;
        let foreign = data.strip_prefix(FOREIGN).map(|uid| uid.strip_suffix(b"\0").unwrap_or(uid));
        let foreign = foreign.and_then(|uid| str::from_utf8(uid).ok()).map(|uid| uid.trim().to_lowercase());
        let [high, low, month, day] = bytes[DAY].try_into().ok()?;
        let year = i32::from(u16::from_be_bytes([high, low]));
        let day = NaiveDate::from_ymd_opt(year, u32::from(month), u32::from(day));
        let text = foreign.filter(|uid| !uid.is_empty()).unwrap_or_else(|| {
            bytes[DAY].fill(0);
            format!("{:x}", bytes::Bytes::from(bytes))
        });
        Some(Self { text: text.into(), day })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uid(text: &str) -> Uid {
        Uid::new(text).unwrap()
    }

    #[test]
    fn an_occurrence_of_exchange_has_the_uid_of_its_series() {
        // The example of [MS-OXOCAL] 4.1.3: an exception of 25 March 2008.
        let series = "040000008200E00074C5B7101A82E008000000005025D461E473C8010000000000000000100000002A5844B3A444F74A9C246C60886F116B";
        let occurrence = series.replacen("00000000502", "07D80319502", 1);
        assert_ne!(series, occurrence);
        assert_eq!(uid(&occurrence).as_str(), series.to_lowercase());
        assert_eq!(uid(&occurrence).day(), NaiveDate::from_ymd_opt(2008, 3, 25));
        assert_eq!(uid(series).as_str(), uid(&series.to_lowercase()).as_str());
        assert_eq!(uid(series).day(), None);
    }

    #[test]
    fn a_uid_from_elsewhere_is_unwrapped() {
        // The second example of [MS-ASEMAIL] 4.3.
        let foreign = "{81412D3C-2A24-4E9D-B20E-11F7BBE92799}";
        let hex = |text: &str| format!("{:X}", bytes::Bytes::copy_from_slice(text.as_bytes()));
        let wrap = |day: &str| {
            format!(
                "{GLOBAL_OBJECT_ID}{day}{}33000000{}01000000{}00",
                "0".repeat(32),
                hex("vCal-Uid"),
                hex(foreign)
            )
        };
        assert_eq!(uid(&wrap("00000000")), uid(foreign));
        assert_eq!(uid(&wrap("07EA0301")).as_str(), uid(foreign).as_str());
        assert_eq!(uid(&wrap("07EA0301")).day(), NaiveDate::from_ymd_opt(2026, 3, 1));
    }

    #[test]
    fn what_is_not_of_exchange_is_left_as_it_is() {
        assert_eq!(Uid::new("  "), None);
        assert_eq!(uid(" ABC@google.com ").as_str(), "abc@google.com");
        // Splitting a series at Google makes another series.
        assert_ne!(uid("abc_R20260302T080000@google.com"), uid("abc@google.com"));
        for odd in [
            GLOBAL_OBJECT_ID.to_owned(),
            format!("{GLOBAL_OBJECT_ID}07ea0301"),
            format!("{GLOBAL_OBJECT_ID}{}+f", "0".repeat(64)),
            format!("{GLOBAL_OBJECT_ID}{}0", "0".repeat(64)),
            format!("{GLOBAL_OBJECT_ID}ü"),
        ] {
            assert_eq!((uid(&odd).as_str(), uid(&odd).day()), (odd.as_str(), None));
        }
        // A day that the calendar does not have is none, and is taken out all the same.
        let odd = uid(&format!("{GLOBAL_OBJECT_ID}07ea0230{}10000000ff", "0".repeat(32)));
        assert_eq!(
            (odd.day(), odd),
            (None, uid(&format!("{GLOBAL_OBJECT_ID}00000000{}10000000ff", "0".repeat(32))))
        );
    }
}
