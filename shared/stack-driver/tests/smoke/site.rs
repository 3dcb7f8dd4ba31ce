//! Certificates, redirections, and what a site that cannot be reached is told with.

use crate::server::{NAME, PASSWORD, Server, administrator, page, redirection};
use reqwest::Method;
use stack_driver::smoke::login;
use stack_driver::smoke::outcome::Judgement;
use stack_driver::smoke::site::{Body, Reply, Route, Site};

const FORM: &str = r#"<form action="/s/login_check"><input name="_username"></form>"#;

async fn signed_in(server: &Server) -> Judgement {
    login::check(&server.site().await).await
}

#[tokio::test]
async fn a_site_with_mautics_form_and_a_trusted_certificate_passes() {
    let server = Server::start(vec![page("GET /s/login", 200, FORM)]).await;
    assert_eq!(
        signed_in(&server).await,
        Judgement::passed("https://mautic.example.com/s/login answered 200 with Mautic's form.")
    );
    let [asked] = server.asked().try_into().expect("one request");
    let lines: Vec<&str> = asked.head.lines().collect();
    assert!(lines.contains(&"host: mautic.example.com"), "{lines:?}");
}

const CERTIFICATE: &str = "Its certificate is not one that this machine trusts for that name: look at CertificateArn and the site's \
                           name; an authority of your own is trusted with --ca-file FILE (with make: SITE_CA_FILE=FILE).";

