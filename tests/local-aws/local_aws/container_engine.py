"""A container engine of the machine, by choice: it runs an image itself, where a stand-in would play it.

`LOCAL_AWS_ENGINE=docker python -m local_aws start`, or podman, or the path of one. The container shares the host's network, where the
local servers answer, and finds their authorities in the places that the image reads.
"""

import os
import pwd
from collections.abc import Mapping

ENGINE = "LOCAL_AWS_ENGINE"
# Where an engine's client finds its server.
PASSED = (ENGINE, "DOCKER_HOST", "DOCKER_CONTEXT", "CONTAINER_HOST", "XDG_RUNTIME_DIR")


def passed(environment: Mapping[str, str]) -> dict[str, str]:
    """What the emulator's process must be told of an environment, so that it can call the engine."""
    return {name: environment[name] for name in PASSED if name in environment}


def chosen() -> str | None:
    """The engine's program, if one was asked for."""
    return os.environ.get(ENGINE)


def command(
    engine: str, image: str, words: list[str], variables: Mapping[str, str], authorities: Mapping[str, str]
) -> list[str]:
    """How to run an image to its end. Variables stand here by name: their values, secrets among them, are the engine's own environment's."""
    options = [word for name in variables for word in ("--env", name)]
    for name, file in authorities.items():
        options += ["--volume", f"{file}:/local/{name}.pem:ro", "--env", f"{name}=/local/{name}.pem"]
    return [engine, "run", "--rm", "--network", "host", *options, image, *words]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The engine's own environment: the container's variables, the caller's home with the images in it, and the way to the server."""
    # To PHP "localhost" is a socket in the file system; the local servers' certificate holds their address, too.
    host = {"MAUTIC_DB_HOST": "127.0.0.1"} if variables.get("MAUTIC_DB_HOST") == "localhost" else {}
    return {"HOME": pwd.getpwuid(os.getuid()).pw_dir, **passed(os.environ), **variables, **host}
