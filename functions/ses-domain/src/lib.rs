//! Custom::SesDomain: SES identity, DKIM, MAIL FROM, SPF and DMARC wired into DNS, then verified.