#[tokio::test]
async fn a_certificate_by_an_authority_that_nobody_trusts_is_refused() {
    let server = Server::start(vec![page("GET /s/login", 200, FORM)]).await;
    let route = Route {
        ca_file: None,
        ..server.route.clone()
    };
    let site = Site::open(&format!("https://{NAME}"), &route).await.expect("a site");
    let judgement = login::check(&site).await;
    assert_eq!(
        judgement,
        Judgement::failed(
            "https://mautic.example.com/s/login did not answer: invalid peer certificate: UnknownIssuer.",
            CERTIFICATE
        )
    );
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn a_certificate_of_another_name_is_refused() {
    let server = Server::certified_for("other.example.com", vec![page("GET /s/login", 200, FORM)]).await;
    let judgement = signed_in(&server).await;
    assert_eq!(
        judgement,
        Judgement::failed(
            "https://mautic.example.com/s/login did not answer: invalid peer certificate: certificate not valid for name \
             \"mautic.example.com\"; certificate is only valid for DnsName(\"other.example.com\").",
            CERTIFICATE
        )
    );
    assert!(server.asked().is_empty());
}

#[tokio::test]
async fn an_installer_is_shown_and_not_followed() {
    let server = Server::start(vec![redirection(
        "GET /s/login",
        "https://mautic.example.com/installer",
    )])
    .await;
    assert_eq!(
        signed_in(&server).await,
        Judgement::failed(
            "https://mautic.example.com/s/login leads to https://mautic.example.com/installer: Mautic is not installed.",
            "Leave the installer alone, and run the installation once: docs/operations.md, The first start."
        )
    );
    assert_eq!(server.paths(), ["GET /s/login"]);
}

#[tokio::test]
async fn a_site_that_leads_elsewhere_is_told_where() {
    let server = Server::start(vec![redirection("GET /s/login", "http://mautic.example.com/s/login")]).await;
    assert_eq!(
        signed_in(&server).await.seen,
        "https://mautic.example.com/s/login answered 302 and leads to http://mautic.example.com/s/login."
    );
}

#[tokio::test]
async fn each_status_has_its_own_remedy() {
    let cases = [
        (
            503,
            "The load balancer has no healthy web task: look at the log of stopped tasks, and at docs/runbooks/README.md for the alarms \
             of web tasks.",
        ),
        (
            403,
            "The web firewall refuses this machine or this request: look at its log for the rule, or deploy with \
             WebFirewallMode=count to learn more.",
        ),
        (500, "Mautic failed: its error stands in the log of web tasks."),
        (400, "Mautic refuses the name: it is not among its trusted hosts."),
        (404, "Something else than Mautic answers under this name."),
        (429, "Too many requests from this address: wait five minutes."),
        (418, "Look at it in a browser, and at the log of web tasks."),
    ];
    for (status, remedy) in cases {
        let judgement = signed_in(&Server::start(vec![page("GET /s/login", status, "<h1>No</h1>")]).await).await;
        let seen = format!("https://mautic.example.com/s/login answered {status}.");
        assert_eq!(judgement, Judgement::failed(seen, remedy));
    }
}

#[tokio::test]
async fn a_page_of_something_else_is_no_sign_in_page() {
    let server = Server::start(vec![page("GET /s/login", 200, "<h1>It works!</h1>")]).await;
    assert_eq!(
        signed_in(&server).await.seen,
        "https://mautic.example.com/s/login answered 200, but not with Mautic's form."
    );
}

#[tokio::test]
async fn a_site_where_nobody_listens_is_told_with_what_the_network_says() {
    let server = Server::start(Vec::new()).await;
    let route = Route {
        connect_to: Some("127.0.0.1:9".to_owned()),
        ..server.route.clone()
    };
    let site = Site::open(&format!("https://{NAME}"), &route).await.expect("a site");
    assert_eq!(
        login::check(&site).await,
        Judgement::failed(
            "https://mautic.example.com/s/login did not answer: Connection refused (os error 111).",
            "Look at the network and the proxy (HTTPS_PROXY) here, and whether the load balancer stands."
        )
    );
}

#[tokio::test]
async fn a_password_goes_into_a_header_and_nowhere_else() {
    let server = Server::start(vec![page("GET /api/forms", 500, "broken")]).await;
    let site = server.site().await;
    let reply: Reply = site
        .ask_as(
            &administrator(),
            Method::GET,
            "/api/forms",
            &[("search", "a+b c")],
            Body::None,
        )
        .await
        .expect("an answer");
    let [asked] = server.asked().try_into().expect("one request");
    assert_eq!(asked.what, "GET /api/forms?search=a%2Bb+c");
    assert!(
        asked.head.to_lowercase().contains("authorization: basic "),
        "{}",
        asked.head
    );
    for text in [
        format!("{reply:?}"),
        format!("{site:?}"),
        format!("{:?}", administrator()),
    ] {
        assert!(!text.contains(PASSWORD), "{text}");
    }
}

#[tokio::test]
async fn what_leads_to_no_site_is_refused_before_anything_is_sent() {
    let route = |connect_to: Option<&str>, ca_file: Option<&str>| Route {
        site: None,
        connect_to: connect_to.map(str::to_owned),
        ca_file: ca_file.map(Into::into),
    };
    let cases = [
        ("http://mautic.example.com", route(None, None)),
        ("mautic", route(None, None)),
        ("https://mautic.example.com", route(Some("192.0.2.1"), None)),
        ("https://mautic.example.com", route(None, Some("/nowhere.pem"))),
        ("https://mautic.example.com", route(None, Some("/dev/null"))),
    ];
    let mut texts = Vec::new();
    for (address, route) in cases {
        texts.push(Site::open(address, &route).await.expect_err("refused").to_string());
    }
    assert_eq!(
        texts,
        [
            "\"http://mautic.example.com\" is no address of a site: it begins with https:// and names a host",
            "\"mautic\" is no address of a site: it begins with https:// and names a host",
            "--connect-to \"192.0.2.1\" leads nowhere (invalid socket address): give a host and a port, such as 192.0.2.10:443",
            "--ca-file /nowhere.pem: No such file or directory (os error 2); give a file of certificates in PEM",
            "--ca-file /dev/null: it holds no certificate; give a file of certificates in PEM",
        ]
    );
}

#[tokio::test]
async fn an_authority_that_is_none_is_refused_before_anything_is_sent() {
    let file = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("no-authority.pem");
    std::fs::write(&file, "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n").expect("a file");
    let route = Route {
        ca_file: Some(file),
        ..Route::default()
    };
    assert_eq!(
        Site::open("https://mautic.example.com", &route)
            .await
            .expect_err("refused")
            .to_string(),
        "HTTPS cannot be used: invalid peer certificate: BadEncoding; look at this machine's authorities (package ca-certificates), and at --ca-file"
    );
}
