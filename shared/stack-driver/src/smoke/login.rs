//! The sign-in page, which needs all of it: certificate, load balancer, a healthy task, PHP, the database.

use crate::smoke::outcome::Judgement;
use crate::smoke::site::{Body, NoReply, Reply, Site};
use reqwest::Method;

/// Mautic's sign-in page.
const PATH: &str = "/s/login";

/// What stands in Mautic's form and in no error page: the field for the name, and where the form is sent.
const MARKS: [&str; 2] = ["name=\"_username\"", "/s/login_check"];

/// Asks for the page.
pub async fn check(site: &Site) -> Judgement {
    judge(&site.visit(Method::GET, PATH, &[], Body::None).await)
}

/// Judges the answer.
#[must_use]
pub fn judge(answer: &Result<Reply, NoReply>) -> Judgement {
    let reply = match answer {
        Ok(reply) => reply,
        Err(error) => return error.into(),
    };
    let url = &reply.url;
    let is_form = MARKS.iter().all(|mark| reply.body.contains(mark));
    match (reply.status, &reply.location) {
        (200, _) if is_form => Judgement::passed(format!("{url} answered 200 with Mautic's form.")),
        (200, _) => Judgement::failed(
            format!("{url} answered 200, but not with Mautic's form."),
            "Look at it in a browser; if it is another site's page, look at where the name leads.",
        ),
        (300..400, Some(location)) if location.contains("/installer") => Judgement::failed(
            format!("{url} leads to {location}: Mautic is not installed."),
            "Leave the installer alone, and run the installation once: docs/operations.md, The first start.",
        ),
        (300..400, Some(location)) => Judgement::failed(
            format!("{url} answered {} and leads to {location}.", reply.status),
            "Mautic believes that it has another address: compare the output SiteUrl, and see that TrustedProxies names the load \
             balancer's subnets.",
        ),
        _ => refused(reply),
    }
}

/// What an unexpected status says of who gave it, and what to do.
#[must_use]
pub fn refused(reply: &Reply) -> Judgement {
    let remedy = match reply.status {
        400 => "Mautic refuses the name: it is not among its trusted hosts.",
        403 => {
            "The web firewall refuses this machine or this request: look at its log for the rule, or deploy with \
             WebFirewallMode=count to learn more."
        }
        404 => "Something else than Mautic answers under this name.",
        429 => "Too many requests from this address: wait five minutes.",
        502..=504 => {
            "The load balancer has no healthy web task: look at the log of stopped tasks, and at docs/runbooks/README.md for the \
             alarms of web tasks."
        }
        500.. => "Mautic failed: its error stands in the log of web tasks.",
        _ => "Look at it in a browser, and at the log of web tasks.",
    };
    Judgement::failed(format!("{} answered {}.", reply.url, reply.status), remedy)
}

impl From<&NoReply> for Judgement {
    fn from(error: &NoReply) -> Self {
        Self::failed(format!("{error}."), error.remedy)
    }
}
