//! The `dossier` program: the commands that people type, and the server with its pages and its API.

mod cli;
mod server;

pub use cli::main;
pub use server::{Access, Permission, RouteRow, route_table};
