//! The review station in a real browser: a whole shift, and what may go wrong in the middle of one.
//! Screenshots of each page are left in `target/tmp/screenshots`.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use thirtyfour::Key;

use crate::browser::Browser;
use crate::server::{Client, OWN_PASSWORD, Server, copy};
use crate::serving::with_other_limit;

fn loan() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fixtures/loan")
}

/// A server whose loan flow is never sure of two values, so that an application that is all right comes
/// to a person who is asked about just these. What the other flows decide by themselves is drawn for
/// blind reviews.
pub(crate) fn doubtful_server() -> Server {
    let folder = tempfile::tempdir().unwrap();
    let rules = folder.path().join("rules");
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../rules"), &rules);
    let flow = rules.join("consumer_loan/flow.toml");
    let config = std::fs::read_to_string(&flow).unwrap();
    let doubts = "[confidence.fields]\n\"contract.instalment\" = 1.0\n\"payslip.net_pay\" = 1.0\n";
    assert!(config.contains("[confidence.fields]\n"));
    std::fs::write(&flow, config.replace("[confidence.fields]\n", doubts)).unwrap();
    for other in ["energy_claim", "insurance_claim"] {
        let flow = rules.join(other).join("flow.toml");
        let config = std::fs::read_to_string(&flow).unwrap();
        let drawn = config.replace("sample_share = 0.05", "sample_share = 1.0");
        assert_ne!(config, drawn);
        std::fs::write(&flow, drawn).unwrap();
    }
    Server::start_with(folder, "rules = \"rules\"\n")
}

/// Drops some files of the application in under a reference.
pub(crate) fn drop_loan(server: &Server, reference: &str, files: &[&str]) {
    let case = server.inbox().join("consumer_loan").join(reference);
    std::fs::create_dir_all(&case).unwrap();
    for file in files {
        std::fs::copy(loan().join(file), case.join(file)).unwrap();
    }
    std::fs::write(case.join(".ready"), "").unwrap();
}

/// Samples of the other flows.
const CLAIMS: [(&str, &str); 2] = [("energy_claim", "E-3106"), ("insurance_claim", "S-3116")];

pub(crate) const ALL: [&str; 5] =
    ["application.json", "contract.pdf", "movimientos.pdf", "pasaporte.pdf", "recibo_nomina.pdf"];

fn field<'a>(case: &'a Value, document_type: &str, name: &str) -> (usize, &'a Value) {
    let documents = case["documents"].as_array().unwrap();
    let index = documents.iter().position(|document| document["type"] == document_type).unwrap();
    (index, &documents[index]["fields"][name])
}

fn box_of(field: &Value) -> [f64; 4] {
    serde_json::from_value(field["box"].clone()).unwrap()
}

fn read(client: &Client, case: &Value) -> Value {
    client.json(&format!("/api/v1/cases/{}", case["id"].as_str().unwrap()))
}

