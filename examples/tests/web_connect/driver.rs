//! A real browser: headless Chromium, by way of chromedriver (W3C WebDriver), which is a handful of JSON
//! posts.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// How long an element is waited for, in milliseconds.
const PATIENCE: u64 = 10_000;
/// The name of an element's id in WebDriver.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A running chromedriver. It ends its browsers when it is dropped.
pub(super) struct Driver {
    port: u16,
    client: reqwest::Client,
    process: Child,
}

impl Driver {
    pub(super) fn start() -> Self {
        let mut chromedriver = Command::new("chromedriver");
        chromedriver.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process =
            chromedriver.spawn().expect("chromedriver: install the packages chromium and chromium-driver");
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse().ok()
        });
        // What it says later must not block it.
        std::thread::spawn(move || lines.for_each(drop));
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { port: port.expect("chromedriver says its port"), client, process }
    }

    /// Returns when the browsers are gone.
    fn shut_down(&self) -> std::io::Result<()> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        stream.write_all(b"GET /shutdown HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
        stream.read_to_end(&mut Vec::new()).map(drop)
    }

    /// A browser with a profile of its own.
    pub(super) async fn browser(&self) -> Browser<'_> {
        // As root, Chromium has no sandbox; in a container, little shared memory.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--no-proxy-server",
            "--window-size=1280,900",
            "--hide-scrollbars",
        ];
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "timeouts": {"implicit": PATIENCE, "pageLoad": 30_000, "script": 30_000},
            "goog:chromeOptions": {"args": arguments},
        }}});
        let session = self.post("/session", &capabilities).await;
        let id = session["sessionId"].as_str().unwrap();
        Browser { driver: self, session: format!("/session/{id}") }
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        Self::value(path, self.client.post(self.at(path)).body(body.to_string())).await
    }

    async fn get(&self, path: &str) -> Value {
        Self::value(path, self.client.get(self.at(path))).await
    }

    fn at(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    async fn value(path: &str, request: reqwest::RequestBuilder) -> Value {
        let answer = request.send().await.unwrap();
        let status = answer.status();
        let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let what = path.rsplit('/').next().unwrap_or_default();
        assert!(status.is_success(), "{what}: {}", body["value"]["message"].as_str().unwrap_or_default());
        body["value"].clone()
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        if self.shut_down().is_err() {
            let _ = self.process.kill();
        }
        let _ = self.process.wait();
    }
}

/// An element of the page that is open.
pub(super) struct Element(String);

pub(super) struct Browser<'a> {
    driver: &'a Driver,
    session: String,
}

impl Browser<'_> {
    async fn post(&self, path: &str, body: Value) -> Value {
        self.driver.post(&format!("{}{path}", self.session), &body).await
    }

    async fn get(&self, path: &str) -> Value {
        self.driver.get(&format!("{}{path}", self.session)).await
    }

    pub(super) async fn open(&self, url: &str) {
        self.post("/url", json!({"url": url})).await;
    }

    pub(super) async fn address(&self) -> String {
        self.get("/url").await.as_str().unwrap().to_owned()
    }

    /// The first element that a CSS selector names, as soon as it is there.
    pub(super) async fn find(&self, selector: &str) -> Element {
        let found = self.post("/element", json!({"using": "css selector", "value": selector})).await;
        Element(found[ELEMENT].as_str().unwrap().to_owned())
    }

    pub(super) async fn find_all(&self, selector: &str) -> Vec<Element> {
        let found = self.post("/elements", json!({"using": "css selector", "value": selector})).await;
        let ids = found.as_array().unwrap().iter().map(|found| found[ELEMENT].as_str().unwrap());
        ids.map(|id| Element(id.to_owned())).collect()
    }

    /// Waits until the page says this.
    pub(super) async fn see(&self, text: &str) {
        let path = format!("//body[contains(normalize-space(.), {text:?})]");
        self.post("/element", json!({"using": "xpath", "value": path})).await;
    }

    pub(super) async fn click(&self, selector: &str) {
        let element = self.find(selector).await;
        self.post(&format!("/element/{}/click", element.0), json!({})).await;
    }

    /// Types into an element; `\u{e004}` is the tabulator.
    pub(super) async fn keys(&self, selector: &str, keys: &str) {
        let element = self.find(selector).await;
        self.post(&format!("/element/{}/value", element.0), json!({"text": keys})).await;
    }

    /// What a person reads there.
    pub(super) async fn text(&self, selector: &str) -> String {
        let element = self.find(selector).await;
        self.get(&format!("/element/{}/text", element.0)).await.as_str().unwrap().to_owned()
    }

    /// The name by which the browser tells assistive technology of an element.
    pub(super) async fn label(&self, element: &Element) -> String {
        self.get(&format!("/element/{}/computedlabel", element.0)).await.as_str().unwrap().to_owned()
    }

    pub(super) async fn run(&self, script: &str) -> Value {
        self.post("/execute/sync", json!({"script": script, "args": []})).await
    }

    async fn devtools(&self, command: &str, parameters: Value) -> Value {
        self.post("/goog/cdp/execute", json!({"cmd": command, "params": parameters})).await
    }

    /// Makes it a screen of this width, in a light or dark scheme.
    pub(super) async fn screen(&self, width: u32, dark: bool) {
        let mobile = width < 600;
        let (height, scale) = if mobile { (844, 2) } else { (900, 1) };
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": mobile});
        self.devtools("Emulation.setDeviceMetricsOverride", metrics).await;
        let scheme = if dark { "dark" } else { "light" };
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.devtools("Emulation.setEmulatedMedia", features).await;
    }

    /// Takes a picture of the whole page.
    pub(super) async fn picture(&self, path: &Path) {
        let whole = json!({"format": "png", "captureBeyondViewport": true});
        let picture = self.devtools("Page.captureScreenshot", whole).await;
        std::fs::write(path, STANDARD.decode(picture["data"].as_str().unwrap()).unwrap()).unwrap();
    }
}
