//! Small tools on rasters that reading, straightening and mark finding share.
//!
//! Must not know words, pages or models.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixel coordinates are far below 2^24, and clamped where they may be negative"
)]

mod components;
mod extremes;
mod sample;
mod scale;

pub(crate) use components::{Component, Run, components};
pub(crate) use extremes::closed;
pub(crate) use sample::sample_colour;
pub(crate) use scale::{Pyramid, resize};
