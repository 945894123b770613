//! A report as text, JSON, CSV, a spreadsheet or a page.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::{Split, SplitReport};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportFormat {
    Table,
    Json,
    Csv,
    Xlsx,
    Html,
}

#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    #[error("cannot write the report as JSON")]
    Json(#[from] serde_json::Error),
    #[error("cannot write the report as CSV")]
    Csv(#[from] csv::Error),
    #[error("cannot write the report as a spreadsheet")]
    Xlsx(#[from] XlsxError),
    #[error("cannot finish the report")]
    Finish(String),
}

type Column = (&'static str, fn(&Split) -> u32);

/// Heading and figure of each count, in the order in which people read them.
const COLUMNS: [Column; 8] = [
    ("cases", |split| split.cases),
    ("accepted", |split| split.accepted),
    ("rejected", |split| split.rejected),
    ("end to end", |split| split.e2e),
    ("hybrid", |split| split.hybrid),
    ("manual", |split| split.manual),
    ("waiting for documents", |split| split.waiting),
    ("review", |split| split.review),
];

/// The report in `format`, as bytes.
///
/// # Errors
/// When the format's writer fails.
pub fn render(report: &SplitReport, format: ReportFormat) -> Result<Vec<u8>, ExportError> {
    Ok(match format {
        ReportFormat::Table => (text_table(report) + "\n").into_bytes(),
        ReportFormat::Json => {
            let mut bytes = serde_json::to_vec_pretty(report)?;
            bytes.push(b'\n');
            bytes
        }
        ReportFormat::Csv => csv_bytes(report)?,
        ReportFormat::Xlsx => xlsx_bytes(report)?,
        ReportFormat::Html => html_page(report).into_bytes(),
    })
}

fn lines(report: &SplitReport) -> impl Iterator<Item = (&str, &Split)> {
    let groups = report.groups.iter().map(|(group, split)| (group.as_str(), split));
    groups.chain(std::iter::once(("total", &report.total)))
}

fn text_table(report: &SplitReport) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    let headings = std::iter::once(report.by.as_str()).chain(COLUMNS.iter().map(|(heading, _)| *heading));
    table.set_header(headings);
    for (group, split) in lines(report) {
        let mut cells = vec![group.to_owned()];
        cells.extend(COLUMNS.iter().enumerate().map(|(index, (_, figure))| {
            let count = figure(split);
            if index == 0 { count.to_string() } else { format!("{count} ({:.0} %)", split.percent(count)) }
        }));
        table.add_row(cells);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.to_string()
}

fn csv_bytes(report: &SplitReport) -> Result<Vec<u8>, ExportError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(
        std::iter::once(report.by.as_str()).chain(COLUMNS.iter().map(|(heading, _)| *heading)),
    )?;
    for (group, split) in lines(report) {
        let figures = COLUMNS.iter().map(|(_, figure)| figure(split).to_string());
        writer.write_record(std::iter::once(group.to_owned()).chain(figures))?;
    }
    writer.into_inner().map_err(|error| ExportError::Finish(error.to_string()))
}

fn xlsx_bytes(report: &SplitReport) -> Result<Vec<u8>, ExportError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let sheet = workbook.add_worksheet().set_name("Split")?;
    sheet.write_with_format(0, 0, report.by.as_str(), &bold)?;
    for (column, (heading, _)) in (1..).zip(COLUMNS) {
        sheet.write_with_format(0, column, heading, &bold)?;
    }
    for (row, (group, split)) in (1..).zip(lines(report)) {
        sheet.write(row, 0, group)?;
        for (column, (_, figure)) in (1..).zip(COLUMNS) {
            sheet.write(row, column, figure(split))?;
        }
    }
    sheet.autofit();
    Ok(workbook.save_to_buffer()?)
}

fn html_page(report: &SplitReport) -> String {
    let cell = |tag: &str, text: &str| format!("<{tag}>{}</{tag}>", escape(text));
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Automation report</title>\n\
         <style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#1c2430}table{border-collapse:collapse}\
         th,td{padding:.35rem .8rem;border-bottom:1px solid #cfd6df;text-align:right}\
         th:first-child,td:first-child{text-align:left}tr:last-child{font-weight:600}</style>\n\
         <h1>Automation report</h1>\n<table>\n<tr>",
    );
    page.push_str(&cell("th", report.by.as_str()));
    for (heading, _) in COLUMNS {
        page.push_str(&cell("th", heading));
    }
    page.push_str("</tr>\n");
    for (group, split) in lines(report) {
        page.push_str("<tr>");
        page.push_str(&cell("td", group));
        for (_, figure) in COLUMNS {
            let count = figure(split);
            page.push_str(&cell("td", &format!("{count} ({:.0} %)", split.percent(count))));
        }
        page.push_str("</tr>\n");
    }
    page.push_str("</table>\n</html>\n");
    page
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
