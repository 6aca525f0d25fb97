//! The command: `dev`, `serve`, `send`, `import`, `case`, and the private servers that `dev` and the tests run on.

pub mod servers;
