//! What the system tells about changes in the inbox. It may tell nothing (a network share), or too
//! much: it only says that it is time to look.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use notify::event::{EventKind, ModifyKind, RenameMode};
use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::{Notify, mpsc};

/// Changes since they were last asked for.
#[derive(Debug)]
pub struct Hints {
    // Dropping it ends the watching.
    _watcher: Option<RecommendedWatcher>,
    changed: Arc<Notify>,
    renames: mpsc::UnboundedReceiver<Rename>,
    /// Trackers of renames that began within the inbox.
    began_inside: HashSet<usize>,
}

#[derive(Debug)]
enum Rename {
    From(Option<usize>),
    To(Option<usize>, PathBuf),
}

impl Hints {
    /// Watches the inbox; without the system's help there are just no hints.
    pub fn of(inbox: &Path) -> Self {
        let changed = Arc::new(Notify::new());
        let (sender, renames) = mpsc::unbounded_channel();
        let notifier = Arc::clone(&changed);
        let on_event = move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            let tracker = event.attrs.tracker();
            let rename = match event.kind {
                EventKind::Modify(ModifyKind::Name(RenameMode::From)) => Some(Rename::From(tracker)),
                EventKind::Modify(ModifyKind::Name(RenameMode::To)) => {
                    event.paths.into_iter().next().map(|path| Rename::To(tracker, path))
                }
                EventKind::Access(_) => return,
                _ => None,
            };
            if let Some(rename) = rename {
                // The other end is gone only when watching ends.
                sender.send(rename).ok();
            }
            notifier.notify_one();
        };
        let watcher = notify::recommended_watcher(on_event).and_then(|mut watcher| {
            watcher.watch(inbox, RecursiveMode::Recursive)?;
            Ok(watcher)
        });
        let watcher = match watcher {
            Ok(watcher) => Some(watcher),
            Err(error) => {
                tracing::warn!(%error, "the system does not tell about changes; the inbox is looked at every minute");
                None
            }
        };
        Self { _watcher: watcher, changed, renames, began_inside: HashSet::new() }
    }

    /// Waits for a change.
    pub async fn wait(&self) {
        self.changed.notified().await;
    }

    /// Paths that were renamed into place from outside the inbox since the last call.
    pub fn drain(&mut self) -> Vec<PathBuf> {
        let mut moved_in = Vec::new();
        while let Ok(rename) = self.renames.try_recv() {
            match rename {
                Rename::From(tracker) => self.began_inside.extend(tracker),
                Rename::To(tracker, path) => {
                    let inside = tracker.is_some_and(|tracker| self.began_inside.remove(&tracker));
                    if !inside {
                        moved_in.push(path);
                    }
                }
            }
        }
        self.began_inside.clear();
        moved_in
    }
}
