//! The SDK's clients, answered by a [`Stage`].

use std::fmt::Debug;
use std::sync::Arc;

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::ErrorMetadata;
use aws_sdk_sesv2::types as ses;
use aws_smithy_mocks::{Rule, RuleBuilder, RuleMode, mock, mock_client};
use recorded_calls::{Recorder, Refusal, rule, stack_resource};
use ses_domain::identity::Identity;
use ses_domain::marks::Tags;
use ses_domain::observe::{Assumed, Clients};
use ses_domain::plan::Step;

use crate::stage::Stage;

/// The clients of `actor`.
pub fn clients(stage: &Arc<Stage>, actor: usize) -> Clients {
    let actor = Arc::new(Actor {
        stage: Arc::clone(stage),
        number: actor,
    });
    let identity = [
        actor.get_identity(),
        actor.create_identity(),
        actor.delete_identity(),
        actor.account(),
    ];
    let attributes = [actor.tag(), actor.untag(), actor.mail_from(), actor.configuration_set()];
    let recorder = Recorder::of("ses-domain");
    let rules = [identity, attributes].concat();
    let ses = mock_client!(aws_sdk_sesv2, RuleMode::MatchAny, &rules, |config| config
        .interceptor(recorder.clone()));
    let dns = mock_client!(aws_sdk_route53, RuleMode::MatchAny, &actor.dns_rules(), |config| {
        config.interceptor(recorder.clone())
    });
    let stacks = mock_client!(
        aws_sdk_cloudformation,
        RuleMode::MatchAny,
        [&actor.stack_resource()],
        |config| config.interceptor(recorder.clone())
    );
    let assumed = dns.clone();
    let assume = move |_: &str| {
        let client = assumed.clone();
        // Whether STS is denied is seen in the calls that follow.
        let _ = actor.stage.call(actor.number, "sts:AssumeRole", |_| Ok(()));
        Box::pin(async move { client }) as Assumed
    };
    Clients {
        ses,
        stacks,
        dns,
        assume: Box::new(assume),
    }
}

/// Who calls.
pub struct Actor {
    pub stage: Arc<Stage>,
    pub number: usize,
}

impl Actor {
    pub fn step(&self, action: &'static str, domain: Option<&str>, step: &Step) -> Result<(), Refusal> {
        self.stage.step(self.number, action, domain.unwrap_or_default(), step)
    }

    fn get_identity(self: &Arc<Self>) -> Rule {
        use aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityError as Error;
        let answer = |actor: &Self, input: &aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityInput| {
            let domain = input.email_identity().unwrap_or_default();
            let missing = Refusal("NotFoundException", format!("Email identity {domain} does not exist."));
            let found = actor.stage.call(actor.number, "ses:GetEmailIdentity", |world| {
                world.identity(domain).ok_or(missing)
            });
            found.map(|found| described(&found))
        };
        rule(mock!(Client::get_email_identity), self, answer, |meta| {
            match meta.code() {
                Some("NotFoundException") => {
                    Error::NotFoundException(ses::error::NotFoundException::builder().meta(meta).build())
                }
                _ => Error::generic(meta),
            }
        })
    }

    /// A rule for an operation that carries out one step of a plan.
    fn stepping<I, O, E>(
        self: &Arc<Self>,
        action: &'static str,
        operation: RuleBuilder<I, O, E>,
        read: impl Fn(&I) -> (Option<&str>, Step) + Send + Sync + 'static,
        done: impl Fn() -> O + Send + Sync + 'static,
        error: impl Fn(ErrorMetadata) -> E + Send + Sync + 'static,
    ) -> Rule
    where
        I: Debug + Send + Sync + 'static,
        O: Debug + Send + Sync + 'static,
        E: std::error::Error + Debug + Send + Sync + 'static,
    {
        let answer = move |actor: &Self, input: &I| {
            let (domain, step) = read(input);
            actor.step(action, domain, &step).map(|()| done())
        };
        rule(operation, self, answer, error)
    }

    fn create_identity(self: &Arc<Self>) -> Rule {
        use aws_sdk_sesv2::operation::create_email_identity::{
            CreateEmailIdentityError as Error, CreateEmailIdentityInput as Input, CreateEmailIdentityOutput as Output,
        };
        fn read(input: &Input) -> (Option<&str>, Step) {
            let step = Step::CreateIdentity {
                tags: read_tags(input.tags()),
                configuration_set: input.configuration_set_name().map(str::to_owned),
            };
            (input.email_identity(), step)
        }
        let done = || Output::builder().build();
        self.stepping(
            "ses:CreateEmailIdentity",
            mock!(Client::create_email_identity),
            read,
            done,
            Error::generic,
        )
    }

    fn delete_identity(self: &Arc<Self>) -> Rule {
        use aws_sdk_sesv2::operation::delete_email_identity::{
            DeleteEmailIdentityError as Error, DeleteEmailIdentityInput as Input, DeleteEmailIdentityOutput as Output,
        };
        fn read(input: &Input) -> (Option<&str>, Step) {
            (input.email_identity(), Step::DeleteIdentity)
        }
        let done = || Output::builder().build();
        self.stepping(
            "ses:DeleteEmailIdentity",
            mock!(Client::delete_email_identity),
            read,
            done,
            Error::generic,
        )
    }

