//! A report as text, JSON, CSV, a spreadsheet or a page.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use rust_xlsxwriter::{Format, Workbook, XlsxError};

use super::chart::{Lines, Stacks, escape};
use super::sheet::{Cell, Sheet};
use super::summary::Report;

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

/// The report in `format`, as bytes. CSV holds one table: the one that `sheet` names, else the split;
/// text holds that one, else all.
///
/// # Errors
/// When the format's writer fails.
pub fn render(report: &Report, format: ReportFormat, sheet: Option<&str>) -> Result<Vec<u8>, ExportError> {
    Ok(match format {
        ReportFormat::Table => text(report, sheet).into_bytes(),
        ReportFormat::Json => {
            let mut bytes = serde_json::to_vec_pretty(report)?;
            bytes.push(b'\n');
            bytes
        }
        ReportFormat::Csv => {
            let sheets = report.sheets();
            let wanted = sheets.iter().find(|one| Some(one.code) == sheet);
            csv_bytes(wanted.unwrap_or(&report.split_sheet()))?
        }
        ReportFormat::Xlsx => xlsx_bytes(report)?,
        ReportFormat::Html => html_page(report).into_bytes(),
    })
}

/// The split alone, for the end of a run.
pub fn split_text(report: &Report) -> String {
    text_table(&report.split_sheet()) + "\n"
}

fn text(report: &Report, sheet: Option<&str>) -> String {
    let mut sheets = report.sheets();
    sheets.retain(|one| sheet.is_none_or(|code| code == one.code));
    let mut text = String::new();
    for sheet in sheets.iter().filter(|sheet| sheet.code == "split" || !sheet.rows.is_empty()) {
        if !text.is_empty() {
            text.push_str(&format!("\n{}\n", sheet.title));
        }
        text.push_str(&text_table(sheet));
        text.push('\n');
    }
    text
}

fn text_table(sheet: &Sheet) -> String {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header(sheet.columns.iter().map(|column| column.heading));
    for row in &sheet.rows {
        table.add_row(row.iter().map(Cell::as_text));
    }
    let is_text = |index: usize| sheet.rows.first().is_some_and(|row| row[index].is_text());
    for (index, column) in table.column_iter_mut().enumerate() {
        if !is_text(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}

fn csv_bytes(sheet: &Sheet) -> Result<Vec<u8>, ExportError> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(sheet.columns.iter().map(|column| column.heading))?;
    for row in &sheet.rows {
        writer.write_record(row.iter().map(|cell| inert(cell.as_value())))?;
    }
    writer.into_inner().map_err(|error| ExportError::Finish(error.to_string()))
}

/// Spreadsheets run what begins like a formula: a login such as `=1+1` must stay text.
fn inert(text: String) -> String {
    let is_formula =
        text.starts_with(['=', '@', '+']) || (text.starts_with('-') && text.parse::<f64>().is_err());
    if is_formula { format!("'{text}") } else { text }
}

fn xlsx_bytes(report: &Report) -> Result<Vec<u8>, ExportError> {
    let mut workbook = Workbook::new();
    let bold = Format::new().set_bold();
    let share = Format::new().set_num_format("0.0%");
    for sheet in report.sheets() {
        let page = workbook.add_worksheet().set_name(capital(sheet.code))?;
        page.set_freeze_panes(1, 0)?;
        for (column, heading) in (0..).zip(&sheet.columns) {
            page.write_with_format(0, column, heading.heading, &bold)?;
        }
        for (row, cells) in (1..).zip(&sheet.rows) {
            for (column, cell) in (0..).zip(cells) {
                match (cell, cell.as_number()) {
                    (Cell::Share(_), Some(number)) => {
                        page.write_with_format(row, column, number, &share)?;
                    }
                    (_, Some(number)) => {
                        page.write(row, column, number)?;
                    }
                    (_, None) => {
                        page.write_string(row, column, cell.as_value())?;
                    }
                }
            }
        }
        page.autofit();
    }
    Ok(workbook.save_to_buffer()?)
}

fn capital(code: &str) -> String {
    let mut letters = code.chars();
    letters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().collect::<String>() + letters.as_str())
}

fn html_page(report: &Report) -> String {
    let mut page = String::from(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><title>Automation report</title>\n\
         <style>body{font:16px/1.5 system-ui,sans-serif;margin:2rem;color:#1c2430;max-width:80rem}\
         table{border-collapse:collapse}p{max-width:60rem;color:#55606e}\
         th,td{padding:.35rem .8rem;border-bottom:1px solid #cfd6df;text-align:right}\
         th:first-child,td:first-child{text-align:left}tr.total{font-weight:600}</style>\n\
         <h1>Automation report</h1>\n",
    );
    let split = report.periods.iter().map(|line| (line.period.label.clone(), line.split.parts().to_vec()));
    let chart = Stacks {
        title: "Cases by mode over time",
        series: vec!["end to end", "hybrid", "manual", "not decided"],
        bars: split.collect(),
    };
    page.push_str(&chart.svg(240.0));
    let points = report.periods.iter().map(|line| {
        let automation = &line.automation;
        let shares = [automation.cases_share, automation.documents_share, automation.fields_share];
        (line.period.label.clone(), shares.to_vec())
    });
    let chart = Lines {
        title: "Automation over time",
        series: vec!["cases", "documents", "fields"],
        points: points.collect(),
    };
    page.push_str(&chart.svg(200.0));
    for sheet in report.sheets().iter().filter(|sheet| !sheet.rows.is_empty()) {
        page.push_str(&html_table(sheet));
    }
    page.push_str("</html>\n");
    page
}

fn html_table(sheet: &Sheet) -> String {
    let mut html = format!("\n<h2>{}</h2>\n<p>{}</p>\n<table>\n<tr>", sheet.title, sheet.definition);
    for column in &sheet.columns {
        html.push_str(&format!("<th>{}</th>", escape(column.heading)));
    }
    html.push_str("</tr>\n");
    for (index, row) in sheet.rows.iter().enumerate() {
        let is_total = sheet.has_total && index + 1 == sheet.rows.len();
        html.push_str(if is_total { "<tr class=\"total\">" } else { "<tr>" });
        for cell in row {
            html.push_str(&format!("<td>{}</td>", escape(&cell.as_text())));
        }
        html.push_str("</tr>\n");
    }
    html + "</table>\n"
}