#[test]
fn a_whole_shift() {
    let server = doubtful_server();
    let Some(browser) = Browser::open(&server, "shift") else { return };
    let (ana, bruno) = (server.user("ana", "reviewer"), server.user("bruno", "reviewer"));
    ana.post("/language", &[("language", "es")]);
    drop_loan(&server, "S-1", &ALL);
    let first = ana.wait_for("S-1", "in_review");
    // What the rules decide by themselves meanwhile.
    for (flow, reference) in CLAIMS {
        server.drop_sample(flow, reference, reference);
    }

    browser.go("/queue");
    browser.look("1-login");
    browser.log_in("ana", OWN_PASSWORD);
    browser.go("/queue");
    browser.see("table.list", "S-1");
    browser.look("2-queue");
    browser.click("form[action='/queue/next'] button");
    browser.see_station();
    browser.see(".verdict", "Revisar");
    browser.see(".box.marked", "");
    browser.look("3-why-it-is-here");

    // The keys are told; the dialog takes the focus and gives it back.
    browser.press("?");
    browser.see("dialog[open]", "Teclas");
    browser.look("4-keys");
    browser.press(Key::Escape);

    let (contract, instalment) = field(&first, "contract", "instalment");
    let (payslip, net_pay) = field(&first, "payslip", "net_pay");
    let (instalment_row, net_pay_row) = (format!("d{contract}-instalment"), format!("d{payslip}-net_pay"));

    // By keyboard alone: to the first question, a slip of the fingers is told at once, put right, and on.
    browser.press("w");
    browser.press(Key::Enter);
    browser.see(&format!("#{net_pay_row}.current"), "");
    browser.retype("17455,60");
    browser.press(Key::Enter);
    browser.see(".announce", "Guardado");
    browser.see(&format!("#{net_pay_row} .tag.good"), "confirmado");
    browser.see(&format!("#{instalment_row}.current"), "");
    assert_eq!(browser.run("return document.activeElement.id"), json!(format!("v-{instalment_row}")));
    browser.retype("465,48");
    browser.see(&format!("#{instalment_row} .would"), "Con este valor: Revisar");
    browser.press(Key::Enter);
    browser.see(".reasons", "Contrato incoherente");
    browser.see(".reasons", "Ingreso sin confirmar");
    browser.look("5-a-slip-is-told");

    // By mouse: the field, then the words on the page.
    browser.click(&format!("#v-{instalment_row}"));
    browser.drag_over(box_of(instalment));
    browser.see(".announce", "Rellenado");
    browser.see(&format!("#v-{instalment_row}"), "48");
    browser.look("6-words-from-the-page");
    browser.press(Key::Enter);
    browser.see(&format!("#{instalment_row}:not(.dirty) .tag.good"), "confirmado");
    browser.click(&format!("#v-{net_pay_row}"));
    browser.see(&format!("[data-sheet][data-document='{payslip}'][aria-current]"), "");
    browser.see("#sheet:not(.loading)", "");
    browser.drag_over(box_of(net_pay));
    browser.see(&format!("#v-{net_pay_row}"), "1.745,56");
    browser.see(&format!("#{net_pay_row} .would"), "Aceptar");
    browser.press(Key::Enter);
    browser.see("#verdict", "Aceptar");
    browser.look("7-by-the-rules-it-is-accepted");
    let corrected = read(&ana, &first);
    let (_, found) = field(&corrected, "contract", "instalment");
    assert_eq!((found["value"].as_str(), found["confirmed"].as_bool()), (Some("456.48"), Some(true)));
    let moved = box_of(found).into_iter().zip(box_of(instalment)).map(|(one, other)| (one - other).abs());
    assert!(moved.fold(0.0, f64::max) < 0.03, "the place of the words is recorded: {found}");

    // A page that lies on its side is turned back; boxes turn with it.
    browser.press(Key::Escape);
    browser.press("o");
    browser.press("+");
    browser.look("8-turned-and-larger");
    browser.press("0");

    rows_are_checked_as_one_types(&browser, &first);

    browser.run("document.activeElement.blur()");
    browser.press("a");
    browser.see("#decision-sheet", "Decisión: Aceptar");
    browser.press("Todo coincide con los documentos.");
    browser.look("10-decide");
    browser.press_control(Key::Enter);
    browser.see("p[role=status]", "El expediente está decidido");
    let decided = read(&ana, &first);
    assert_eq!((decided["outcome"].as_str(), decided["mode"].as_str()), (Some("accept"), Some("hybrid")));

    a_locked_case_and_a_request(&server, &browser, &ana, &bruno);
    the_manager_reads_what_was_done(&server, &browser);
    the_other_pages(&server, &browser, first["id"].as_str().unwrap());
}

/// Logs the person before out and another in.
fn change_shift(server: &Server, browser: &Browser, login: &str, role: &str) -> Client {
    let client = server.user(login, role);
    client.post("/language", &[("language", "es")]);
    browser.click("form[action='/logout'] button");
    browser.see("input[name=login]", "");
    browser.log_in(login, OWN_PASSWORD);
    client
}

