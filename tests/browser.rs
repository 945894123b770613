//! A real browser before a running server: Debian's chromium, driven over the `WebDriver` protocol.

use std::future::Future;
use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thirtyfour::prelude::*;
use tokio::runtime::Runtime;

use crate::server::Server;

/// The screen that the station is made for.
const SCREEN: (u32, u32) = (1280, 720);
/// Longest wait for something on a page: the machine may be busy reading.
const PATIENCE: Duration = Duration::from_secs(40);

/// Waits in the page until an element that fits a selector is seen and holds a text.
const SEEN: &str = r"
    const [selector, text, done] = arguments;
    let waiting = 0;
    const fits = (part) => part.checkVisibility() && (part.textContent + (part.value ?? '')).includes(text);
    const look = () => {
        if (![...document.querySelectorAll(selector)].some(fits)) return;
        observer.disconnect();
        clearInterval(waiting);
        done(true);
    };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true, characterData: true });
    // Values of inputs change unseen by observers.
    waiting = setInterval(look, 200);
    look();
";

/// Waits in the page until the pictures within the screen are loaded.
const PICTURES: &str = r"
    const done = arguments[0];
    const seen = (picture) => { const at = picture.getBoundingClientRect(); return at.top < innerHeight && at.bottom > 0; };
    const loaded = (picture) => picture.complete && picture.naturalWidth > 0;
    const look = () => {
        if ([...document.images].filter(seen).every(loaded)) done(true);
        else setTimeout(look, 100);
    };
    look();
";

/// Texts that are too faint for their ground (WCAG 2.2, 1.4.3): less than 4.5 to 1, large ones 3 to 1.
const FAINT: &str = r"
    const channel = (value) => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
    const light = ([red, green, blue]) => 0.2126 * channel(red) + 0.7152 * channel(green) + 0.0722 * channel(blue);
    const colour = (text) => text.match(/[\d.]+/g).map(Number);
    const ground = (part) => {
        for (; part; part = part.parentElement) {
            const [red, green, blue, alpha = 1] = colour(getComputedStyle(part).backgroundColor);
            if (alpha === 1) return [red, green, blue];
        }
        return [255, 255, 255];
    };
    const faint = new Set();
    for (const part of document.querySelectorAll('body *')) {
        const own = [...part.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
        const field = part.matches('input:not([type=hidden],[type=checkbox]), textarea, select');
        if ((!own && !field) || !part.checkVisibility() || part.closest('svg, .unseen, .skip, :disabled')) continue;
        const style = getComputedStyle(part);
        const [one, other] = [light(colour(style.color)), light(ground(part))];
        const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700);
        if (ratio < (large ? 3 : 4.5)) faint.add(`${part.tagName}.${part.className} ${ratio.toFixed(2)}`);
    }
    return [...faint];
";

/// What has to be scrolled sideways.
const TOO_WIDE: &str = r"
    const parts = [document.scrollingElement, ...document.querySelectorAll('.panel, .decide, .notices')];
    return parts.filter((part) => part.scrollWidth > part.clientWidth).map((part) => part.className || part.tagName);
";

/// Controls that a screen reader would have no name for.
const NAMELESS: &str = r"
    const named = (part) => part.labels?.length || part.getAttribute('aria-label') || part.getAttribute('aria-labelledby')
        || part.textContent.trim() || part.title
        || part.querySelector('img')?.alt;
    const controls = document.querySelectorAll('input:not([type=hidden]), select, textarea, button, a[href], [role=toolbar], nav, dialog');
    return [...controls].filter((part) => part.checkVisibility() && !named(part)).map((part) => part.outerHTML.slice(0, 120));
";

pub(crate) struct Browser {
    runtime: Runtime,
    driver: WebDriver,
    chromedriver: Child,
    pictures: PathBuf,
    address: String,
    // Removed after the browser ended.
    _profile: tempfile::TempDir,
}

