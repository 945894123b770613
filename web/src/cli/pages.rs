//! Page images with the boxes of what was read.
