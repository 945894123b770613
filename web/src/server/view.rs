//! What templates need beside their own content: texts, the user, and how values are shown.

use chrono::{DateTime, NaiveDate};
use dossier::clock::Micros;
use dossier::domain::Value;
use dossier::review::Expected;
use rust_decimal::Decimal;

use super::access::{Permission, Signed};
use super::language::Language;

/// The part that every page has. Templates call it `page`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Page<'a> {
    pub(crate) language: Language,
    pub(crate) signed: Option<&'a Signed>,
    /// Which entry of the navigation is the current one.
    pub(crate) place: &'static str,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "templates pass references")]
impl<'a> Page<'a> {
    pub(crate) fn new(language: Language, signed: Option<&'a Signed>, place: &'static str) -> Self {
        Self { language, signed, place }
    }

    /// The text for a key.
    pub(crate) fn t<'b>(&self, key: &'b str) -> &'b str {
        self.language.text(key)
    }

    /// The text for a code of a family, such as `outcome.accept`; the code when there is none.
    pub(crate) fn code(&self, family: &str, code: &str) -> String {
        let key = format!("{family}.{code}");
        let text = self.language.text(&key);
        if text == key { code.to_owned() } else { text.to_owned() }
    }

    pub(crate) fn lang(&self) -> &'static str {
        self.language.code()
    }

    /// `aria-current` for navigation.
    pub(crate) fn is_at(&self, place: &str) -> bool {
        self.place == place
    }

    fn may(&self, permission: Permission) -> bool {
        self.signed.is_some_and(|signed| signed.may(permission))
    }

    pub(crate) fn may_view(&self) -> bool {
        self.may(Permission::ViewCases)
    }

    pub(crate) fn may_review(&self) -> bool {
        self.may(Permission::Review)
    }

    pub(crate) fn may_supervise(&self) -> bool {
        self.may(Permission::Supervise)
    }

    pub(crate) fn may_report(&self) -> bool {
        self.may(Permission::Report)
    }

    pub(crate) fn may_audit(&self) -> bool {
        self.may(Permission::Audit)
    }

    pub(crate) fn may_administer(&self) -> bool {
        self.may(Permission::Administer)
    }

    /// A moment, in UTC.
    pub(crate) fn moment(&self, moment: &Micros) -> String {
        let format = match self.language {
            Language::Spanish => "%d/%m/%Y %H:%M",
            Language::English => "%Y-%m-%d %H:%M",
        };
        DateTime::from_timestamp_micros(*moment).unwrap_or_default().format(format).to_string()
    }

    /// A day as the language writes it.
    pub(crate) fn day(&self, day: &NaiveDate) -> String {
        let format = match self.language {
            Language::Spanish => "%d/%m/%Y",
            Language::English => "%Y-%m-%d",
        };
        day.format(format).to_string()
    }

    /// A moment for machines.
    #[expect(clippy::unused_self, reason = "templates call it beside `moment`")]
    pub(crate) fn iso(&self, moment: &Micros) -> String {
        DateTime::from_timestamp_micros(*moment).unwrap_or_default().to_rfc3339()
    }

    /// An amount with the language's separators.
    pub(crate) fn cents(&self, cents: &i64) -> String {
        self.money(&Decimal::new(*cents, 2).to_string())
    }

    /// A decimal string with the language's separators.
    pub(crate) fn money(&self, text: &str) -> String {
        let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("−", digits));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() || !whole.chars().chain(fraction.chars()).all(|ch| ch.is_ascii_digit()) {
            return text.to_owned();
        }
        let (group, point) = match self.language {
            Language::Spanish => ('.', ","),
            Language::English => (',', "."),
        };
        let mut grouped = String::new();
        for (index, digit) in whole.chars().enumerate() {
            if index > 0 && (whole.len() - index) % 3 == 0 {
                grouped.push(group);
            }
            grouped.push(digit);
        }
        let point = if fraction.is_empty() { "" } else { point };
        format!("{sign}{grouped}{point}{fraction}")
    }

    /// A field's value as people of the language write it, and as it is taken back.
    pub(crate) fn input(&self, value: &Value, kind: &Expected) -> String {
        let is_spanish = self.language == Language::Spanish;
        match (value, kind) {
            (Value::Text(text), Expected::Money | Expected::Decimal) if is_spanish => text.replace('.', ","),
            (Value::Text(text), Expected::Date) if is_spanish => {
                value.as_date().map_or_else(|| text.clone(), |day| self.day(&day))
            }
            (value, _) => as_input(value),
        }
    }

    /// A field's value to be read: amounts with separators, choices in words.
    pub(crate) fn shown(&self, value: &Value, kind: &Expected) -> String {
        match (value, kind) {
            (Value::Text(text), Expected::Money | Expected::Decimal) => self.money(text),
            (Value::Text(text), Expected::Choice(_)) => self.code("choice", text),
            (Value::Boolean(truth), _) => self.t(if *truth { "value.yes" } else { "value.no" }).to_owned(),
            (value, kind) => self.input(value, kind),
        }
    }

    /// A share in per cent.
    pub(crate) fn percent(&self, share: &f64) -> String {
        let text = format!("{:.1} %", share * 100.0);
        match self.language {
            Language::Spanish => text.replace('.', ","),
            Language::English => text,
        }
    }
}

/// A value as it stands in a form: what [`dossier::review::normalise`] takes back.
pub(crate) fn as_input(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Transactions(rows) => serde_json::to_string(rows).unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_written_as_the_language_does() {
        let spanish = Page::new(Language::Spanish, None, "");
        let english = Page::new(Language::English, None, "");
        assert_eq!(spanish.cents(&123_456_789), "1.234.567,89");
        assert_eq!(english.cents(&-123_456), "−1,234.56");
        assert_eq!(spanish.cents(&5), "0,05");
    }
}
