"""What `python -m local_aws start` tells the emulator's process, through its environment."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, repr=False)
class Settings:
    """One running emulator. Its root key is known to this process only; deployments use an IAM user's key."""

    endpoint: str
    region: str
    account: str
    root_access_key: str
    root_secret_key: str
    servers_file: Path

    @classmethod
    def from_environment(cls) -> "Settings":
        """Read what the launcher set; raise a `KeyError` naming the variable that is absent."""
        return cls(
            endpoint=os.environ["AWS_ENDPOINT_URL"],
            region=os.environ["MINISTACK_REGION"],
            account=os.environ["MINISTACK_ACCOUNT_ID"],
            root_access_key=os.environ["AWS_ACCESS_KEY_ID"],
            root_secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
            servers_file=Path(os.environ["LOCAL_AWS_SERVERS_FILE"]),
        )


SETTINGS = Settings.from_environment()
