//! Where the automation stands, for managers. Every figure that counts cases leads to them.

use askama::Template;
use axum::extract::{Extension, Query, State};
use axum::response::Html;
use chrono::{Days, NaiveDate};
use dossier::report::chart::{Bars, Lines, Stacks};
use dossier::report::{CasesLink, Cell, GroupBy, Report, ReportQuery, Sheet, duration};
use serde::Deserialize;

use super::given;
use super::queue::{flow_titles, title_of};
use crate::server::access::Signed;
use crate::server::language::Language;
use crate::server::problem::Problem;
use crate::server::session::escape;
use crate::server::state::AppState;
use crate::server::view::Page;

/// What the page shows at first, in days.
const USUAL_DAYS: u64 = 30;
/// Parts of the page with their tables.
const VIEWS: [(&str, &[&str]); 7] = [
    ("overview", &["split", "automation"]),
    ("trend", &["periods"]),
    ("decisions", &["outcomes", "reasons"]),
    ("fields", &["fields"]),
    ("times", &["times", "backlog", "stages", "machine"]),
    ("people", &["reviewers", "effort"]),
    ("quality", &["quality"]),
];
const FORMATS: [&str; 3] = ["xlsx", "json", "html"];
/// Bars of a chart that can still be read.
const MOST_BARS: usize = 10;

#[derive(Debug, Default, Clone, Deserialize)]
pub(crate) struct ReportsQuery {
    /// Absent on the first look; empty when the period is open.
    from: Option<String>,
    to: Option<String>,
    flow: Option<String>,
    by: Option<String>,
    view: Option<String>,
}

#[derive(Template)]
#[template(path = "reports.html")]
struct ReportsPage<'a> {
    page: Page<'a>,
    from: String,
    to: String,
    flow: String,
    by: &'static str,
    view: &'static str,
    flows: Vec<(String, String)>,
    groups: Vec<&'static str>,
    /// Names of the parts with their addresses.
    views: Vec<(&'static str, String)>,
    exports: Vec<(&'static str, String)>,
    figures: Vec<(&'static str, String, String)>,
    charts: Vec<String>,
    tables: Vec<TableView>,
    uncounted: u64,
}

struct TableView {
    code: &'static str,
    headings: Vec<HeadingView>,
    rows: Vec<Vec<CellView>>,
    has_total: bool,
    csv: String,
}

struct HeadingView {
    text: String,
    is_number: bool,
}

struct CellView {
    text: String,
    /// The share beside a count.
    share: String,
    link: Option<String>,
    is_number: bool,
}

impl ReportsPage<'_> {
    fn is_flow(&self, name: &str) -> bool {
        self.flow == name
    }

    fn is_by(&self, name: &str) -> bool {
        self.by == name
    }

    fn is_view(&self, name: &str) -> bool {
        self.view == name
    }
}

impl TableView {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
    fn is_total(&self, index: &usize) -> bool {
        self.has_total && *index + 1 == self.rows.len()
    }
}

/// `GET /reports`
pub(crate) async fn show(
    State(state): State<AppState>,
    Extension(signed): Extension<Signed>,
    Extension(language): Extension<Language>,
    Query(query): Query<ReportsQuery>,
) -> Result<Html<String>, Problem> {
    let asked = asked(&query, state.shop.clock.today());
    let report = state.shop.store.report(&asked, &state.shop.policies(), state.now()).await?;
    let view = VIEWS.iter().find(|(name, _)| query.view.as_deref() == Some(name)).unwrap_or(&VIEWS[0]);
    let words =
        Words { state: &state, page: Page::new(language, None, ""), flows: flow_titles(&state, language) };
    let address = Address { asked: &asked };
    let sheets = report.sheets();
    let tables = sheets.iter().filter(|sheet| view.1.contains(&sheet.code));
    let page = ReportsPage {
        page: Page::new(language, Some(&signed), "reports"),
        from: asked.from.map(|day| day.to_string()).unwrap_or_default(),
        to: asked.to.map(|day| day.to_string()).unwrap_or_default(),
        flow: asked.flow.clone().unwrap_or_default(),
        by: asked.by.as_str(),
        view: view.0,
        groups: GroupBy::ALL.map(GroupBy::as_str).to_vec(),
        views: VIEWS.iter().map(|(name, _)| (*name, address.view(name))).collect(),
        exports: FORMATS.map(|format| (format, address.export(format, None))).to_vec(),
        figures: words.figures(&report),
        charts: words.charts(&report, view.0),
        tables: tables.map(|sheet| words.table(sheet, &asked, &address)).collect(),
        uncounted: report.uncounted,
        flows: words.flows.clone(),
    };
    Ok(Html(page.render()?))
}

/// A day that is none, or a group that there is not, is as if it were left out.
fn asked(query: &ReportsQuery, today: NaiveDate) -> ReportQuery {
    let day = |text: &Option<String>| text.as_deref().and_then(|text| text.trim().parse().ok());
    let usual = today.checked_sub_days(Days::new(USUAL_DAYS - 1));
    ReportQuery {
        from: if query.from.is_none() { usual } else { day(&query.from) },
        to: day(&query.to),
        flow: given(query.flow.clone()),
        by: query.by.as_deref().and_then(GroupBy::parse).unwrap_or(GroupBy::Flow),
    }
}

/// Addresses of what shows the same cases in another way.
struct Address<'a> {
    asked: &'a ReportQuery,
}

