use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::domain::{CharReading, Page, Rect, TextSource, Transaction, Word};
use crate::drawn;

use super::{FieldReading, read};

/// A cell: its text and the column's edge; amounts are set to their right edge.
enum Cell<'a> {
    Left(&'a str, f32),
    Right(&'a str, f32),
}
use Cell::{Left, Right};

const HEIGHT: f32 = 10.0;

fn words_of(row: &[Cell], top: f32, words: &mut Vec<Word>) {
    for cell in row {
        let width = |text: &str| 5.0 * text.chars().count() as f32;
        let (text, mut left) = match cell {
            Left(text, left) => (*text, *left),
            Right(text, right) => (*text, *right - width(text)),
        };
        for word in text.split(' ') {
            let bounds = Rect::new(left, top, width(word), HEIGHT);
            words.push(drawn::word(word, bounds));
            left += width(word) + 3.0;
        }
    }
}

fn page(rows: &[Vec<Cell>]) -> Page {
    let mut words = Vec::new();
    for (at, row) in rows.iter().enumerate() {
        words_of(row, 60.0 + 15.0 * at as f32, &mut words);
    }
    drawn::page(TextSource::Native, 600.0, 842.0, words)
}

fn transactions(pages: &[&Page]) -> (Vec<Transaction>, BTreeMap<String, FieldReading>) {
    let mut fields = BTreeMap::new();
    read(pages, &mut fields);
    let rows =
        fields.get("transactions").and_then(|reading| reading.value.as_transactions()).unwrap_or_default();
    (rows.to_vec(), fields)
}

fn told(rows: &[Transaction]) -> Vec<String> {
    rows.iter().map(|row| format!("{} {} {}", row.date, row.description, row.amount)).collect()
}

fn failed(fields: &BTreeMap<String, FieldReading>) -> usize {
    fields.values().flat_map(|reading| &reading.checks).filter(|check| !check.passed).count()
}

#[test]
fn signed_amounts_with_two_dates_and_a_second_line() {
    let page = page(&[
        vec![
            Left("Fecha", 20.0),
            Left("F. valor", 90.0),
            Left("Concepto", 160.0),
            Right("Importe", 480.0),
            Right("Saldo", 570.0),
        ],
        vec![Left("Saldo anterior", 160.0), Right("1.000,00", 570.0)],
        vec![
            Left("02/03/2026", 20.0),
            Left("03/03/2026", 90.0),
            Left("RECIBO LUZ", 160.0),
            Right("-45,10", 480.0),
            Right("954,90", 570.0),
        ],
        vec![Left("REF 12345", 160.0)],
        vec![
            Left("05/03/2026", 20.0),
            Left("05/03/2026", 90.0),
            Left("NOMINA", 160.0),
            Right("1.500,00", 480.0),
            Right("2.454,90", 570.0),
        ],
        vec![Left("Saldo final", 160.0), Right("2.454,90", 570.0)],
    ]);
    let (rows, fields) = transactions(&[&page]);
    assert_eq!(told(&rows), ["2026-03-02 RECIBO LUZ REF 12345 -45.10", "2026-03-05 NOMINA 1500.00"]);
    assert_eq!(fields["opening_balance"].value.as_text(), Some("1000.00"));
    assert_eq!(fields["closing_balance"].value.as_text(), Some("2454.90"));
    assert_eq!(failed(&fields), 0);
}

#[test]
fn debit_and_credit_columns_newest_first() {
    let page = page(&[
        vec![
            Left("Date", 20.0),
            Left("Details", 160.0),
            Right("Paid out", 400.0),
            Right("Paid in", 480.0),
            Right("Balance", 570.0),
        ],
        vec![
            Left("5 Mar 2026", 20.0),
            Left("PAYROLL", 160.0),
            Right("1,500.00", 480.0),
            Right("2,454.90", 570.0),
        ],
        vec![
            Left("2 Mar 2026", 20.0),
            Left("ELECTRICITY", 160.0),
            Right("45.10", 400.0),
            Right("954.90", 570.0),
        ],
    ]);
    let (rows, fields) = transactions(&[&page]);
    assert_eq!(told(&rows), ["2026-03-02 ELECTRICITY -45.10", "2026-03-05 PAYROLL 1500.00"]);
    assert_eq!(failed(&fields), 0);
}

#[test]
fn marks_and_years_from_the_period() {
    let page = page(&[
        vec![Left("Extracto del 15/12/2025 al 14/01/2026", 20.0)],
        vec![
            Left("Fecha", 20.0),
            Left("Concepto", 160.0),
            Right("Importe", 440.0),
            Left("D/H", 450.0),
            Right("Saldo", 570.0),
        ],
        vec![
            Left("28/12", 20.0),
            Left("COMPRA", 160.0),
            Right("20,00", 440.0),
            Left("D", 450.0),
            Right("80,00", 570.0),
        ],
        vec![
            Left("03/01", 20.0),
            Left("ABONO", 160.0),
            Right("5,00", 440.0),
            Left("H", 450.0),
            Right("85,00", 570.0),
        ],
    ]);
    let (rows, fields) = transactions(&[&page]);
    assert_eq!(told(&rows), ["2025-12-28 COMPRA -20.00", "2026-01-03 ABONO 5.00"]);
    assert_eq!(fields["period_end"].value.as_text(), Some("2026-01-14"));
}

#[test]
fn balances_give_unsigned_amounts_their_direction() {
    let page = page(&[
        vec![Left("Fecha", 20.0), Left("Concepto", 160.0), Right("Importe", 480.0), Right("Saldo", 570.0)],
        vec![Left("Saldo inicial", 160.0), Right("100,00", 570.0)],
        vec![Left("02/03/2026", 20.0), Left("CAFE", 160.0), Right("10,00", 480.0), Right("90,00", 570.0)],
        vec![Left("03/03/2026", 20.0), Left("INGRESO", 160.0), Right("30,00", 480.0), Right("120,00", 570.0)],
    ]);
    let (rows, _) = transactions(&[&page]);
    assert_eq!(told(&rows), ["2026-03-02 CAFE -10.00", "2026-03-03 INGRESO 30.00"]);
}

#[test]
fn days_as_headings_without_column_headings() {
    let page = page(&[
        vec![Left("1 de abril de 2026", 20.0)],
        vec![Left("COMPRA", 20.0), Right("-6,00 €", 480.0), Right("94,00 €", 570.0)],
        vec![Left("BIZUM", 20.0), Right("4,00 €", 480.0), Right("98,00 €", 570.0)],
        vec![Left("3 de abril de 2026", 20.0)],
        vec![Left("RECIBO", 20.0), Right("-8,00 €", 480.0), Right("90,00 €", 570.0)],
        vec![Left("4 de abril de 2026", 20.0)],
        vec![Left("CAFE", 20.0), Right("-1,00 €", 480.0), Right("89,00 €", 570.0)],
    ]);
    let (rows, fields) = transactions(&[&page]);
    let expected = [
        "2026-04-01 COMPRA -6.00",
        "2026-04-01 BIZUM 4.00",
        "2026-04-03 RECIBO -8.00",
        "2026-04-04 CAFE -1.00",
    ];
    assert_eq!(told(&rows), expected);
    assert_eq!(failed(&fields), 0);
}

/// A table in which one amount does not fit its balances.
fn misread(source: TextSource, runner_up: Option<char>) -> Page {
    let mut page = page(&[
        vec![Left("Fecha", 20.0), Left("Concepto", 160.0), Right("Importe", 480.0), Right("Saldo", 570.0)],
        vec![Left("Saldo inicial", 160.0), Right("100,00", 570.0)],
        vec![Left("02/03/2026", 20.0), Left("CAFE", 160.0), Right("-70,00", 480.0), Right("90,00", 570.0)],
        vec![Left("03/03/2026", 20.0), Left("CINE", 160.0), Right("-30,00", 480.0), Right("60,00", 570.0)],
    ]);
    page.source = source;
    for word in &mut page.words {
        let place = |at: usize| if at == 1 { runner_up } else { None };
        let chars = word.text.chars().enumerate().map(|(at, ch)| CharReading {
            ch,
            probability: 0.8,
            alternatives: place(at)
                .filter(|_| word.text == "-70,00")
                .map(|ch| (ch, 0.2))
                .into_iter()
                .collect(),
        });
        word.chars = if source.is_ocr() { chars.collect() } else { vec![] };
    }
    page
}

#[test]
fn balances_choose_among_readings_and_never_change_print() {
    let page = misread(TextSource::Scan, Some('1'));
    let (rows, fields) = transactions(&[&page]);
    assert_eq!(rows[0].amount, Decimal::new(-1000, 2));
    assert!(fields["transactions"].repaired && failed(&fields) == 0);
    for page in [misread(TextSource::Scan, None), misread(TextSource::Native, None)] {
        let (rows, fields) = transactions(&[&page]);
        assert_eq!(rows[0].amount, Decimal::new(-7000, 2));
        assert!(failed(&fields) > 0);
    }
}

#[test]
fn a_balance_named_under_each_movement() {
    let movement = |date, text, amount, balance| {
        let first = vec![Left(date, 20.0), Left(text, 160.0), Right(amount, 570.0)];
        [first, vec![Left("REF 7", 160.0), Left("Saldo", 500.0), Right(balance, 570.0)]]
    };
    let mut rows = vec![
        vec![Left("Saldo a cierre: 130,00 EUR. Saldo al inicio: 100,00 EUR.", 20.0)],
        vec![Left("Cuenta ES91 2100 0418 4502 0005 1332 de Ana Gil Mora.", 20.0)],
    ];
    rows.extend(movement("07/03/2026", "BIZUM", "+50,00 €", "130,00 €"));
    rows.extend(movement("05/03/2026", "CINE", "-15,00 €", "80,00 €"));
    rows.extend(movement("02/03/2026", "CAFE", "-5,00 €", "95,00 €"));
    let page = page(&rows);
    let (rows, fields) = transactions(&[&page]);
    let expected =
        ["2026-03-02 CAFE REF 7 -5.00", "2026-03-05 CINE REF 7 -15.00", "2026-03-07 BIZUM REF 7 50.00"];
    assert_eq!(told(&rows), expected);
    let balances: Vec<_> = rows.iter().filter_map(|row| row.balance).collect();
    assert_eq!(balances, [9500, 8000, 13000].map(|cents| Decimal::new(cents, 2)));
    assert_eq!(fields["account_holder"].value.as_text(), Some("Ana Gil Mora"));
    assert_eq!(fields["closing_balance"].value.as_text(), Some("130.00"));
    assert_eq!(failed(&fields), 0);
}

#[test]
fn the_balance_of_a_day_stands_in_its_heading() {
    let day =
        |date, balance| vec![Left(date, 20.0), Left("Balance at end of day", 420.0), Right(balance, 570.0)];
    let page = page(&[
        vec![Left("Details", 20.0), Right("Money out", 480.0), Right("Money in", 570.0)],
        day("03 July 2025", "80.00"),
        vec![Left("RENT", 30.0), Right("15.00", 480.0)],
        vec![Left("WATER", 30.0), Right("5.00", 480.0)],
        day("06 July 2025", "120.00"),
        vec![Left("PAYROLL", 30.0), Right("40.00", 570.0)],
        day("09 July 2025", "110.00"),
        vec![Left("CINEMA", 30.0), Right("10.00", 480.0)],
    ]);
    let (rows, fields) = transactions(&[&page]);
    let expected = [
        "2025-07-03 RENT -15.00",
        "2025-07-03 WATER -5.00",
        "2025-07-06 PAYROLL 40.00",
        "2025-07-09 CINEMA -10.00",
    ];
    assert_eq!(told(&rows), expected);
    assert_eq!(fields["closing_balance"].value.as_text(), Some("110.00"));
    assert_eq!(failed(&fields), 0);
}

#[test]
fn totals_that_close_with_the_balance_prove_it() {
    let page = page(&[
        vec![
            Left("Fecha", 20.0),
            Left("Concepto", 160.0),
            Right("Cargos", 400.0),
            Right("Abonos", 480.0),
            Right("Saldo", 570.0),
        ],
        vec![Left("SALDO INICIAL", 160.0), Right("100,00", 570.0)],
        vec![Left("02/03/2026", 20.0), Left("CAFE", 160.0), Right("10,00", 400.0), Right("90,00", 570.0)],
        vec![Left("03/03/2026", 20.0), Left("INGRESO", 160.0), Right("30,00", 480.0), Right("120,00", 570.0)],
        vec![
            Left("SUMAS Y SALDO FINAL", 160.0),
            Right("10,00", 400.0),
            Right("30,00", 480.0),
            Right("120,00", 570.0),
        ],
    ]);
    let (_, fields) = transactions(&[&page]);
    assert_eq!(fields["closing_balance"].value.as_text(), Some("120.00"));
    assert!(fields["closing_balance"].score > 0.95 && fields["opening_balance"].score > 0.95);
}

fn carried_over(second_page: Vec<Vec<Cell>>) -> (Vec<Transaction>, BTreeMap<String, FieldReading>) {
    let heading =
        || vec![Left("Fecha", 20.0), Left("Concepto", 160.0), Right("Importe", 480.0), Right("Saldo", 570.0)];
    let first = page(&[
        heading(),
        vec![Left("Saldo anterior", 160.0), Right("1.000,00", 570.0)],
        vec![
            Left("02/03/2026", 20.0),
            Left("RECIBO LUZ", 160.0),
            Right("-45,10", 480.0),
            Right("954,90", 570.0),
        ],
        vec![
            Left("05/03/2026", 20.0),
            Left("NOMINA", 160.0),
            Right("1.500,00", 480.0),
            Right("2.454,90", 570.0),
        ],
        vec![Left("Suma y sigue", 160.0), Right("2.454,90", 570.0)],
    ]);
    let mut rows = vec![heading()];
    rows.extend(second_page);
    let mut second = page(&rows);
    second.number = 2;
    transactions(&[&first, &second])
}

#[test]
fn a_balance_carried_to_the_next_page_is_not_the_opening_balance() {
    let (rows, fields) = carried_over(vec![
        vec![Left("Saldo anterior", 160.0), Right("2.454,90", 570.0)],
        vec![
            Left("09/03/2026", 20.0),
            Left("ALQUILER", 160.0),
            Right("-600,00", 480.0),
            Right("1.854,90", 570.0),
        ],
        vec![Left("Saldo final", 160.0), Right("1.854,90", 570.0)],
    ]);
    assert_eq!(rows.len(), 3);
    assert_eq!(fields["opening_balance"].value.as_text(), Some("1000.00"));
    assert_eq!(fields["closing_balance"].value.as_text(), Some("1854.90"));
    assert_eq!(failed(&fields), 0);
}

#[test]
fn a_row_whose_sign_nothing_tells_leaves_the_table_in_doubt() {
    let table = |sign: &'static str| {
        page(&[
            vec![
                Left("Fecha", 20.0),
                Left("Concepto", 160.0),
                Right("Importe", 480.0),
                Right("Saldo", 570.0),
            ],
            vec![
                Left("02/03/2026", 20.0),
                Left("RECIBO LUZ", 160.0),
                Right(sign, 480.0),
                Right("954,90", 570.0),
            ],
            vec![
                Left("05/03/2026", 20.0),
                Left("RECIBO AGUA", 160.0),
                Right(sign, 480.0),
                Right("909,80", 570.0),
            ],
        ])
    };
    let running = |page: &Page| {
        let (_, fields) = transactions(&[page]);
        let checks = &fields["transactions"].checks;
        checks.iter().find(|check| check.name == "running_balance").unwrap().passed
    };
    assert!(running(&table("-45,10")));
    assert!(!running(&table("45,10")), "of the first row nothing says whether it was paid in or out");
}

