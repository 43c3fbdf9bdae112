//! How does a benchmark run programs beside itself?
//!
//! A fake provider takes time of its own, so it runs as a process, on a core of its own where there is
//! one. Contestants of a race run as processes too, so that none starts in the heap another has left.

use std::fmt;
use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::Result;

/// The access token that [`Fakes`] takes.
pub const TOKEN: &str = "ya29.bench";

/// Builds a program of this workspace in release mode, and says where it is.
///
/// # Errors
/// When cargo cannot be run, or does not succeed; what it says goes to standard error.
pub fn build(arguments: &[&str]) -> Result<PathBuf> {
    #[derive(Deserialize)]
    struct Message {
        executable: Option<PathBuf>,
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(["build", "--release", "--locked", "--message-format=json-render-diagnostics"])
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    if !built.status.success() {
        return Err(format!("cargo build {} failed", arguments.join(" ")).into());
    }
    let messages = built.stdout.split(|byte| *byte == b'\n');
    let mut programs = messages.filter_map(|line| serde_json::from_slice::<Message>(line).ok()?.executable);
    programs.next_back().ok_or_else(|| "cargo has built no program".into())
}

/// A program that prints one line of JSON and stays until its standard input is closed.
#[derive(Debug)]
pub struct Program {
    child: Child,
}

impl Program {
    /// Starts a program and waits for its line.
    ///
    /// # Errors
    /// When it cannot be started, or ends without such a line.
    pub fn start<T: DeserializeOwned>(program: &Path, arguments: &[&str]) -> Result<(Self, T)> {
        let mut child =
            Command::new(program).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take();
        let program = Self { child };
        let mut line = String::new();
        BufReader::new(stdout.ok_or("no standard output")?).read_line(&mut line)?;
        Ok((program, serde_json::from_str(&line)?))
    }

    /// What the program has used so far, from Linux' `/proc`; zero on other systems.
    pub fn usage(&self) -> Usage {
        Usage::of(&self.child.id().to_string()).unwrap_or_default()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It ends by itself when its standard input is closed; one that does not is killed by nobody,
        // and `wait` would hang on it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// What a process has used.
#[derive(Debug, Clone, Copy, Default)]
pub struct Usage {
    /// Seconds of processor time, in steps of 0.01 s.
    pub cpu_seconds: f64,
    /// The most memory that it has held at once, in MiB.
    pub peak_mib: f64,
}

impl Usage {
    /// The use of this process itself.
    pub fn own() -> Self {
        Self::of("self").unwrap_or_default()
    }

    fn of(process: &str) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        let peak_kib: f64 = peak.trim().trim_end_matches("kB").trim().parse().ok()?;
        // Behind the name, which may hold spaces, utime and stime are the 12th and 13th field, in ticks
        // of which Linux shows 100 a second (proc_pid_stat(5)).
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(')')?;
        let ticks: f64 =
            fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
        Some(Self { cpu_seconds: ticks / 100.0, peak_mib: peak_kib / 1024.0 })
    }
}

/// A fake Google in a process of its own, with one calendar. It ends when this is dropped.
#[derive(Debug)]
pub struct Fakes {
    program: Program,
    ready: Ready,
}

#[derive(Debug, Deserialize)]
struct Ready {
    url: String,
    client_id: String,
    client_secret: String,
}

impl Fakes {
    /// Builds the testkit's `fakes` and starts it with so many events, and [`TOKEN`] as access token.
    ///
    /// # Errors
    /// When it cannot be built or started.
    pub fn start(events: u64) -> Result<Self> {
        let fakes = build(&["-p", "integrations-testkit", "--bin", "fakes"])?;
        let (program, ready) = Program::start(
            &fakes,
            &[
                "--service=google",
                "--port=0",
                &format!("--events={events}"),
                &format!("--open-token={TOKEN}"),
                "--until-stdin-closes",
            ],
        )?;
        Ok(Self { program, ready })
    }

    /// Where it listens, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.ready.url
    }

    /// The OAuth client that it knows: id and secret.
    pub fn client(&self) -> (&str, &str) {
        (&self.ready.client_id, &self.ready.client_secret)
    }

    /// What it has used so far.
    pub fn usage(&self) -> Usage {
        self.program.usage()
    }
}

/// Prints a line of JSON and waits until standard input is closed: the other end of [`Program`].
///
/// # Errors
/// When standard output or input is broken.
pub fn report(line: &impl serde::Serialize) -> Result<()> {
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{}", serde_json::to_string(line)?)?;
    stdout.flush()?;
    std::io::copy(&mut std::io::stdin(), &mut std::io::sink())?;
    Ok(())
}

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.2} s of processor time, {:.0} MiB at most", self.cpu_seconds, self.peak_mib)
    }
}