/// The figures of the split by flow, from the cells of its table, each with the place where it leads.
fn split_on_the_page(browser: &Browser) -> Value {
    browser.run(
        "const table = document.querySelector('[aria-labelledby=t-split] table');
         const row = (line) => [...line.children].map((cell) => cell.firstChild.textContent.trim());
         return [...table.rows].map(row)",
    )
}

/// The split equals what was done: two applications that Ana decided with what the machine had read,
/// and two claims that the rules decided or left to people.
fn the_manager_reads_what_was_done(server: &Server, browser: &Browser) {
    let manager = change_shift(server, browser, "gil", "manager");
    for (_, reference) in CLAIMS {
        let is_read = |case: &Value| case["state"] != "processing";
        manager.wait_until(reference, is_read);
    }
    browser.go("/reports");
    browser.see("[aria-labelledby=t-split] tr.total", "");
    browser.look("15-reports");
    let split = split_on_the_page(browser);
    let column = |name: &str| {
        let headings = split[0].as_array().unwrap();
        headings.iter().position(|heading| heading == name).unwrap_or_else(|| panic!("{name} in {split}"))
    };
    let total = split.as_array().unwrap().last().unwrap();
    let figure = |name: &str| total[column(name)].as_str().unwrap().parse::<usize>().unwrap();
    let listed =
        |filter: &str| manager.json(&format!("/api/v1/cases?{filter}"))["cases"].as_array().unwrap().len();
    let e2e = listed("mode=e2e");
    assert!(e2e > 0, "the rules decide one of the claims");
    assert_eq!((figure("Automáticos"), figure("Híbridos"), figure("Manuales")), (e2e, 2, 0), "{split}");
    assert_eq!(figure("Expedientes"), 2 + CLAIMS.len(), "{split}");
    // A figure leads to its cases.
    let hybrid = column("Híbridos") + 1;
    browser.click(&format!("[aria-labelledby=t-split] tr.total td:nth-child({hybrid}) a"));
    browser.see("table.list", "S-1");
    browser.see("table.list", "R-1");
    assert_eq!(browser.run("return document.querySelectorAll('table.list tbody tr').length"), json!(2));
    browser.look("16-cases-behind-a-figure");
    for (number, view) in ["trend", "decisions", "fields", "times", "people", "quality"].iter().enumerate() {
        browser.go(&format!("/reports?view={view}"));
        browser.see(".sheet h2", "");
        browser.look(&format!("17-{number}-reports-{view}"));
    }
}

/// Names of declared values that are keys.
const RAW_NAMES: &str = "const names = [...document.querySelectorAll('[aria-labelledby=declared] dt')];
    return names.map((name) => name.textContent).filter((name) => /[._]/.test(name))";

/// Every other page, as somebody sees it who may see all.
fn the_other_pages(server: &Server, browser: &Browser, case: &str) {
    change_shift(server, browser, "ada", "administrator");
    browser.go("/cases");
    browser.see("table.list", "S-1");
    browser.see("table.list", "oculto");
    browser.look("18-cases");
    browser.go("/blind");
    browser.look("19-blind");
    browser.click("form[action='/blind/next'] button");
    browser.see("#judge", "");
    browser.see("figure img", "");
    browser.see("[aria-labelledby=declared] dt", "correo electrónico");
    assert_eq!(browser.run(RAW_NAMES), json!([]), "what was declared is named in words");
    browser.see_pictures();
    browser.look("20-blind-case");
    browser.run("window.scrollTo(0, document.body.scrollHeight)");
    browser.see_pictures();
    browser.look("20-blind-case-below");
    browser.click("[name=reason]");
    browser.press("Así lo veo.");
    browser.click("button[value=accept]");
    browser.see("[role=status]", "");
    browser.look("21-blind-done");
    browser.go(&format!("/cases/{case}/history"));
    browser.see("table.list", "");
    browser.look("22-history");
    browser.go("/users");
    browser.see("table.list", "gil");
    browser.look("23-users");
    // Swagger UI is not ours to colour; under the strict policy it has to work.
    browser.go("/api/docs");
    browser.see("#swagger-ui .opblock-summary-path", "/api");
    browser.picture("24-api");
}

