//! Coming in, in a real browser: what a person sees who mistypes, tries too often, has to choose a password,
//! or is led to a provider that does not answer.

use crate::browser::Browser;
use crate::server::{OWN_PASSWORD, Server};

/// A provider that nobody can reach, where the program can be told of one.
const PROVIDER: &str = if cfg!(feature = "oidc") {
    "[oidc]\nissuer = \"http://127.0.0.1:1\"\nclient_id = \"dossier\"\ntitle = \"Caja Norte\"\nroles = []\n"
} else {
    ""
};

#[test]
fn who_comes_in_is_told_plainly() {
    let server = Server::start_with(tempfile::tempdir().unwrap(), PROVIDER);
    let Some(browser) = Browser::open(&server, "door") else { return };
    let admin_password = server.admin_password.clone().unwrap();
    let wrong = |login: &str| {
        browser.go("/login?next=/users");
        browser.type_into("input[name=login]", login);
        browser.type_into("input[name=password]", "not the password");
        browser.click("main form button");
    };

    wrong("admin");
    browser.see("[role=alert]", "wrong");
    assert_eq!(browser.value("input[name=login]"), "admin", "what was right is kept");
    browser.look("1-failed-login");
    let visitor = server.visitor();
    for _ in 0..8 {
        visitor.post("/login", &[("login", "eva"), ("password", "guess")]);
    }
    wrong("eva");
    browser.see("[role=alert]", "Too many attempts; try again in 15\u{a0}min.");
    browser.look("2-too-many-attempts");
    if !PROVIDER.is_empty() {
        browser.see("a.button", "Sign in with Caja Norte");
        browser.click("a.button");
        browser.see("[role=alert]", "does not answer");
        browser.look("3-provider-does-not-answer");
    }

    browser.log_in("admin", &admin_password);
    browser.see("main form p", "password of your own");
    browser.look("4-password-must-be-chosen");
    let change = |current: &str, new: &str, again: &str| {
        for (name, text) in [("current", current), ("new", new), ("again", again)] {
            browser.type_into(&format!("input[name={name}]"), text);
        }
        browser.click("main form button");
    };
    change(&admin_password, OWN_PASSWORD, "another password");
    browser.see("[role=alert]", "differ");
    browser.look("5-passwords-differ");
    change("not the password", OWN_PASSWORD, OWN_PASSWORD);
    browser.see("[role=alert]", "current password is wrong");
    change(&admin_password, OWN_PASSWORD, OWN_PASSWORD);
    browser.see("header.top", "Log out");
    browser.go("/password");
    browser.look("6-password");

    // Pages that refuse say so in the language of the page.
    let ana = server.user("ana", "reviewer");
    ana.post("/language", &[("language", "es")]);
    browser.click("form[action='/logout'] button");
    browser.log_in("ana", OWN_PASSWORD);
    browser.go("/reports");
    browser.see("[role=alert]", "Su rol no permite");
    browser.look("7-not-allowed");
    browser.go("/cases/none");
    browser.see("[role=alert]", "No hay nada en esta dirección");
    browser.look("8-not-found");
}
