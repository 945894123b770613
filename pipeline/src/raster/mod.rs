//! Small tools on rasters that reading, straightening and mark finding share.
//!
//! Must not know words, pages or models.

mod components;
mod extremes;
mod sample;
mod scale;

pub(crate) use components::{Component, components};
pub(crate) use extremes::closed;
pub(crate) use sample::sample_colour;
pub(crate) use scale::{Pyramid, resize};
