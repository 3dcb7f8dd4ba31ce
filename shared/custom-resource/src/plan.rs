//! What an event asks of its handler: decided before anything is called.

use thiserror::Error;

use crate::event::{Event, RequestType};
use crate::identity::PhysicalId;
use crate::properties::{PropertyError, parse};
use crate::resource::CustomResource;

/// The verb to call, with what.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Plan<P> {
    /// Make `id`; a success answers with `answer_as`.
    Create {
        id: PhysicalId,
        answer_as: PhysicalId,
        properties: P,
    },
    /// Bring `id` to the new properties.
    Update {
        id: PhysicalId,
        properties: P,
        old: Option<P>,
    },
    /// Remove `id`.
    Delete { id: PhysicalId, properties: Option<P> },
    /// Succeed without a call: what is to be deleted was not made by this handler.
    LeaveAlone,
}

/// Why there is no plan. Becomes a reason.
#[derive(Debug, Error, PartialEq, Eq)]
pub(crate) enum NoPlan {
    #[error("{0}")]
    Properties(#[from] PropertyError),
    #[error("the function has a defect: it does not recognise its own physical id `{0}`; update the function")]
    Unrecognised(PhysicalId),
}

impl<P> Plan<P> {
    /// The properties whose attributes the answer will hold.
    pub(crate) fn properties(&self) -> Option<&P> {
        match self {
            Self::Create { properties, .. } | Self::Update { properties, .. } => Some(properties),
            Self::Delete { .. } | Self::LeaveAlone => None,
        }
    }

    /// The id that a success answers with, unless it is a Delete's own.
    pub(crate) fn answer_as(&self) -> Option<&PhysicalId> {
        match self {
            Self::Create { answer_as: id, .. } | Self::Update { id, .. } => Some(id),
            Self::Delete { .. } | Self::LeaveAlone => None,
        }
    }
}

/// Decides what `event` asks of `handler`.
pub(crate) fn plan<H: CustomResource>(handler: &H, event: &Event) -> Result<Plan<H::Properties>, NoPlan> {
    match event.request_type {
        RequestType::Create => {
            let properties = parse(event.properties())?;
            let id = own_id(handler, event, &properties)?;
            Ok(Plan::Create {
                answer_as: id.clone(),
                id,
                properties,
            })
        }
        RequestType::Update => update(handler, event),
        RequestType::Delete => Ok(delete(handler, event)),
    }
}

fn update<H: CustomResource>(handler: &H, event: &Event) -> Result<Plan<H::Properties>, NoPlan> {
    let properties: H::Properties = parse(event.properties())?;
    let old: Option<H::Properties> = parse(event.old_properties()).ok();
    let id = own_id(handler, event, &properties)?;
    let Some(present) = present_id(event) else {
        return Ok(Plan::Create {
            answer_as: id.clone(),
            id,
            properties,
        });
    };
    if present == id {
        return Ok(Plan::Update { id, properties, old });
    }
    // An anonymous id stands for what the old properties identify. While that stays the same it must stay the answer: a new
    // id would make CloudFormation delete the anonymous one, and with it what it stands for.
    let old_id = old.map(|old| handler.physical_id(&event.scope, &old));
    let answer_as = match old_id {
        Some(old_id) if old_id == id && present.is_anonymous(&event.scope) => present,
        _ => id.clone(),
    };
    Ok(Plan::Create {
        id,
        answer_as,
        properties,
    })
}

fn delete<H: CustomResource>(handler: &H, event: &Event) -> Plan<H::Properties> {
    let properties: Option<H::Properties> = parse(event.properties()).ok();
    match (present_id(event), properties) {
        (Some(id), properties) if handler.recognises(&id) => Plan::Delete { id, properties },
        (Some(id), Some(properties)) if id.is_anonymous(&event.scope) => {
            let id = handler.physical_id(&event.scope, &properties);
            Plan::Delete {
                id,
                properties: Some(properties),
            }
        }
        _ => Plan::LeaveAlone,
    }
}

fn present_id(event: &Event) -> Option<PhysicalId> {
    event.physical_id.clone().and_then(|id| PhysicalId::new(id).ok())
}

/// An id that the handler would not know again on Delete would leave its resource behind for ever.
fn own_id<H: CustomResource>(handler: &H, event: &Event, properties: &H::Properties) -> Result<PhysicalId, NoPlan> {
    let id = handler.physical_id(&event.scope, properties);
    if handler.recognises(&id) {
        Ok(id)
    } else {
        Err(NoPlan::Unrecognised(id))
    }
}
