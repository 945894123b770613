//! The report over the API, as JSON or to be saved.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse as _, Response};
use chrono::NaiveDate;
use dossier::report::{GroupBy, ReportFormat, ReportQuery, render};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Query;
use crate::server::problem::Problem;
use crate::server::state::AppState;

#[derive(Debug, Default, Clone, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ExportQuery {
    from: Option<String>,
    to: Option<String>,
    flow: Option<String>,
    by: Option<String>,
    /// `json` (usual), `csv`, `xlsx` or `html`.
    format: Option<String>,
    /// Which table, for CSV.
    table: Option<String>,
}

impl ExportQuery {
    fn asked(&self) -> Result<ReportQuery, Problem> {
        let day = |name: &'static str, text: &Option<String>| {
            let Some(text) = text.as_deref().filter(|text| !text.is_empty()) else { return Ok(None) };
            let day: Result<NaiveDate, _> = text.parse();
            day.map(Some).map_err(|_| Problem::bad_request("a day is written YYYY-MM-DD").about(name))
        };
        let by = self.by.as_deref().unwrap_or("flow");
        let by = GroupBy::parse(by)
            .ok_or_else(|| Problem::bad_request("cases are not grouped by that").about("by"))?;
        Ok(ReportQuery {
            from: day("from", &self.from)?,
            to: day("to", &self.to)?,
            flow: self.flow.clone().filter(|flow| !flow.is_empty()),
            by,
        })
    }
}

/// `GET /api/v1/report`: what `dossier report --format json` prints; `format` gives other forms.
#[utoipa::path(
    get,
    path = "/api/v1/report",
    tag = "reports",
    params(ExportQuery),
    responses((status = 200, description = "The report", content(
        (Object = "application/json"), (String = "text/csv"), (String = "text/html"),
        (Vec<u8> = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet")
    )))
)]
pub(crate) async fn report(
    State(state): State<AppState>,
    Query(query): Query<ExportQuery>,
) -> Result<Response, Problem> {
    let asked = query.asked()?;
    let (format, kind, ending) = match query.format.as_deref().unwrap_or("json") {
        "json" => (ReportFormat::Json, "application/json", None),
        "csv" => (ReportFormat::Csv, "text/csv; charset=utf-8", Some("csv")),
        "xlsx" => (
            ReportFormat::Xlsx,
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Some("xlsx"),
        ),
        "html" => (ReportFormat::Html, "text/html; charset=utf-8", Some("html")),
        _ => return Err(Problem::bad_request("there is no such format").about("format")),
    };
    let report = state.shop.store.report(&asked, &state.shop.policies(), state.now()).await?;
    let table = query.table.as_deref().filter(|table| !table.is_empty());
    if table.is_some_and(|table| !report.sheets().iter().any(|sheet| sheet.code == table)) {
        return Err(Problem::bad_request("the report has no such table").about("table"));
    }
    let name = table.unwrap_or("report").to_owned();
    // Writing a spreadsheet takes a while.
    let bytes = tokio::task::spawn_blocking(move || render(&report, format, Some(&name)))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| Problem::internal(&error))?;
    let mut response = ([(header::CONTENT_TYPE, kind)], bytes).into_response();
    if let Some(ending) = ending {
        let name = format!("attachment; filename=\"dossier-{}.{ending}\"", table.unwrap_or("report"));
        // Names of tables are ASCII.
        if let Ok(value) = HeaderValue::from_str(&name) {
            response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
        }
    }
    Ok(response)
}
