//! The two networks behind the reader: tensors in, tensors out.
//!
//! Their interface is the one of the `ocrs` crate 0.13, so that models trained for it serve here.
//! Every run happens on one thread of its own, whatever the machine has.

use std::sync::Arc;

use rten::{Dimension, Model, RunOptions, ThreadPool};
use rten_tensor::prelude::*;
use rten_tensor::{NdTensor, Tensor};

use super::OcrError;
use crate::config::{Bundle, BundleError};

/// Models and alphabet as bytes.
#[derive(Clone, Copy)]
pub struct ModelFiles<'a> {
    /// Text probability of each pixel; input `[batch, 1, height, width]`, grey − 0.5.
    pub detection: &'a [u8],
    /// Line reader; input `[batch, 1, 40, width]`, output log-probabilities `[width/4, batch, classes]`.
    pub recognition: &'a [u8],
    /// The characters of classes 1, 2, …; class 0 is the blank.
    pub alphabet: &'a str,
}

impl<'a> ModelFiles<'a> {
    /// The files of a bundle of models, by the names that they have in `models/`.
    ///
    /// # Errors
    /// When one is missing.
    pub fn from_bundle(bundle: &'a Bundle) -> Result<Self, BundleError> {
        Ok(Self {
            detection: bundle.bytes("text-detection.rten")?,
            recognition: bundle.bytes("text-recognition.rten")?,
            alphabet: bundle.text("alphabet.txt")?,
        })
    }
}

impl std::fmt::Debug for ModelFiles<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("ModelFiles")
            .field("detection_bytes", &self.detection.len())
            .field("recognition_bytes", &self.recognition.len())
            .finish_non_exhaustive()
    }
}

/// Size at which a page is looked at when the detector takes any: A4 at 137 dpi.
const PAGE_SIZE: (usize, usize) = (1600, 1152);

const DETECTION: &str = "text detection";
const RECOGNITION: &str = "text recognition";

pub(super) struct Models {
    detection: Model,
    recognition: Model,
    pub(super) alphabet: Vec<char>,
    /// Height and width of the pages that the detector was made for.
    pub(super) page_size: (usize, usize),
    /// Whether the detector takes pages of that size only, or any.
    pub(super) fixed_size: bool,
    /// Height of a line image.
    pub(super) line_height: usize,
    threads: Arc<ThreadPool>,
}

impl Models {
    pub(super) fn load(files: &ModelFiles<'_>) -> Result<Self, OcrError> {
        let load = |bytes: &[u8], model| {
            Model::load(bytes.to_vec()).map_err(|source| OcrError::Load { model, source: Box::new(source) })
        };
        let detection = load(files.detection, DETECTION)?;
        let recognition = load(files.recognition, RECOGNITION)?;
        let (page_size, fixed_size) = match detection.input_shape(0).as_deref() {
            Some([_, _, Dimension::Fixed(height), Dimension::Fixed(width)]) => ((*height, *width), true),
            Some([_, _, Dimension::Symbolic(_), Dimension::Symbolic(_)]) => (PAGE_SIZE, false),
            other => return Err(unexpected(DETECTION, format!("input {other:?}"))),
        };
        let line_height = match recognition.input_shape(0).as_deref() {
            Some([_, _, Dimension::Fixed(height), _]) => *height,
            other => return Err(unexpected(RECOGNITION, format!("input {other:?}"))),
        };
        let alphabet = files.alphabet.chars().filter(|ch| *ch != '\n').collect();
        let threads = Arc::new(ThreadPool::with_num_threads(1));
        Ok(Self { detection, recognition, alphabet, page_size, fixed_size, line_height, threads })
    }

    /// Text probability of each pixel of a grey image (row by row, grey − 0.5).
    pub(super) fn text_map(
        &self,
        pixels: Vec<f32>,
        height: usize,
        width: usize,
    ) -> Result<NdTensor<f32, 2>, OcrError> {
        let input = Tensor::from_data(&[1, 1, height, width], pixels);
        let output = self.run(&self.detection, DETECTION, &input)?;
        if output.shape() != [1, 1, height, width] {
            return Err(unexpected(DETECTION, format!("output {:?}", output.shape())));
        }
        Ok(output.into_shape([height, width]))
    }

    /// Log-probabilities of a line image of so many columns, `[frames, classes]` row by row, and the number
    /// of classes.
    pub(super) fn line_frames(&self, pixels: Vec<f32>, width: usize) -> Result<(Vec<f32>, usize), OcrError> {
        let input = Tensor::from_data(&[1, 1, self.line_height, width], pixels);
        let output = self.run(&self.recognition, RECOGNITION, &input)?;
        let classes = self.alphabet.len() + 1;
        match output.shape() {
            [_, 1, found] if *found == classes => {}
            other => return Err(unexpected(RECOGNITION, format!("output {other:?} for {classes} classes"))),
        }
        Ok((output.to_vec(), classes))
    }

    fn run(&self, model: &Model, name: &'static str, input: &Tensor<f32>) -> Result<Tensor<f32>, OcrError> {
        let mut options = RunOptions::default();
        options.thread_pool = Some(Arc::clone(&self.threads));
        let output = model
            .run_one(input.view().into(), Some(options))
            .map_err(|source| OcrError::Run { model: name, source: Box::new(source) })?;
        output.try_into().map_err(|_| unexpected(name, "output is no float tensor".to_owned()))
    }
}

fn unexpected(model: &'static str, problem: String) -> OcrError {
    OcrError::Shape { model, problem }
}