/// The statement's table: a wrong amount shows at its row, and what was changed can be undone.
fn rows_are_checked_as_one_types(browser: &Browser, case: &Value) {
    let (statement, rows) = field(case, "bank_statement", "transactions");
    let table = format!("#d{statement}-transactions");
    let count = rows["value"].as_array().unwrap().len();
    // A failing check named it before, which opened it.
    browser.see(&format!("{table} details[open] .sum"), "cuadra");
    browser.click(&format!("{table} tbody tr:nth-child(2) [data-cell=amount]"));
    browser.retype("-1,00");
    browser.see(&format!("{table} tr.bad .check"), "✗");
    browser.see(&format!("{table} .would"), "Revisar");
    browser.look("9-a-row-that-does-not-follow");
    browser.click(&format!("{table} tbody tr:nth-child(2) [data-row=delete]"));
    browser.click(&format!("{table} [data-row=add]"));
    browser.click(&format!("{table} [data-row=undo]"));
    browser.see(&format!("{table}:not(.dirty) .sum"), "cuadra");
    let left = browser.run(&format!("return document.querySelectorAll('{table} tbody tr').length"));
    assert_eq!(left, json!(count));
}

fn a_locked_case_and_a_request(server: &Server, browser: &Browser, ana: &Client, bruno: &Client) {
    drop_loan(server, "R-1", &ALL[..4]);
    let case = ana.wait_for("R-1", "in_review");
    let id = case["id"].as_str().unwrap().to_owned();
    let (status, lease) = bruno.post_json(&format!("/api/v1/cases/{id}/lease"), &json!({}));
    assert_eq!(status, 200, "{lease}");
    browser.go(&format!("/cases/{id}"));
    browser.see_station();
    browser.see("#held", "bruno");
    assert!(!browser.has("#claim") && !browser.has("#decide") && !browser.has("[data-value]"));
    browser.look("11-a-locked-case");

    // He gives it back, and the open page follows.
    bruno.call("DELETE", &format!("/api/v1/cases/{id}/lease?generation={}", lease["generation"]));
    browser.see("#claim", "");
    browser.click("#claim");
    browser.see("#decide", "");
    browser.see_station();
    browser.see(".reasons", "Falta un documento");
    browser.see(".questions a", "cuota");
    browser.press(Key::Enter);
    browser.press(Key::Enter);
    browser.see("#verdict", "Pedir documentos");
    browser.press(Key::Escape);
    browser.press("d");
    browser.see("#request", "la nómina");
    assert!(browser.value("#message").contains("- la nómina"), "the message is drafted");
    browser.click("[data-wanted=contract]");
    browser.see("#message", "- el contrato");
    browser.click("[data-wanted=contract]");
    assert!(!browser.value("#message").contains("el contrato"));
    browser.click("#reason");
    browser.press("Falta la nómina.");
    browser.look("12-request-documents");
    browser.click("#confirm-decision");
    browser.see("p[role=status]", "espera");
    assert_eq!(read(ana, &case)["state"], "waiting_documents");

    drop_loan(server, "R-1", &ALL[4..]);
    ana.wait_for("R-1", "in_review");
    browser.go("/queue");
    browser.click("form[action='/queue/next'] button");
    browser.see_station();
    browser.see(".questions a", "líquido a percibir");
    assert!(!browser.text(".questions").contains("cuota"), "what was confirmed before is not asked again");
    browser.look("13-resumed");
    browser.press(Key::Enter);
    browser.press(Key::Enter);
    browser.see("#verdict", "Aceptar");
    browser.press(Key::Escape);
    browser.press("a");
    browser.press("Completo.");
    browser.press_control(Key::Enter);
    browser.see("p[role=status]", "El expediente está decidido");
    let decided = read(ana, &case);
    assert_eq!((decided["state"].as_str(), decided["outcome"].as_str()), (Some("final"), Some("accept")));
    browser.go(&format!("/cases/{id}"));
    browser.see_station();
    browser.see("#verdict", "Aceptar");
    browser.look("14-decided");
}