impl Address<'_> {
    fn parameters(&self) -> String {
        let day = |day: Option<NaiveDate>| day.map(|day| day.to_string()).unwrap_or_default();
        let flow = self.asked.flow.as_deref().unwrap_or_default();
        format!(
            "from={}&to={}&flow={}&by={}",
            day(self.asked.from),
            day(self.asked.to),
            escape(flow),
            self.asked.by.as_str()
        )
    }

    fn view(&self, name: &str) -> String {
        format!("/reports?{}&view={name}", self.parameters())
    }

    fn export(&self, format: &str, table: Option<&str>) -> String {
        let table = table.map(|table| format!("&table={table}")).unwrap_or_default();
        format!("/api/v1/report?{}&format={format}{table}", self.parameters())
    }
}

/// Figures in the language of the page.
struct Words<'a> {
    state: &'a AppState,
    page: Page<'a>,
    flows: Vec<(String, String)>,
}

impl Words<'_> {
    /// The four figures that a manager looks at first: code, figure, and what it is of.
    fn figures(&self, report: &Report) -> Vec<(&'static str, String, String)> {
        let total = &report.total;
        let decided = total.e2e + total.hybrid + total.manual;
        let sum = |figure: fn(&dossier::report::Automation) -> u64| {
            report.automation.values().map(|line| figure(&line.counts)).sum::<u64>()
        };
        let share = |part: u64, whole: u64| {
            if whole == 0 { "–".to_owned() } else { self.page.percent(&(part as f64 / whole as f64)) }
        };
        let of = |part: u64, whole: u64| format!("{} / {}", self.number(part), self.number(whole));
        let (documents, untouched) =
            (sum(|counts| u64::from(counts.documents)), sum(|counts| u64::from(counts.documents_untouched)));
        let (fields, automated) = (sum(|counts| counts.fields), sum(|counts| counts.fields_untouched));
        let (e2e, decided) = (u64::from(total.e2e), u64::from(decided));
        vec![
            ("report.figure.cases", share(e2e, decided), of(e2e, decided)),
            ("report.figure.documents", share(untouched, documents), of(untouched, documents)),
            ("report.figure.fields", share(automated, fields), of(automated, fields)),
            (
                "report.figure.open",
                self.number(u64::from(total.waiting + total.review)),
                of(u64::from(total.waiting + total.review), u64::from(total.cases)),
            ),
        ]
    }

    fn number(&self, number: u64) -> String {
        self.page.money(&number.to_string())
    }

    fn charts(&self, report: &Report, view: &str) -> Vec<String> {
        if report.periods.is_empty() {
            return Vec::new();
        }
        match view {
            "overview" => vec![self.split_chart(report)],
            "trend" => vec![self.split_chart(report), self.automation_chart(report)],
            "decisions" => vec![self.reasons_chart(report)],
            "times" => vec![self.stages_chart(report)],
            _ => Vec::new(),
        }
    }

    fn split_chart(&self, report: &Report) -> String {
        let bars = report.periods.iter();
        let chart = Stacks {
            title: self.page.t("report.chart.split"),
            series: vec![
                self.page.t("mode.e2e"),
                self.page.t("mode.hybrid"),
                self.page.t("mode.manual"),
                self.page.t("report.chart.open"),
            ],
            bars: bars.map(|line| (line.period.label.clone(), line.split.parts().to_vec())).collect(),
        };
        chart.svg(230.0)
    }

    fn automation_chart(&self, report: &Report) -> String {
        let points = report.periods.iter().map(|line| {
            let automation = &line.automation;
            let shares = [automation.cases_share, automation.documents_share, automation.fields_share];
            (line.period.label.clone(), shares.to_vec())
        });
        let chart = Lines {
            title: self.page.t("report.chart.automation"),
            series: vec![
                self.page.t("report.figure.cases"),
                self.page.t("report.figure.documents"),
                self.page.t("report.figure.fields"),
            ],
            points: points.collect(),
        };
        chart.svg(230.0)
    }

    fn reasons_chart(&self, report: &Report) -> String {
        let bars = report.reasons.iter().take(MOST_BARS).map(|line| {
            let cases = line.counts.cases;
            (self.page.code("reason", &line.code), f64::from(cases), self.number(u64::from(cases)))
        });
        Bars { title: self.page.t("report.title.reasons"), bars: bars.collect() }.svg()
    }

    fn stages_chart(&self, report: &Report) -> String {
        let bars = report.stages.iter().map(|line| {
            let share = line.share.map(|share| self.page.percent(&share)).unwrap_or_default();
            let figure = format!("{} · {share}", duration(line.total_s));
            (self.page.code("stage", line.stage.as_str()), line.total_s as f64, figure)
        });
        Bars { title: self.page.t("report.title.stages"), bars: bars.collect() }.svg()
    }

    fn table(&self, sheet: &Sheet, asked: &ReportQuery, address: &Address<'_>) -> TableView {
        let is_number = |index: usize| {
            sheet.rows.first().and_then(|row| row.get(index)).is_some_and(|cell| !is_word(cell))
        };
        let headings = sheet.columns.iter().enumerate().map(|(index, column)| {
            let key = match column.code {
                "group" => format!("report.by.{}", asked.by.as_str()),
                code => format!("report.col.{code}"),
            };
            HeadingView { text: self.page.t(&key).to_owned(), is_number: is_number(index) }
        });
        TableView {
            code: sheet.code,
            headings: headings.collect(),
            rows: sheet.rows.iter().map(|row| row.iter().map(|cell| self.cell(cell)).collect()).collect(),
            has_total: sheet.has_total,
            csv: address.export("csv", Some(sheet.code)),
        }
    }

    fn cell(&self, cell: &Cell) -> CellView {
        let (text, share) = match cell {
            Cell::Word(family, code) => (self.word(family, code), String::new()),
            Cell::Count { count, of, .. } => {
                let share = of.filter(|of| *of > 0).map(|of| *count as f64 / of as f64);
                (self.number(*count), share.map(|share| self.page.percent(&share)).unwrap_or_default())
            }
            Cell::Share(share) => {
                (share.map(|share| self.page.percent(&share)).unwrap_or_default(), String::new())
            }
            Cell::Seconds(seconds) => (seconds.map(duration).unwrap_or_default(), String::new()),
            Cell::Minutes(number) | Cell::Milliseconds(number) => {
                (self.page.money(&format!("{number:.0}")), String::new())
            }
            Cell::Euros(euros) => (
                euros.map(|euros| self.page.money(&format!("{euros:.2}"))).unwrap_or_default(),
                String::new(),
            ),
            Cell::Interval(rate) => {
                let text = rate.map(|rate| {
                    let percent = |share: f64| self.page.percent(&share);
                    format!("{} ({} – {})", percent(rate.rate), percent(rate.low), percent(rate.high))
                });
                (text.unwrap_or_default(), String::new())
            }
            Cell::Moment(moment) => {
                (moment.map(|moment| self.page.moment(&moment)).unwrap_or_default(), String::new())
            }
            Cell::Text(text) => (text.clone(), String::new()),
            Cell::Empty => (String::new(), String::new()),
        };
        let link = match cell {
            Cell::Count { cases: Some(link), .. } => Some(address_of(link)),
            _ => None,
        };
        CellView { text, share, link, is_number: !is_word(cell) }
    }

    fn word(&self, family: &str, code: &str) -> String {
        match family {
            "flow" => title_of(&self.flows, code),
            "field" => self.field(code),
            "group" => self.page.code("report.group", code),
            "period" => code.to_owned(),
            family => self.page.code(family, code),
        }
    }

    /// `document_type.field` in people's words.
    fn field(&self, path: &str) -> String {
        let (document_type, field) = path.split_once('.').unwrap_or(("", path));
        let engine = &self.state.shop.engine;
        let flow = engine.flow_names().into_iter().find_map(|name| engine.flow(name));
        let Some(flow) = flow else { return path.to_owned() };
        let document = type_title(self.state, self.page.language, document_type);
        format!("{document} · {}", flow.field_name(document_type, field, self.page.language.of_rules()))
    }
}

