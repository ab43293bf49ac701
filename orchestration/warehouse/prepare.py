"""Getting a home ready for dbt: the reference set in force and a current manifest."""

from __future__ import annotations

import os
from pathlib import Path

from orchestration.home import Home
from orchestration.ingest.reference import compose_reference
from orchestration.settings import Settings, load_settings
from orchestration.warehouse.project import REFERENCE_DEFAULTS, dbt_environment, ensure_manifest


def prepare_home(home: Home, settings: Settings) -> Path:
    """Create the home, and return the path of its manifest.

    dbt finds its seeds in the reference set of the home, which every load composes; a
    home that was never loaded gets it here. dbt reads its paths from the environment,
    and Dagster starts dbt with the environment of this process; so they are set here.

    Raises:
        ConfigurationError: the home, a reference table or the dbt project cannot be used.
    """
    home.prepare()
    os.environ.update(dbt_environment(home, settings.memory_limit))
    if not home.reference.is_dir():
        compose_reference(
            REFERENCE_DEFAULTS, settings.reference, home.reference, settings.tier_policy
        )
    return ensure_manifest(home, settings.memory_limit)


def main() -> None:
    """Prepare the home of the settings, as part of setting up."""
    settings = load_settings()
    prepare_home(Home(settings.home), settings)


if __name__ == "__main__":
    main()