#[test]
fn nothing_that_was_typed_is_lost() {
    let server = doubtful_server();
    let Some(browser) = Browser::open(&server, "typed") else { return };
    let (ana, sol) = (server.user("ana", "reviewer"), server.user("sol", "senior"));
    ana.post("/language", &[("language", "es")]);
    drop_loan(&server, "T-1", &ALL);
    let case = ana.wait_for("T-1", "in_review");
    let id = case["id"].as_str().unwrap().to_owned();
    let (document, _) = field(&case, "payslip", "employer_name");
    let row = format!("d{document}-employer_name");
    let control = format!("#v-{row}");
    browser.log_in("ana", OWN_PASSWORD);
    browser.click("form[action='/queue/next'] button");
    browser.see_station();

    // A reload in the middle.
    browser.click(&control);
    browser.retype("Conservas Nuevas, S.A.");
    browser.see(&format!("#{row}.dirty"), "");
    browser.reload();
    browser.see_station();
    browser.see(&control, "Conservas Nuevas, S.A.");

    // The case changes elsewhere: the first save is refused, said plainly, and what was typed stays.
    let generation = browser.run("return Number(document.getElementById('desk').dataset.generation)");
    let (payslip, _) = field(&case, "payslip", "net_pay");
    let confirm = json!({"generation": generation, "revision": read(&ana, &case)["revision"],
                         "action": "confirm", "document": payslip, "field": "net_pay"});
    let (status, answer) = ana.post_json(&format!("/api/v1/cases/{id}/corrections"), &confirm);
    assert_eq!(status, 200, "{answer}");
    browser.click(&control);
    browser.press(Key::Enter);
    browser.see("#notices", "ha cambiado mientras tanto");
    browser.see(&control, "Conservas Nuevas, S.A.");
    browser.look("1-stale");
    assert_ne!(field(&read(&ana, &case), "payslip", "employer_name").1["value"], "Conservas Nuevas, S.A.");

    // A senior takes it away: the page says so by itself.
    let taken = sol.call("DELETE", &format!("/api/v1/cases/{id}/lease"));
    assert_eq!(taken.status(), 204);
    browser.see("#notices", "ya no está en sus manos");
    browser.see(&control, "Conservas Nuevas, S.A.");
    browser.look("2-lost");
    browser.click("[data-notice=lost] button");
    browser.see(".announce", "vuelve a estar");
    browser.click(&control);
    browser.press(Key::Enter);
    browser.see(&format!("#{row} .tag.good"), "confirmado");
    assert_eq!(field(&read(&ana, &case), "payslip", "employer_name").1["value"], "Conservas Nuevas, S.A.");

    // A value that is none.
    let (contract, _) = field(&case, "contract", "contract_date");
    browser.click(&format!("#v-d{contract}-contract_date"));
    browser.retype("ayer");
    browser.press(Key::Enter);
    browser.see(&format!("#d{contract}-contract_date .wrong"), "fecha");
    browser.look("3-no-date");
    browser.retype("03/06/2026");
    browser.press(Key::Enter);
    browser.see(&format!("#d{contract}-contract_date .tag.good"), "confirmado");

    a_table_is_saved_and_a_document_split(&browser, &ana, &case);

    // A double click decides once.
    browser.run("document.activeElement.blur()");
    browser.press("r");
    browser.press("No procede.");
    browser.run("const button = document.getElementById('confirm-decision'); button.click(); button.click()");
    browser.see("p[role=status]", "El expediente está decidido");
    let trail = server.user("eva", "auditor").json(&format!("/api/v1/cases/{id}/events"));
    let judged = trail["events"].as_array().unwrap().iter().filter(|event| event["kind"] == "judged");
    assert_eq!(judged.count(), 1);
    assert_eq!(browser.run("return sessionStorage.length"), json!(0), "nothing of the case stays in the tab");
    assert!(browser.path().starts_with("/queue"));
}

