#!/usr/bin/env bash
# Builds Mautic's image and pushes it, in CodeBuild; everything that it is told stands in the environment:
#
#   REPOSITORY_URI  where the image goes, an ECR repository
#   IMAGE_TAG       the tag of what is asked for; with a PATCH the patch's day is appended
#   PATCH           blank, or the day of a build with everything that has been corrected until then; today means today's
#   ROLLING         true: the tag rolling-IMAGE_TAG follows the newest build, and tasks name that
#   MAUTIC_IMAGE, MAUTIC_TAG, MAUTIC_DIGEST   the base; without a digest the one that the tag has now
#   SITE_URL        the site, for which the cache is compiled; may be blank
#   REGISTRY_USERNAME, REGISTRY_PASSWORD      Docker Hub's account; unset without one
#
# and what only the schedule says, each may be blank:
#
#   CLUSTER         the cluster whose services are to start anew with what the tag names then
#   TOPIC_ARN       who is told of the image, with the command that deploys it:
#   STACK_ID, CADENCE   a stack of the installation, and how often such builds are
#
#   PAUSE           seconds before the first repetition; 30 unless a test is in a hurry
set -euo pipefail
cd "$(dirname "$0")"

# One image is pushed, and not an index of it and its provenance: ECR's basic scan reads images, and finds nothing to read in an index.
export BUILDX_NO_DEFAULT_ATTESTATIONS=1

say() { printf 'build: %s\n' "$*"; }
fail() { say "$*"; exit 1; }

