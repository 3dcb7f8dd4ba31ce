//! Which events are about a label that moved; everything else is a reason to look, and no more.

use serde_json::Value;

/// The secret of a `Secret Label Updated` event about `AWSCURRENT`.
#[must_use]
pub fn moved_secret(event: &Value) -> Option<&str> {
    let is_move = event["source"] == "aws.secretsmanager"
        && event["detail-type"] == "Secret Label Updated"
        && event["detail"]["labelUpdated"] == "AWSCURRENT";
    event["resources"][0].as_str().filter(|_| is_move)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_event_of_the_user_guide_names_the_secret() {
        let mut event = json!({
            "version": "0", "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718", "detail-type": "Secret Label Updated",
            "source": "aws.secretsmanager", "account": "012345678901", "time": "2024-02-06T16:43:48Z", "region": "us-west-2",
            "resources": ["arn:aws:secretsmanager:us-west-2:012345678901:secret:mySecret-a1b2c3"],
            "detail": {
                "name": "mySecret", "labelUpdated": "AWSCURRENT", "versionId": "a1b2c3d4-5678-90ab-cdef-EXAMPLE11111",
            },
        });
        let arn = "arn:aws:secretsmanager:us-west-2:012345678901:secret:mySecret-a1b2c3";
        assert_eq!(moved_secret(&event), Some(arn));
        event["detail"]["labelUpdated"] = json!("RETIRED");
        assert_eq!(moved_secret(&event), None);
    }

    #[test]
    fn a_sweep_a_deployment_and_nothing_at_all_are_only_looks() {
        for event in [
            json!({"source": "aws.events"}),
            json!({"source": "aws.ecs"}),
            json!({}),
            json!(null),
        ] {
            assert_eq!(moved_secret(&event), None);
        }
    }
}
