//! Reading by children of this process: as many at a time as the sandbox has permits, the others wait.

use async_trait::async_trait;

use super::{Dispatch, DispatchError, FileToRead};
use crate::read::{FileOutcome, Sandbox};

/// Reading is bounded by the sandbox; this only keeps it fed.
const CASES_AHEAD: usize = 4;

/// Has files read on this machine.
#[derive(Debug, Clone)]
pub struct Local(pub Sandbox);

#[async_trait]
impl Dispatch for Local {
    fn cases_ahead(&self) -> usize {
        CASES_AHEAD
    }

    async fn read(&self, file: FileToRead<'_>) -> Result<FileOutcome, DispatchError> {
        Ok(self.0.read(file.path, file.options).await?)
    }
}