#[test]
fn the_rules_change_under_an_open_case() {
    let server = doubtful_server();
    let Some(browser) = Browser::open(&server, "rules") else { return };
    let ana = server.user("ana", "reviewer");
    ana.post("/language", &[("language", "es")]);
    drop_loan(&server, "U-1", &ALL);
    let case = ana.wait_for("U-1", "in_review");
    let (document, _) = field(&case, "payslip", "employer_name");
    let row = format!("d{document}-employer_name");
    browser.log_in("ana", OWN_PASSWORD);
    browser.click("form[action='/queue/next'] button");
    browser.see_station();
    browser.click(&format!("#v-{row}"));
    browser.retype("Conservas Nuevas, S.A.");
    browser.see(&format!("#{row}.dirty"), "");

    let _server = with_other_limit(server);
    browser.click(&format!("#v-{row}"));
    browser.press(Key::Enter);
    browser.see("#notices", "Las reglas han cambiado");
    browser.see(".reasons", "supera el máximo");
    browser.see(&format!("#v-{row}"), "Conservas Nuevas, S.A.");
    assert_eq!(read(&ana, &case)["documents"], case["documents"], "nothing was saved");
    browser.look("1-rules-changed");
    browser.click(&format!("#v-{row}"));
    browser.press(Key::Enter);
    browser.see(&format!("#{row} .tag.good"), "confirmado");
    assert_eq!(field(&read(&ana, &case), "payslip", "employer_name").1["value"], "Conservas Nuevas, S.A.");
}

fn a_table_is_saved_and_a_document_split(browser: &Browser, ana: &Client, case: &Value) {
    let (statement, rows) = field(case, "bank_statement", "transactions");
    let count = rows["value"].as_array().unwrap().len();
    let table = format!("#d{statement}-transactions");
    browser.click(&format!("{table} summary"));
    browser.click(&format!("{table} tbody tr:nth-child(1) [data-row=delete]"));
    browser.see(&format!("{table} .sum.bad"), "se aparta");
    browser.click(&format!("{table} [data-row=save]"));
    browser.see(".reasons", "Extracto incoherente");
    let saved = read(ana, case);
    let (_, found) = field(&saved, "bank_statement", "transactions");
    assert_eq!(found["value"].as_array().unwrap().len(), count - 1);
    assert_eq!(found["confirmed"], true);
    let failed = found["checks"].as_array().unwrap().iter().all(|check| check["passed"] == false);
    assert!(failed && !found["checks"].as_array().unwrap().is_empty(), "{}", found["checks"]);

    // The second page of the contract is something else.
    let (contract, _) = field(case, "contract", "instalment");
    browser.click(&format!("#reshape{contract} summary"));
    browser.click(&format!("[data-split=\"{contract}\"] [name=begins]"));
    browser.run(&format!(
        "document.querySelector('[data-split=\"{contract}\"] li:nth-child(2) select').value = 'unknown'"
    ));
    browser.look("4-split");
    browser.click(&format!("[data-split=\"{contract}\"] button"));
    browser.see(".announce", "Guardado");
    let split = read(ana, case);
    assert_eq!(split["documents"].as_array().unwrap().len(), 5);
    assert_eq!(split["documents"][contract + 1]["type"], "unknown");
    browser.see(&format!("#doc{} h2", contract + 1), "");
    browser.look("5-after-the-split");

    // It is a payslip after all, one says, and it is read as that.
    let parted = contract + 1;
    browser.click(&format!("#reshape{parted} summary"));
    browser.run(&format!("document.querySelector('[data-retype=\"{parted}\"] select').value = 'payslip'"));
    browser.click(&format!("[data-retype=\"{parted}\"] button"));
    browser.see(&format!("#doc{parted} h2"), "Nómina");
    let retyped = read(ana, case);
    assert_eq!(retyped["documents"][parted]["type"], "payslip");
    assert_eq!(
        retyped["documents"][parted]["parts"], split["documents"][parted]["parts"],
        "its pages are the same"
    );
    browser.look("6-after-the-retyping");
}