impl Browser {
    /// A browser before this server's pages; none where no browser can be had, which never happens in CI.
    pub(crate) fn open(server: &Server, name: &str) -> Option<Self> {
        // The driver's client is built with TLS, which the program needs.
        dossier::net::use_ring();
        let spawned =
            Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut chromedriver = match spawned {
            Ok(child) => child,
            Err(error) => {
                assert!(std::env::var_os("CI").is_none(), "CI has a browser: {error}");
                eprintln!("skipped: there is no chromedriver (apt-get install chromium chromium-driver)");
                return None;
            }
        };
        let mut lines = BufReader::new(chromedriver.stdout.take().unwrap()).lines();
        let port: u16 = loop {
            let line = lines.next().expect("chromedriver says where it listens").unwrap();
            if let Some((_, port)) = line.split_once("successfully on port ") {
                break port.trim_end_matches('.').parse().unwrap();
            }
        };
        std::thread::spawn(move || lines.for_each(drop));
        let profile = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let driver = runtime.block_on(start(port, &profile)).expect("chromium starts");
        let pictures = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("screenshots").join(name);
        std::fs::create_dir_all(&pictures).unwrap();
        let address = server.address.clone();
        Some(Self { runtime, driver, chromedriver, pictures, address, _profile: profile })
    }

    fn wait<T>(&self, what: impl Future<Output = WebDriverResult<T>>) -> T {
        self.runtime.block_on(what).unwrap()
    }

    pub(crate) fn go(&self, path: &str) {
        self.wait(self.driver.goto(format!("{}{path}", self.address)));
    }

    pub(crate) fn reload(&self) {
        self.wait(self.driver.refresh());
    }

    /// The path that is shown, with its query.
    pub(crate) fn path(&self) -> String {
        let url = self.wait(self.driver.current_url());
        url.as_str().trim_start_matches(&self.address).to_owned()
    }

    pub(crate) fn log_in(&self, login: &str, password: &str) {
        self.go("/login");
        self.type_into("input[name=login]", login);
        self.type_into("input[name=password]", password);
        self.click("main form button");
        self.see("header.top .brand", "dossier");
    }

    /// Waits until something is seen.
    #[track_caller]
    pub(crate) fn see(&self, selector: &str, text: &str) {
        let started = Instant::now();
        // A page that is just being left answers nothing; the next one does.
        while started.elapsed() < PATIENCE {
            let args = vec![json!(selector), json!(text)];
            if self.runtime.block_on(self.driver.execute_async(SEEN, args)).is_ok() {
                return;
            }
        }
        self.picture("failed");
        panic!("{selector} never showed {text:?} on {}; see {}", self.path(), self.pictures.display());
    }

    /// The station's scripts run.
    pub(crate) fn see_station(&self) {
        self.see("html[data-ready=station] #desk h1", "");
        self.see("#sheet:not(.loading) #picture", "");
    }

    /// The pictures within the screen are there.
    pub(crate) fn see_pictures(&self) {
        self.wait(self.driver.execute_async(PICTURES, Vec::new()));
    }

    pub(crate) fn has(&self, selector: &str) -> bool {
        self.run(&format!(
            "return [...document.querySelectorAll('{selector}')].some((part) => part.checkVisibility())"
        )) == json!(true)
    }

    pub(crate) fn run(&self, script: &str) -> Value {
        let ret = self.wait(self.driver.execute(script, Vec::new()));
        ret.json().clone()
    }

    pub(crate) fn text(&self, selector: &str) -> String {
        let text =
            self.run(&format!("return document.querySelector('{selector}')?.textContent.trim() ?? ''"));
        text.as_str().unwrap().to_owned()
    }

    pub(crate) fn value(&self, selector: &str) -> String {
        self.run(&format!("return document.querySelector('{selector}').value")).as_str().unwrap().to_owned()
    }

    #[track_caller]
    pub(crate) fn click(&self, selector: &str) {
        let clicked =
            self.runtime.block_on(async { self.driver.find(By::Css(selector)).await?.click().await });
        if let Err(error) = clicked {
            self.picture("failed");
            panic!("cannot click {selector} on {}: {error}", self.path());
        }
    }