tag=$IMAGE_TAG
if [ "${PATCH:-}" = today ]; then PATCH=$(date -u +%Y%m%d); fi
if [ -n "${PATCH:-}" ]; then tag=$IMAGE_TAG-$PATCH; fi
repository=${REPOSITORY_URI#*/}
image=$REPOSITORY_URI:$tag
rolling=rolling-$IMAGE_TAG

digest_of() {
  aws ecr describe-images --repository-name "$repository" --image-ids "imageTag=$1" \
    --query 'imageDetails[0].imageDigest' --output text 2>/dev/null
}

# What passes, in the registries' own words: a build's log is full of numbers, and "#9 12.429 Unpacking" is no refusal. The first are
# Docker Hub's alone; ECR's toomanyrequests is another limit.
readonly limited='pull rate limit|429 Too Many Requests'
readonly breathless='toomanyrequests|50[0234] (Internal|Bad|Service|Gateway)|(i/o|TLS handshake) timeout|Client\.Timeout exceeded|connection reset'

# What the last program said that was called patiently.
said=$(mktemp)
trap 'rm -f "$said"' EXIT

# Docker Hub's limits, and registries that are out of breath, pass. Everything else stays as it is.
patiently() {
  local pause=${PAUSE:-30} attempt status
  for attempt in 1 2 3 4 5; do
    status=0
    "$@" 2>&1 | tee "$said" >&2 || status=$?
    if [ "$status" = 0 ]; then return 0; fi
    if ! grep -qiE "$limited|$breathless" "$said"; then return "$status"; fi
    if [ "$attempt" = 5 ]; then break; fi
    say "a registry refuses or does not answer (attempt $attempt of 5); again in $pause s"
    sleep "$pause"
    pause=$((pause * 2))
  done
  if grep -qiE "$limited" "$said"; then
    say "Docker Hub's limit is used up: wait an hour, or set the stack's parameter ImageBase to a secret with an account, or to a mirror"
  fi
  return "$status"
}

sign_in() {
  aws ecr get-login-password | docker login --username AWS --password-stdin "$1" >/dev/null
  say "signed in to $1"
}

build() {
  sign_in "${REPOSITORY_URI%%/*}"
  local base_registry=${MAUTIC_IMAGE%%/*}
  case $base_registry in
    "${REPOSITORY_URI%%/*}") ;;
    *.dkr.ecr.*.amazonaws.com*) sign_in "$base_registry" ;;
  esac
  if [ -n "${REGISTRY_USERNAME:-}" ]; then
    docker login --username "$REGISTRY_USERNAME" --password-stdin <<<"$REGISTRY_PASSWORD" >/dev/null
    say "signed in to Docker Hub as $REGISTRY_USERNAME"
  fi
  if [ -z "${MAUTIC_DIGEST:-}" ]; then
    patiently docker buildx imagetools inspect --format '{{.Manifest.Digest}}' "$MAUTIC_IMAGE:$MAUTIC_TAG" \
      || fail "the digest of $MAUTIC_IMAGE:$MAUTIC_TAG could not be read; the lines above say why"
    MAUTIC_DIGEST=$(grep -oE 'sha256:[0-9a-f]{64}' "$said" | tail -n 1) \
      || fail "$MAUTIC_IMAGE:$MAUTIC_TAG has no digest that could be read; is the tag there?"
  fi
  say "$image from $MAUTIC_IMAGE:$MAUTIC_TAG@$MAUTIC_DIGEST"
  patiently docker build --pull --tag "$image" \
    --build-arg "MAUTIC_IMAGE=$MAUTIC_IMAGE" --build-arg "MAUTIC_TAG=$MAUTIC_TAG" --build-arg "MAUTIC_DIGEST=$MAUTIC_DIGEST" \
    --build-arg "SITE_URL=${SITE_URL:-}" container
  # Tags do not change. Somebody may have been faster with the same context: then theirs is as good.
  if patiently docker push "$image"; then
    say "pushed $image"
  elif digest_of "$tag" >/dev/null; then
    say "$image was pushed by another build meanwhile"
  else
    fail "$image could not be pushed; the lines above say why"
  fi
}

# Lets the tag that tasks name follow this image.
point() {
  if [ "$(digest_of "$rolling" || true)" = "$digest" ]; then return; fi
  local manifest
  manifest=$(aws ecr batch-get-image --repository-name "$repository" --image-ids "imageTag=$tag" \
    --query 'images[0].imageManifest' --output text)
  aws ecr put-image --repository-name "$repository" --image-tag "$rolling" --image-manifest "$manifest" >/dev/null
  say "$rolling is $digest now"
}

# Tasks that start from now on are of the new image; those that run are replaced, and put back if the new ones are not healthy.
roll_out() {
  local service
  for service in $(aws ecs list-services --cluster "$CLUSTER" --query 'serviceArns[]' --output text); do
    aws ecs update-service --cluster "$CLUSTER" --service "$service" --force-new-deployment >/dev/null
    say "$service starts anew"
  done
}

scan() {
  local one=(--repository-name "$repository" --image-id "imageTag=$tag")
  aws ecr wait image-scan-complete "${one[@]}" \
    && aws ecr describe-image-scan-findings "${one[@]}" --query imageScanFindings.findingSeverityCounts --output json | tr -d ' \n'
}

tell() {
  local root
  root=$(aws cloudformation describe-stacks --stack-name "$STACK_ID" --query 'Stacks[0].RootId' --output text)
  root=${root#*:stack/}
  root=${root%%/*}
  aws sns publish --topic-arn "$TOPIC_ARN" --subject "A corrected image of Mautic" --message "$(cat <<E2
The image of $root was built anew, with what was corrected until $PATCH (UTC):

$REPOSITORY_URI@$digest
Its scan found: $findings

This deploys it:

aws cloudformation update-stack --stack-name $root --use-previous-template --capabilities CAPABILITY_NAMED_IAM CAPABILITY_AUTO_EXPAND --parameters ParameterKey=ImagePatches,ParameterValue=$CADENCE-$PATCH \$(aws cloudformation describe-stacks --stack-name $root --output text --query "Stacks[0].Parameters[?ParameterKey!='ImagePatches'].join('', ['ParameterKey=', ParameterKey, ',UsePreviousValue=true'])")
E2
)" >/dev/null
  say "told $TOPIC_ARN"
}

if digest=$(digest_of "$tag"); then
  say "$image is there already"
else
  build
  digest=$(digest_of "$tag") || fail "$image was pushed, but the repository does not show it"
fi
say "its digest is $digest"
if [ "${ROLLING:-}" = true ]; then point; fi
if [ -n "${CLUSTER:-}" ]; then roll_out; fi
if [ -n "${CLUSTER:-}${TOPIC_ARN:-}" ]; then
  findings=$(scan) || findings="nothing that is known yet"
  findings=${findings:-nothing} # an empty list is printed as no text at all
  say "its scan found: $findings"
fi
if [ -n "${TOPIC_ARN:-}" ]; then tell; fi
