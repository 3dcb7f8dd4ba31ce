//! Writes docs/environments.md; `make docs` runs it.

use template_properties::{environments_page, project};

fn main() -> std::io::Result<()> {
    std::fs::write(project().join(environments_page::PATH), environments_page::text())?;
    println!("{}", environments_page::PATH);
    Ok(())
}
