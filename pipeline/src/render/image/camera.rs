//! Whether a picture was taken with a camera.

use std::io::Cursor;

use exif::{In, Reader, Tag};

/// Sides of camera sensors; paper is 1.414 (A series) or 1.294 (US letter).
const SENSOR_RATIOS: [f32; 3] = [4.0 / 3.0, 16.0 / 9.0, 3.0 / 2.0];

/// Looks for what only a camera writes: scanners write their maker too, but no exposure.
pub(super) fn is_camera_picture(bytes: &[u8], width: u32, height: u32, is_jpeg: bool) -> bool {
    if let Ok(exif) = Reader::new().read_from_container(&mut Cursor::new(bytes)) {
        let tags = [Tag::FNumber, Tag::ExposureTime, Tag::FocalLength, Tag::PhotographicSensitivity];
        if tags.iter().any(|tag| exif.get_field(*tag, In::PRIMARY).is_some()) {
            return true;
        }
    }
    is_jpeg && has_sensor_shape(width, height)
}

fn has_sensor_shape(width: u32, height: u32) -> bool {
    let ratio = width.max(height) as f32 / width.min(height).max(1) as f32;
    SENSOR_RATIOS.iter().any(|sensor| (ratio / sensor - 1.0).abs() < 0.005)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sensors_differ_from_paper() {
        assert!(has_sensor_shape(4032, 3024));
        assert!(has_sensor_shape(2160, 3840));
        assert!(!has_sensor_shape(2480, 3508));
        assert!(!has_sensor_shape(0, 0));
    }
}
