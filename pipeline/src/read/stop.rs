//! Why a child stopped before its task was done, and what came of it until then.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

use tokio::sync::oneshot;

use super::file::PageTimings;
use super::wire::Message;
use crate::domain::{Finding, FindingCode, Page};

/// Signal numbers of Linux.
const SIGKILL: i32 = 9;
const SIGXCPU: i32 = 24;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    Memory,
    /// By somebody else, or by the system when the machine has no memory left, whoever took it: not the
    /// file's fault, unless it happens at every attempt.
    Killed,
    Processor,
    Time,
    Crash,
}

impl Stop {
    pub(super) fn from_exit(status: ExitStatus, said: &[u8]) -> Self {
        // What Rust's runtime says when an allocation fails, before it aborts.
        let out_of_memory = said.windows(20).any(|window| window == b"memory allocation of")
            || said.windows(15).any(|window| window == b"out of memory: ");
        match status.signal() {
            Some(SIGXCPU) => Stop::Processor,
            Some(SIGKILL) => Stop::Killed,
            _ if out_of_memory => Stop::Memory,
            _ => Stop::Crash,
        }
    }

    /// The finding on the page that was being read, or on the file.
    pub(super) fn finding(self, page: Option<u32>) -> Finding {
        let what = if page.is_some() { "This page" } else { "The file" };
        let (code, why) = match self {
            Stop::Memory | Stop::Killed => (FindingCode::LimitReached, "needs more memory than is allowed"),
            Stop::Processor => (FindingCode::LimitReached, "needs more processor time than is allowed"),
            Stop::Time => (FindingCode::LimitReached, "takes longer than is allowed"),
            Stop::Crash => (FindingCode::ReaderCrashed, "broke the reader"),
        };
        let message = format!("{what} {why}, so it was not read; look at it yourself or ask for it again.");
        Finding { code, message, page }
    }
}

/// What the child of one range of pages sent.
#[derive(Debug, Default)]
pub(super) struct Part {
    pub(super) page_count: u32,
    pub(super) pages: Vec<Page>,
    pub(super) findings: Vec<Finding>,
    pub(super) timings: PageTimings,
    /// The last page that was dealt with, read or not.
    pub(super) last_page: u32,
    pub(super) failed: Option<String>,
}

impl Part {
    pub(super) fn take(&mut self, message: Message, opened: &mut Option<oneshot::Sender<u32>>) {
        match message {
            Message::Opened { page_count } => {
                self.page_count = page_count;
                if let Some(opened) = opened.take() {
                    // Nobody waits any more when the file's other pages were given up.
                    opened.send(page_count).ok();
                }
            }
            Message::Page(page, timings) => {
                self.last_page = self.last_page.max(page.number);
                self.timings += timings;
                self.pages.push(*page);
            }
            Message::Finding(finding) => {
                let finding = Finding::from(finding);
                self.last_page = self.last_page.max(finding.page.unwrap_or(0));
                self.findings.push(finding);
            }
            Message::Failed { problem } => self.failed = Some(problem),
            Message::Member { .. } | Message::MemberFinding { .. } | Message::Picture(_) | Message::Done => {}
        }
    }

    /// A child that goes on opens the file anew and finds the same wrong with it.
    pub(super) fn drop_repeated_file_findings(&mut self, from: usize) {
        let mut index = 0;
        self.findings.retain(|finding| {
            index += 1;
            index <= from || finding.page.is_some()
        });
    }
}
