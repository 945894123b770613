use serde::{Deserialize, Serialize};

/// How a file is opened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct OpenOptions {
    /// Tried in turn on an encrypted file, after the empty password.
    pub passwords: Vec<String>,
    pub limits: RenderLimits,
}

/// What is refused before it is decoded, and how large a raster is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderLimits {
    /// A case's documents are a few megabytes; a 600-page scan is about 60.
    pub max_file_bytes: u64,
    /// Pixels of an image as it stands in its file. The largest phone cameras in use make 50
    /// megapixels by default; 100 need 300 MB as RGB, a fifth of the child's memory.
    pub max_source_pixels: u64,
    /// Bytes of a decoded image (more than three a pixel for 16 bits or alpha).
    pub max_decoded_bytes: u64,
    /// Pixels on one side, whatever the other.
    pub max_side: u32,
    /// Pixels of the raster that goes to OCR: A4 at 400 dpi is 15.5 megapixels, and OCR gains
    /// nothing above 300 dpi.
    pub max_raster_pixels: u64,
    /// Pages that are counted; more are reported as "more than".
    pub max_counted_pages: u32,
}

impl Default for RenderLimits {
    fn default() -> Self {
        Self {
            max_file_bytes: 200 << 20,
            max_source_pixels: 100_000_000,
            max_decoded_bytes: 500 << 20,
            max_side: 32_000,
            max_raster_pixels: 16_000_000,
            max_counted_pages: 20_000,
        }
    }
}

impl RenderLimits {
    /// Whether an image of this size, decoded to so many bytes, may be decoded.
    pub fn allows(&self, width: u32, height: u32, decoded_bytes: u64) -> bool {
        width <= self.max_side
            && height <= self.max_side
            && u64::from(width) * u64::from(height) <= self.max_source_pixels
            && decoded_bytes <= self.max_decoded_bytes
    }
}
