//! What do generated events say? Fragments, already escaped for JSON.

pub(super) const SUMMARIES: &[&str] = &[
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
    "Release train \u{1f682}",
    r"Path C:\\reports\\weekly",
];

pub(super) const DESCRIPTIONS: &[&str] = &[
    "Agenda:\\n1. Open points from last week\\n2. Numbers\\n3. Risks and who takes them\\n\\nPlease add your topics until noon.",
    "<b>Agenda</b><br><ul><li>Numbers &amp; targets</li><li>Risks</li></ul><p>Notes: <a href=\\\"https://docs.example.com/d/1a2b\\\">shared document</a></p>",
    "Bring your own laptop.\\tParking is behind the house.\\nDoor code at the reception \u{2013} ask for the key.",
    "\u{1f389} Wir feiern! Gr\u{fc}\u{df}e aus K\u{f6}ln, bis sp\u{e4}ter \u{2026}\\nEs gibt Kuchen und \\\"echten\\\" Kaffee.",
    "Join from a PC, Mac, iPad, iPhone or Android device:\\nhttps://example.zoom.us/j/123456789?pwd=abc\\n\\nMeeting ID: 123 456 789\\nPasscode: 4711",
    "\u{5834}\u{6240}\u{306f}\u{5f8c}\u{3067}\u{9023}\u{7d61}\u{3057}\u{307e}\u{3059}\u{3002}\\n\u{8cc7}\u{6599}\u{306f}\u{524d}\u{65e5}\u{307e}\u{3067}\u{306b}\u{9001}\u{308a}\u{307e}\u{3059}\u{3002}",
    "We look at the three candidates for the storage layer, what each costs to run, and what it would take to leave again. Numbers from the load test are in the sheet; read them before.",
];

pub(super) const LOCATIONS: &[&str] = &[
    "Room Turing, 4th floor",
    "Unter den Linden 1, 10117 Berlin, Germany",
    "350 5th Ave, New York, NY 10118, USA",
    "Caf\u{e9} de Flore, 172 Bd Saint-Germain, Paris",
    "https://example.zoom.us/j/123456789",
    "\u{6e0b}\u{8c37}\u{533a}\u{795e}\u{5357}1-1-1, \u{6771}\u{4eac}",
];

/// The beginnings of person objects.
pub(super) const PEOPLE: &[&str] = &[
    r#""email":"grace.hopper@example.com","displayName":"Grace Hopper""#,
    r#""email":"alan.turing@example.com","displayName":"Alan Turing""#,
    r#""email":"katherine.johnson@example.org","displayName":"Katherine Johnson""#,
    r#""email":"jose.nunez@example.net","displayName":"José Núñez""#,
    r#""email":"zoe@partner.example","displayName":"Zoë \"Z\" Washburne""#,
    r#""email":"tanaka@example.jp","displayName":"田中 太郎""#,
    r#""email":"edsger.dijkstra@example.com""#,
    r#""email":"barbara.liskov@example.com","displayName":"Barbara Liskov""#,
    r#""email":"donald.knuth@example.com","displayName":"Donald Knuth""#,
    r#""email":"frances.allen@example.com""#,
    r#""email":"c_188room4711@resource.calendar.google.com","displayName":"Room Turing (12)","resource":true"#,
    r#""email":"niklaus.wirth@example.ch","displayName":"Niklaus Wirth","optional":true"#,
];

pub(super) const RESPONSES: &[&str] = &["accepted", "accepted", "needsAction", "tentative", "declined"];

pub(super) const WEEKDAYS: [&str; 7] = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];

pub(super) const ZONES: &[chrono_tz::Tz] = &[
    chrono_tz::Europe::Berlin,
    chrono_tz::America::New_York,
    chrono_tz::America::Los_Angeles,
    chrono_tz::Europe::London,
    chrono_tz::Asia::Kolkata,
    chrono_tz::Asia::Tokyo,
    chrono_tz::Australia::Sydney,
    chrono_tz::America::Sao_Paulo,
];