    fn tag(self: &Arc<Self>) -> Rule {
        use aws_sdk_sesv2::operation::tag_resource::{
            TagResourceError as Error, TagResourceInput as Input, TagResourceOutput as Output,
        };
        fn read(input: &Input) -> (Option<&str>, Step) {
            (Some(of_arn(input.resource_arn())), Step::Mark(read_tags(input.tags())))
        }
        let done = || Output::builder().build();
        self.stepping(
            "ses:TagResource",
            mock!(Client::tag_resource),
            read,
            done,
            Error::generic,
        )
    }

    fn untag(self: &Arc<Self>) -> Rule {
        use aws_sdk_sesv2::operation::untag_resource::{
            UntagResourceError as Error, UntagResourceInput as Input, UntagResourceOutput as Output,
        };
        fn read(input: &Input) -> (Option<&str>, Step) {
            let keys = input.tag_keys().to_vec();
            (Some(of_arn(input.resource_arn())), Step::Unmark(keys))
        }
        let done = || Output::builder().build();
        self.stepping(
            "ses:UntagResource",
            mock!(Client::untag_resource),
            read,
            done,
            Error::generic,
        )
    }

    fn mail_from(self: &Arc<Self>) -> Rule {
        use aws_sdk_sesv2::operation::put_email_identity_mail_from_attributes::{
            PutEmailIdentityMailFromAttributesError as Error, PutEmailIdentityMailFromAttributesInput as Input,
            PutEmailIdentityMailFromAttributesOutput as Output,
        };
        fn read(input: &Input) -> (Option<&str>, Step) {
            let step = Step::SetMailFrom(input.mail_from_domain().map(str::to_owned));
            (input.email_identity(), step)
        }
        let done = || Output::builder().build();
        let action = "ses:PutEmailIdentityMailFromAttributes";
        self.stepping(
            action,
            mock!(Client::put_email_identity_mail_from_attributes),
            read,
            done,
            Error::generic,
        )
    }

    fn configuration_set(self: &Arc<Self>) -> Rule {
        use aws_sdk_sesv2::operation::put_email_identity_configuration_set_attributes::{
            PutEmailIdentityConfigurationSetAttributesError as Error,
            PutEmailIdentityConfigurationSetAttributesInput as Input,
            PutEmailIdentityConfigurationSetAttributesOutput as Output,
        };
        fn read(input: &Input) -> (Option<&str>, Step) {
            let step = Step::SetConfigurationSet(input.configuration_set_name().map(str::to_owned));
            (input.email_identity(), step)
        }
        let done = || Output::builder().build();
        let action = "ses:PutEmailIdentityConfigurationSetAttributes";
        self.stepping(
            action,
            mock!(Client::put_email_identity_configuration_set_attributes),
            read,
            done,
            Error::generic,
        )
    }

    fn account(self: &Arc<Self>) -> Rule {
        use aws_sdk_sesv2::operation::get_account as operation;
        let answer = |actor: &Self, _: &operation::GetAccountInput| {
            let access = actor
                .stage
                .call(actor.number, "ses:GetAccount", |world| Ok(world.production))?;
            Ok(operation::GetAccountOutput::builder()
                .production_access_enabled(access)
                .build())
        };
        rule(
            mock!(Client::get_account),
            self,
            answer,
            operation::GetAccountError::generic,
        )
    }

    /// CloudFormation, asked for the state of our resource.
    fn stack_resource(self: &Arc<Self>) -> Rule {
        let (actor, action) = (Arc::clone(self), "cloudformation:DescribeStackResource");
        stack_resource(move || actor.stage.call(actor.number, action, |world| Ok(world.withdrawn)))
    }
}

fn read_tags(tags: &[ses::Tag]) -> Tags {
    tags.iter()
        .map(|tag| (tag.key().to_owned(), tag.value().to_owned()))
        .collect()
}

fn of_arn(arn: Option<&str>) -> &str {
    let prefix = "arn:aws:ses:eu-central-1:123456789012:identity/";
    arn.and_then(|arn| arn.strip_prefix(prefix))
        .expect("the identity's ARN")
}

fn described(identity: &Identity) -> aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput {
    let dkim = ses::DkimAttributes::builder()
        .status(identity.dkim_status.as_str().into())
        .set_tokens(Some(identity.keys.tokens.clone()))
        .set_signing_hosted_zone(identity.keys.zone.clone())
        .signing_attributes_origin(ses::DkimSigningAttributesOrigin::AwsSes);
    let from = identity.mail_from.as_ref().map(|from| {
        ses::MailFromAttributes::builder()
            .mail_from_domain(&from.domain)
            .mail_from_domain_status(from.status.as_str().into())
            .behavior_on_mx_failure(ses::BehaviorOnMxFailure::UseDefaultValue)
            .build()
            .unwrap()
    });
    let tag = |(key, value): (&String, &String)| ses::Tag::builder().key(key).value(value).build().unwrap();
    aws_sdk_sesv2::operation::get_email_identity::GetEmailIdentityOutput::builder()
        .dkim_attributes(dkim.build())
        .set_mail_from_attributes(from)
        .set_configuration_set_name(identity.configuration_set.clone())
        .set_tags(Some(identity.tags.iter().map(tag).collect()))
        .build()
}
