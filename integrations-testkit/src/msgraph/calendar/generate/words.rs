//! What do generated events say? Fragments, already escaped for JSON.

pub(super) const SUBJECTS: &[&str] = &[
    "Weekly planning",
    "1:1 Ada / Grace",
    "Design review: sync engine",
    "Lunch & learn",
    "Caf\u{e9} with Zo\u{eb}",
    "Zahnarzt \u{2013} Dr. M\u{fc}ller",
    "\u{1f382} Birthday party",
    "\u{4f1a}\u{8b70}\u{ff1a}\u{56db}\u{534a}\u{671f}\u{30ec}\u{30d3}\u{30e5}\u{30fc}",
    r#"Interview \"Senior Engineer\""#,
    "Quarterly business review",
    "Flight to Lisbon (TP 533)",
    "Standup",
    "\u{41f}\u{43b}\u{430}\u{43d}\u{451}\u{440}\u{43a}\u{430}",
    "Budget 2027 <draft>",
    "Canceled: Release train",
    r"Path C:\\reports\\weekly",
];

/// `(body as HTML, body as text, preview)`.
pub(super) const BODIES: &[(&str, &str, &str)] = &[
    ("", "", ""),
    (
        r#"<html>\r\n<head>\r\n<meta http-equiv=\"Content-Type\" content=\"text/html; charset=utf-8\">\r\n</head>\r\n<body>\r\n<p>Agenda</p><ul><li>Numbers &amp; targets</li><li>Risks</li></ul>\r\n</body>\r\n</html>\r\n"#,
        r"Agenda\r\nNumbers & targets\r\nRisks\r\n",
        r"Agenda\r\nNumbers & targets\r\nRisks",
    ),
    (
        r"<html><head></head><body><div>Bring your own laptop. Parking is behind the house.<br>Door code at the reception \u2013 ask for the key.</div></body></html>",
        r"Bring your own laptop. Parking is behind the house.\r\nDoor code at the reception \u2013 ask for the key.\r\n",
        r"Bring your own laptop. Parking is behind the house.\r\nDoor code at the reception \u2013 ask for the key.",
    ),
    (
        r#"<html><head></head><body><div>Wir feiern! Gr\u00fc\u00dfe aus K\u00f6ln, bis sp\u00e4ter \u2026 Es gibt \"echten\" Kaffee.</div><div>________________________________________________________________________________</div><div><a href=\"https://teams.microsoft.com/l/meetup-join/19%3ameeting_fake%40thread.v2/0\">Join Microsoft Teams Meeting</a></div></body></html>"#,
        r#"Wir feiern! Gr\u00fc\u00dfe aus K\u00f6ln, bis sp\u00e4ter \u2026 Es gibt \"echten\" Kaffee.\r\n________________________________________________________________________________\r\nJoin Microsoft Teams Meeting\r\n"#,
        r#"Wir feiern! Gr\u00fc\u00dfe aus K\u00f6ln, bis sp\u00e4ter \u2026 Es gibt \"echten\" Kaffee."#,
    ),
];

/// `(displayName, the rest of a location)`.
pub(super) const LOCATIONS: &[(&str, &str)] = &[
    (
        "Room Turing, 4th floor",
        r#""locationType":"conferenceRoom","uniqueId":"room.turing@example.com","uniqueIdType":"directory","locationUri":"room.turing@example.com""#,
    ),
    (
        "Unter den Linden 1, 10117 Berlin",
        r#""locationType":"default","uniqueId":"Unter den Linden 1, 10117 Berlin","uniqueIdType":"private","address":{"street":"Unter den Linden 1","city":"Berlin","state":"","countryOrRegion":"Germany","postalCode":"10117"},"coordinates":{"latitude":52.5170,"longitude":13.3889}"#,
    ),
    (
        "Microsoft Teams Meeting",
        r#""locationType":"default","uniqueId":"Microsoft Teams Meeting","uniqueIdType":"private""#,
    ),
    (
        "\u{6e0b}\u{8c37}\u{533a}\u{795e}\u{5357}1-1-1, \u{6771}\u{4eac}",
        r#""locationType":"default","uniqueIdType":"unknown""#,
    ),
];

/// `(name, address)`.
pub(super) const PEOPLE: &[(&str, &str)] = &[
    ("Grace Hopper", "grace.hopper@example.com"),
    ("Alan Turing", "alan.turing@example.com"),
    ("Katherine Johnson", "katherine.johnson@example.org"),
    ("Jos\u{e9} N\u{fa}\u{f1}ez", "jose.nunez@example.net"),
    ("Zo\u{eb} \\\"Z\\\" Washburne", "zoe@partner.example"),
    ("\u{7530}\u{4e2d} \u{592a}\u{90ce}", "tanaka@example.jp"),
    ("edsger.dijkstra@example.com", "edsger.dijkstra@example.com"),
    ("Barbara Liskov", "barbara.liskov@example.com"),
    ("Donald Knuth", "DonaldK@Example.com"),
    ("Frances Allen", "frances.allen@example.com"),
    ("Niklaus Wirth", "niklaus.wirth@example.ch"),
];

pub(super) const RESPONSES: &[&str] =
    &["accepted", "accepted", "none", "tentativelyAccepted", "declined", "notResponded"];

pub(super) const CATEGORIES: &[&str] =
    &["", "", "", "", "\"Red category\"", "\"Blue category\",\"Projekt \u{c4}\""];

/// Windows' names, with the zones.
pub(super) const ZONES: &[(&str, chrono_tz::Tz)] = &[
    ("W. Europe Standard Time", chrono_tz::Europe::Berlin),
    ("Eastern Standard Time", chrono_tz::America::New_York),
    ("Pacific Standard Time", chrono_tz::America::Los_Angeles),
    ("GMT Standard Time", chrono_tz::Europe::London),
    ("India Standard Time", chrono_tz::Asia::Kolkata),
    ("Tokyo Standard Time", chrono_tz::Asia::Tokyo),
    ("AUS Eastern Standard Time", chrono_tz::Australia::Sydney),
    ("E. South America Standard Time", chrono_tz::America::Sao_Paulo),
];
