"""The Great Expectations context of a home: a file context that talks to nobody."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from great_expectations.data_context import FileDataContext

DATA_DOCS_SITE = "local_site"


def context_folder(home: Path) -> Path:
    return home / "audit" / "great_expectations"


def data_docs_folder(home: Path) -> Path:
    return home / "audit" / "data_docs"


def open_context(home: Path) -> FileDataContext:
    """The home's context, made on first use; opening it again changes nothing."""
    # Set before the import: the library reads it once, when it is loaded.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx

    folder = context_folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        context = gx.get_context(mode="file", project_root_dir=folder)
    context.enable_analytics(False)
    return context
