//! Fax compression in TIFF files (ITU-T T.4 and T.6): Group 3 and 4, with reversed bits and without
//! end marks, as fax servers write them.

use hayro_ccitt::{DecodeSettings, Decoder, DecoderContext, EncodingMode, decode};

/// How the strips of a fax page are coded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Coding {
    pub(super) mode: EncodingMode,
    pub(super) byte_aligned: bool,
    /// The first pixel is in the lowest bit of a byte (TIFF tag `FillOrder` = 2).
    pub(super) reversed_bits: bool,
}

/// Decodes a strip of at most `rows` rows to grey values, 0 for what is drawn. Rows that are
/// missing stay white. The second value tells whether the strip was whole.
pub(super) fn decode_strip(data: &[u8], width: u32, rows: u32, coding: Coding) -> (Vec<u8>, bool) {
    let reversed: Vec<u8>;
    let data = if coding.reversed_bits {
        reversed = data.iter().map(|byte| byte.reverse_bits()).collect();
        &reversed
    } else {
        data
    };
    let mut context = DecoderContext::new(DecodeSettings {
        columns: width,
        rows,
        end_of_block: true,
        end_of_line: false,
        rows_are_byte_aligned: coding.byte_aligned,
        encoding: coding.mode,
        strict: false,
    });
    let full = width as usize * rows as usize;
    let mut sink = Rows { width: width as usize, full, pixels: Vec::new() };
    let whole = decode(data, &mut sink, &mut context).is_ok() && sink.pixels.len() == full;
    sink.pixels.resize(full, 255);
    (sink.pixels, whole)
}

struct Rows {
    width: usize,
    full: usize,
    pixels: Vec<u8>,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        let start = self.pixels.len();
        if start + self.width > self.full {
            return;
        }
        self.pixels.resize(start + self.width, 255);
        for run in changes.chunks(2) {
            let from = run.first().map_or(self.width, |&at| at as usize).min(self.width);
            let to = run.get(1).map_or(self.width, |&at| at as usize).clamp(from, self.width);
            if let Some(pixels) = self.pixels.get_mut(start + from..start + to) {
                pixels.fill(0);
            }
        }
    }
}