/// What people call a type of documents.
pub(super) fn type_title(state: &AppState, language: Language, document_type: &str) -> String {
    let config = state.shop.engine.understanding().document_type(document_type);
    let title = config.map(|config| match language {
        Language::Spanish => config.title.es.clone(),
        Language::English => config.title.en.clone(),
    });
    title.unwrap_or_else(|| document_type.to_owned())
}

fn is_word(cell: &Cell) -> bool {
    matches!(cell, Cell::Word(..) | Cell::Text(_))
}

/// Where the cases of a figure are listed.
fn address_of(link: &CasesLink) -> String {
    let parameters: Vec<String> =
        link.0.iter().map(|(name, value)| format!("{name}={}", escape(value))).collect();
    format!("/cases?{}", parameters.join("&"))
}

#[cfg(test)]
mod tests {
    use dossier::report::{Material, Policies};

    use super::*;

    #[test]
    fn every_table_stands_in_one_part_and_has_its_texts() {
        let all = ReportQuery { from: None, to: None, flow: None, by: GroupBy::Flow };
        let report = Report::of(&Material::default(), &all, &Policies::default());
        for sheet in report.sheets() {
            let parts = VIEWS.iter().filter(|(_, codes)| codes.contains(&sheet.code)).count();
            assert_eq!(parts, 1, "{}", sheet.code);
            let mut keys = vec![format!("report.title.{}", sheet.code), format!("report.def.{}", sheet.code)];
            let columns = sheet.columns.iter().filter(|column| column.code != "group");
            keys.extend(columns.map(|column| format!("report.col.{}", column.code)));
            for key in keys {
                assert_ne!(Language::Spanish.text(&key), key, "no text");
            }
        }
        for key in GroupBy::ALL.map(|by| format!("report.by.{}", by.as_str())) {
            assert_ne!(Language::Spanish.text(&key), key, "no text");
        }
    }

    #[test]
    fn the_first_look_is_on_the_last_month_and_an_empty_day_opens_the_period() {
        let today: NaiveDate = "2026-03-30".parse().unwrap();
        let first = asked(&ReportsQuery::default(), today);
        assert_eq!(first.from.unwrap().to_string(), "2026-03-01");
        let open = ReportsQuery { from: Some(String::new()), ..ReportsQuery::default() };
        assert_eq!(asked(&open, today).from, None);
    }
}