#[test]
fn signs_in_a_column_between_the_balance_before_and_the_amount() {
    let row = |day: &'static str, before, sign, amount, after| {
        vec![
            Left(day, 20.0),
            Right(before, 180.0),
            Left(sign, 193.0),
            Right(amount, 300.0),
            Right(after, 380.0),
            Left("PAGO CON TARJETA", 400.0),
        ]
    };
    let page = page(&[
        vec![
            Left("Fecha", 20.0),
            Right("Saldo previo", 180.0),
            Left("+/-", 190.0),
            Right("Importe", 300.0),
            Right("Saldo", 380.0),
            Left("Concepto", 400.0),
        ],
        row("02/03/2026", "1.000,00", "-", "45,10", "954,90"),
        row("05/03/2026", "954,90", "+", "1.500,00", "2.454,90"),
        row("09/03/2026", "2.454,90", "-", "600,00", "1.854,90"),
    ]);
    let (rows, fields) = transactions(&[&page]);
    let amounts: Vec<String> = rows.iter().map(|row| row.amount.to_string()).collect();
    assert_eq!(amounts, ["-45.10", "1500.00", "-600.00"]);
    assert_eq!(fields["opening_balance"].value.as_text(), Some("1000.00"));
}

/// The least confidence of the rows of a scanned table with these dates, each row's amount 10.
fn least_confidence(dates: &[&str]) -> f64 {
    let mut cells = vec![vec![
        Left("Fecha", 20.0),
        Left("Concepto", 120.0),
        Right("Importe", 420.0),
        Right("Saldo", 520.0),
    ]];
    let balances: Vec<String> = (1..=dates.len()).map(|row| format!("{},00", 1000 - 10 * row)).collect();
    for (date, balance) in dates.iter().zip(&balances) {
        let mut row = vec![Left("PAGO CON TARJETA", 120.0), Right("-10,00", 420.0), Right(balance, 520.0)];
        if !date.is_empty() {
            row.insert(0, Left(date, 20.0));
        }
        cells.push(row);
    }
    let scanned = Page { source: TextSource::Scan, ..page(&cells) };
    let (rows, _) = transactions(&[&scanned]);
    assert_eq!(rows.len(), dates.len());
    rows.iter().map(|row| row.confidence).fold(1.0, f64::min)
}

#[test]
fn a_movement_without_a_date_is_of_the_day_before_where_days_are_printed_once() {
    let once: Vec<String> = (1..=14).map(|day| format!("{day:02}/03/2026")).collect();
    let mut dates: Vec<&str> = once.iter().map(String::as_str).collect();
    (dates[4], dates[9]) = ("", "");
    let printed_once = least_confidence(&dates);
    // Where the same day is printed twice, the missing date was lost.
    dates[1] = dates[0];
    assert!(printed_once > 0.9 && least_confidence(&dates) < 0.9, "{printed_once}");
}
