//! Small tools on rasters that reading, straightening and mark finding share.
//!
//! Must not know words, pages or models.

mod components;
mod scale;

pub(crate) use components::{Component, components};
pub(crate) use scale::{Pyramid, fit_within, resize};
