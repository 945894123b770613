//! Long lists in stretches: where one goes on, and whether there is more.

use std::fmt;

use dossier::clock::Micros;

use crate::server::problem::Problem;

const MOST: i64 = 200;
const USUAL: i64 = 50;

/// Where a list goes on: after what began at this moment and has this id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    at: Micros,
    id: String,
}

impl Cursor {
    pub(crate) fn new(at: Micros, id: &str) -> Self {
        Self { at, id: id.to_owned() }
    }

    /// The `after` of a request, as the store takes it.
    pub(crate) fn parse(after: Option<&str>) -> Result<Option<(Micros, String)>, Problem> {
        let Some(text) = after else { return Ok(None) };
        let parts = text.split_once('_').and_then(|(moment, id)| Some((moment.parse().ok()?, id.to_owned())));
        parts.map(Some).ok_or_else(|| Problem::bad_request("the cursor is none of ours").about("after"))
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}_{}", self.at, self.id)
    }
}

/// How many of a list a request wants.
pub(crate) fn wanted(limit: Option<i64>) -> i64 {
    limit.unwrap_or(USUAL).clamp(1, MOST)
}

/// Cuts what was asked for with one more than `limit` to `limit`; whether there was more.
pub(crate) fn cut<T>(found: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(1);
    let has_more = found.len() > limit;
    found.truncate(limit);
    has_more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_goes_on_where_it_ended() {
        let cursor = Cursor::new(17, "msg_1").to_string();
        assert_eq!(Cursor::parse(Some(&cursor)).unwrap(), Some((17, "msg_1".to_owned())));
        assert_eq!(Cursor::parse(None).unwrap(), None);
        for text in ["", "17", "x_1"] {
            assert!(Cursor::parse(Some(text)).is_err(), "{text}");
        }
    }

    #[test]
    fn one_more_than_wanted_tells_that_there_is_more() {
        assert_eq!([wanted(None), wanted(Some(0)), wanted(Some(999))], [50, 1, 200]);
        for (found, has_more) in [(vec![1, 2], false), (vec![1, 2, 3], true)] {
            let mut found = found;
            assert_eq!(cut(&mut found, 2), has_more);
            assert_eq!(found, [1, 2]);
        }
    }
}
