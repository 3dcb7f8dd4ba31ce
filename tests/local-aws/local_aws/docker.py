"""`python -m local_aws.docker`: plays docker for a build on a machine that has no container engine.

Nothing is built. What is pushed is a manifest with one layer, handed to ECR by the requests that its registry makes of a push, with the
rights of whoever pushes; and only where somebody signed in before. `local_aws.emulator.codebuild` lists the bases that ask for
something else.
"""

import contextlib
import hashlib
import json
import re
import sys
import time
from pathlib import Path
from typing import NoReturn

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = b"Nothing was built: this is the local AWS."
WISH = re.compile(r"-build-([a-z]+)$")
FAILING = ("fails", "stops", "times")


def main(told: list[str]) -> None:
    """Do what docker would."""
    match told:
        case ["login", "--username", name, "--password-stdin", *registry]:
            sign_in(name, registry[0] if registry else "docker.io")
        case ["buildx", "imagetools", "inspect", *_, image]:
            print(f"sha256:{hashlib.sha256(image.encode()).hexdigest()}")
        case ["build", *options, _]:
            build(options)
        case ["push", image]:
            push(image)
        case _:
            refuse(f"docker: the local AWS plays no `docker {' '.join(told)}`: see local_aws/docker.py")


def refuse(text: str) -> NoReturn:
    """End as a program that failed."""
    print(text, file=sys.stderr)
    sys.exit(1)


def kept(name: str) -> Path:
    """A file of docker's own, in the home of whoever calls it."""
    folder = Path.home() / ".docker"
    folder.mkdir(exist_ok=True)
    return folder / hashlib.sha256(name.encode()).hexdigest()


def sign_in(name: str, registry: str) -> None:
    """Remember the registry."""
    if not sys.stdin.read().strip():
        refuse(f"Error: Password required for {name} at {registry}")
    kept(registry).touch()
    print("Login Succeeded")


def build(options: list[str]) -> None:
    """Remember what the image would be made of."""
    pairs = zip(options, options[1:], strict=False)
    arguments = dict(value.split("=", 1) for option, value in pairs if option == "--build-arg")
    name = f"{arguments['MAUTIC_IMAGE']}:{arguments['MAUTIC_TAG']}@{arguments['MAUTIC_DIGEST']}"
    found = WISH.search(arguments["MAUTIC_IMAGE"])
    wish = found[1] if found else ""
    if wish in FAILING:
        refuse(f"ERROR: failed to solve: {name}: not found\nnothing was built, as the base's name asks for")
    if wish == "runs":
        print("running until it is stopped, as the base's name asks for", flush=True)
        while True:
            time.sleep(60)
    image = options[options.index("--tag") + 1]
    kept(image).write_text(json.dumps({"base": name, "races": wish == "races"}))
    print(f"{image} from {name}: nothing is built, for the local AWS has no container engine")


def push(image: str) -> None:
    """Hand the layer and the manifest to the registry."""
    import boto3  # what takes longest here, and only a push needs it
    from botocore.exceptions import ClientError

    registry, _, rest = image.partition("/")
    name, _, tag = rest.partition(":")
    if not kept(registry).exists():
        refuse(f"no basic auth credentials: nobody has signed in to {registry}")
    if not kept(image).exists():
        refuse(f"An image does not exist locally with the tag: {registry}/{name}")
    made = json.loads(kept(image).read_text())
    ecr = boto3.client("ecr")
    try:
        layer = f"sha256:{hashlib.sha256(LAYER).hexdigest()}"
        ecr.batch_check_layer_availability(repositoryName=name, layerDigests=[layer])
        upload = ecr.initiate_layer_upload(repositoryName=name)["uploadId"]
        last = len(LAYER) - 1
        part = {"partFirstByte": 0, "partLastByte": last, "layerPartBlob": LAYER}
        ecr.upload_layer_part(repositoryName=name, uploadId=upload, **part)
        ecr.complete_layer_upload(repositoryName=name, uploadId=upload, layerDigests=[layer])
        for pusher in ("another build", "") if made["races"] else ("",):
            annotations = {"tag": tag, "base": made["base"], "by": pusher}
            layers = [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": layer, "size": len(LAYER)}]
            manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "layers": layers, "annotations": annotations}
            ecr.put_image(repositoryName=name, imageTag=tag, imageManifest=json.dumps(manifest))
    except ClientError as error:
        refuse(f"denied: {error}")
    print(f"{tag}: pushed")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main(sys.argv[1:])
