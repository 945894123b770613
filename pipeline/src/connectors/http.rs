//! Records by HTTP: a JSON object a key.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value as Json;

use super::{ConnectorError, Failure, Means};
use crate::net::{CallError, Outside, call};
use crate::rules::{HttpConfig, Record};

/// A record is a page of text.
const LARGEST_ANSWER: usize = 1 << 20;

#[derive(Debug)]
pub(super) struct HttpRecords {
    outside: Outside,
    config: HttpConfig,
    headers: HeaderMap,
}

impl HttpRecords {
    pub(super) fn new(
        (flow, table): (&str, &str),
        config: &HttpConfig,
        means: Means<'_>,
    ) -> Result<Self, ConnectorError> {
        let (owned_flow, owned_table) = (|| flow.to_owned(), || table.to_owned());
        means.outside.destination(&config.address("x"), true).map_err(|source| {
            ConnectorError::Destination { flow: owned_flow(), table: owned_table(), source }
        })?;
        let mut headers = HeaderMap::new();
        if let Some(name) = &config.credential {
            let credential = means.credentials.get(name).ok_or_else(|| ConnectorError::NoCredential {
                flow: owned_flow(),
                table: owned_table(),
                name: name.clone(),
            })?;
            let secret = credential.secret.read().map_err(|source| ConnectorError::Secret {
                flow: owned_flow(),
                table: owned_table(),
                source,
            })?;
            let header = || ConnectorError::Header { name: name.clone(), header: credential.header.clone() };
            let mut value = HeaderValue::from_str(&secret).map_err(|_| header())?;
            value.set_sensitive(true);
            let key = HeaderName::from_bytes(credential.header.as_bytes()).map_err(|_| header())?;
            headers.insert(key, value);
        }
        Ok(Self { outside: means.outside.clone(), config: config.clone(), headers })
    }

    pub(super) async fn ask(&self, key: &str, time: Duration) -> Result<Option<Record>, Failure> {
        let lasting = |problem: &str| Failure::Lasting(problem.to_owned());
        // Looked at once more with the key in it: a key must not change where the call goes.
        let url = self.outside.destination(&self.config.address(key), true);
        let url = url.map_err(|error| Failure::Lasting(error.to_string()))?;
        let request =
            self.outside.get(url).headers(self.headers.clone()).header("accept", "application/json");
        let answer = call(request, time, LARGEST_ANSWER).await.map_err(|error| match error {
            CallError::TooSlow | CallError::Unreachable | CallError::BrokenOff => {
                Failure::Passing(error.to_string())
            }
            CallError::NotPublic | CallError::TooLarge => Failure::Lasting(error.to_string()),
        })?;
        match answer.status {
            200 => {
                let body: Json =
                    serde_json::from_slice(&answer.body).map_err(|_| lasting("the answer is no JSON"))?;
                record(&body, &self.config.record, &self.config.values).map_err(lasting)
            }
            204 | 404 => Ok(None),
            408 | 425 | 429 | 500..=599 => Err(Failure::Passing(format!("it answered {}", answer.status))),
            300..=399 => Err(lasting("it leads elsewhere, and redirects are not followed")),
            status => Err(Failure::Lasting(format!("it answered {status}"))),
        }
    }
}

/// The record that an answer holds.
fn record(body: &Json, at: &str, values: &BTreeMap<String, String>) -> Result<Option<Record>, &'static str> {
    let found = match body.pointer(at) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Array(list)) => match list.as_slice() {
            [] => return Ok(None),
            [one] => one,
            _ => return Err("the key stands in more than one record"),
        },
        Some(other) => other,
    };
    let Json::Object(object) = found else { return Err("the record is no object") };
    let cells: Record = if values.is_empty() {
        let cells = object.iter().filter_map(|(name, value)| Some((name.clone(), cell(value)?)));
        cells.collect()
    } else {
        let cells = values.iter().filter_map(|(name, at)| Some((name.clone(), cell(found.pointer(at)?)?)));
        cells.collect()
    };
    Ok(Some(cells))
}

/// A value as a cell of a table: an empty one is absent, a list of plain values is joined by `;`.
fn cell(value: &Json) -> Option<String> {
    let text = match value {
        Json::String(text) => text.trim().to_owned(),
        Json::Number(number) => number.to_string(),
        Json::Bool(truth) => truth.to_string(),
        Json::Array(list) => {
            list.iter().filter(|item| !item.is_array()).filter_map(cell).collect::<Vec<_>>().join(";")
        }
        Json::Null | Json::Object(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_is_an_object_or_the_one_of_a_list() {
        let given = |body: Json, at: &str| record(&body, at, &BTreeMap::new());
        let ana = Some([("name".to_owned(), "Ana".to_owned()), ("n".to_owned(), "1.50".to_owned())].into());
        let body = json!({"name": " Ana ", "n": "1.50", "empty": "", "none": null, "deep": {"x": 1}});
        assert_eq!(given(body.clone(), ""), Ok(ana.clone()));
        assert_eq!(given(json!({"data": [body]}), "/data"), Ok(ana));
        assert_eq!(given(json!({"data": []}), "/data"), Ok(None));
        assert_eq!(given(json!({"other": 1}), "/data"), Ok(None));
        assert!(given(json!([{}, {}]), "").is_err());
        assert!(given(json!("text"), "").is_err());
    }

    #[test]
    fn columns_are_found_where_they_are() {
        let values = [("holder", "/holder/name"), ("invoices", "/invoices"), ("gone", "/x/y")];
        let values = values.map(|(name, at)| (name.to_owned(), at.to_owned())).into();
        let body = json!({"holder": {"name": "Ana"}, "invoices": ["F-1|a|b|1", "F-2|a|b|2", {"x": 1}]});
        let found = record(&body, "", &values).unwrap().unwrap();
        assert_eq!(found.get("holder").map(String::as_str), Some("Ana"));
        assert_eq!(found.get("invoices").map(String::as_str), Some("F-1|a|b|1;F-2|a|b|2"));
        assert_eq!(found.len(), 2);
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::from),
            any::<f64>().prop_map(Json::from),
            "\\PC{0,8}".prop_map(Json::from),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::from),
                prop::collection::btree_map("[a-c/~]{0,2}", inner, 0..4)
                    .prop_map(|object| Json::Object(object.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_answer_breaks_who_asked(body in any_json(), at in "(/[a-c0-1~]{0,2}){0,3}") {
            let columns = BTreeMap::from([("name".to_owned(), at.clone())]);
            for values in [BTreeMap::new(), columns] {
                if let Ok(Some(found)) = record(&body, &at, &values) {
                    prop_assert!(found.values().all(|cell| !cell.is_empty()));
                }
            }
        }
    }
}