    pub(crate) fn type_into(&self, selector: &str, text: &str) {
        self.wait(async { self.driver.find(By::Css(selector)).await?.send_keys(text).await });
    }

    /// Keys to whatever has the focus.
    pub(crate) fn press(&self, keys: impl Into<TypingData>) {
        self.wait(self.driver.action_chain().send_keys(keys).perform());
    }

    pub(crate) fn press_control(&self, key: Key) {
        let chain = self.driver.action_chain().key_down(Key::Control).key_down(key.clone());
        self.wait(chain.key_up(key).key_up(Key::Control).perform());
    }

    /// Replaces what stands in the focused field.
    pub(crate) fn retype(&self, text: &str) {
        self.wait(
            self.driver.action_chain().key_down(Key::Control).send_keys("a").key_up(Key::Control).perform(),
        );
        self.press(text);
    }

    /// Drags over a box of the page that is shown, given in fractions of it.
    pub(crate) fn drag_over(&self, bounds: [f64; 4]) {
        let frame = self.run("const frame = document.getElementById('paper').getBoundingClientRect(); return [frame.left, frame.top, frame.width, frame.height]");
        let edge = |index: usize| frame[index].as_f64().unwrap();
        #[expect(clippy::cast_possible_truncation, reason = "pixels of a screen")]
        let at =
            |x: f64, y: f64| ((edge(0) + x * edge(2)).round() as i64, (edge(1) + y * edge(3)).round() as i64);
        let [left, top, width, height] = bounds;
        let from = at(left - 0.008, top - height * 0.6);
        let to = at(left + width + 0.008, top + height * 1.6);
        let chain = self.driver.action_chain().move_to(from.0, from.1).click_and_hold();
        self.wait(chain.move_to(to.0 - 2, to.1 - 2).move_to(to.0, to.1).release().perform());
    }

    /// A picture of the page, kept as output of the test, after what every page must be: wide enough for
    /// its content, its texts not faint, its controls named.
    #[track_caller]
    pub(crate) fn look(&self, name: &str) {
        self.picture(name);
        assert_eq!(self.run(TOO_WIDE), json!([]), "{name}: something is wider than its place");
        assert_eq!(self.run(FAINT), json!([]), "{name}: texts are too faint");
        assert_eq!(self.run(NAMELESS), json!([]), "{name}: controls have no name");
    }

    pub(crate) fn picture(&self, name: &str) {
        let png = self.wait(self.driver.screenshot_as_png());
        std::fs::write(self.pictures.join(format!("{name}.png")), png).unwrap();
    }
}

async fn start(port: u16, profile: &tempfile::TempDir) -> WebDriverResult<WebDriver> {
    let mut wanted = DesiredCapabilities::chrome();
    for argument in ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] {
        wanted.add_arg(argument)?;
    }
    wanted.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
    let driver = WebDriver::new(format!("http://127.0.0.1:{port}"), wanted).await?;
    driver.set_script_timeout(PATIENCE).await?;
    // The window has edges of its own.
    driver.set_window_rect(0, 0, SCREEN.0, SCREEN.1).await?;
    let inner = driver.execute("return [innerWidth, innerHeight]", Vec::new()).await?;
    let missing = |index: usize, whole: u32| whole - inner.json()[index].as_u64().unwrap_or(0) as u32;
    let (wide, high) = (missing(0, SCREEN.0), missing(1, SCREEN.1));
    driver.set_window_rect(0, 0, SCREEN.0 + wide, SCREEN.1 + high).await?;
    Ok(driver)
}

impl Drop for Browser {
    fn drop(&mut self) {
        // The driver may be gone already.
        self.runtime.block_on(self.driver.clone().quit()).ok();
        self.chromedriver.kill().ok();
        self.chromedriver.wait().ok();
    }
}
