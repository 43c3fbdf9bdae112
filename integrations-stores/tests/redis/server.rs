//! A server of the test's own.

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A server that is gone with this.
pub(crate) struct Server {
    child: Child,
    port: u16,
}

impl Server {
    /// A server on a free port, whose files are in a folder; with `durable` it writes each change to the disk.
    pub(crate) fn start(folder: &Path, durable: bool) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        Self::start_at(port, folder, durable)
    }

    /// The same on a given port.
    pub(crate) fn start_at(port: u16, folder: &Path, durable: bool) -> Self {
        let mut command = Command::new("redis-server");
        command
            .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()])
            .arg("--dir")
            .arg(folder);
        if durable {
            command.args(["--appendonly", "yes", "--appendfsync", "always"]);
        }
        let mut child =
            command.stdout(Stdio::piped()).stdin(Stdio::null()).spawn().expect("redis-server is installed");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let is_ready =
            lines.by_ref().map_while(Result::ok).any(|line| line.contains("Ready to accept connections"));
        assert!(is_ready, "the server does not start");
        // It must not wait for somebody who reads what it says.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, port }
    }

    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Ends it as a loss of power does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
