//! Which cases are being read here, and how far that is.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use crate::read::Progress;

/// The cases that are being read, and how far that is.
#[derive(Debug, Default)]
pub struct Board(Mutex<HashMap<String, Arc<Progress>>>);

impl Board {
    /// Pages read and pages known of, while a case is read here.
    pub fn progress(&self, id: &str) -> Option<(u32, u32)> {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.get(id).map(|progress| progress.counts())
    }

    pub(super) fn enter(&self, id: &str) -> Arc<Progress> {
        let progress = Arc::new(Progress::default());
        let mut board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.insert(id.to_owned(), Arc::clone(&progress));
        progress
    }

    pub(super) fn leave(&self, id: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
    }

    pub(super) fn counts(&self) -> HashMap<String, (u32, u32)> {
        let board = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        board.iter().map(|(id, progress)| (id.clone(), progress.counts())).collect()
    }
}
