//! Prevents: an operator who learns from the bill, or from an outage, what is different in production.

use template_properties::{environments_page, project};

fn page() -> String {
    std::fs::read_to_string(project().join(environments_page::PATH)).expect("the page is there: run make docs")
}

#[test]
fn the_page_is_what_the_templates_say_today() {
    let (page, text) = (page(), environments_page::text());
    let odd = page.lines().zip(text.lines()).find(|(old, new)| old != new);
    assert!(
        page == text,
        "docs/environments.md is out of date: run `make docs`; first difference: {odd:?}"
    );
}

#[test]
fn the_page_knows_the_sizes_that_an_operator_asks_for_first() {
    let page = page();
    for row in [
        "| `DatabaseInstance` | `DBInstanceClass` | db.t4g.small | db.t4g.medium | db.m7g.large |",
        "| `DatabaseInstance` | `MultiAZ` | false | true | true |",
        "| `NatGatewayB` | is made | no | no | yes |",
    ] {
        assert!(page.lines().any(|line| line == row), "{row}");
    }
}
