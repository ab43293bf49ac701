"""The Great Expectations context of a home: a file context that talks to nobody."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from great_expectations.data_context.data_context.file_data_context import (
        FileDataContext,
    )

DATA_DOCS_SITE = "tierwise"

# Relative to the context's own folder, so that a home can be moved.
_SITE: dict[str, Any] = {
    "module_name": "expectations.docs.site",
    "class_name": "OfflineSiteBuilder",
    "show_how_to_buttons": False,
    "store_backend": {
        "class_name": "TupleFilesystemStoreBackend",
        "base_directory": "../../data_docs/",
    },
    "site_index_builder": {
        "module_name": "expectations.docs.site",
        "class_name": "RunIndexBuilder",
    },
    "site_section_builders": {
        "expectations": "None",
        "profiling": "None",
        "validations": {
            "class_name": "DefaultSiteSectionBuilder",
            "source_store_name": "validation_results_store",
            "renderer": {
                "module_name": "expectations.docs.site",
                "class_name": "ValidationRenderer",
            },
            "view": {
                "module_name": "expectations.docs.site",
                "class_name": "ValidationView",
            },
        },
    },
}


def context_folder(home: Path) -> Path:
    """Where the context keeps its configuration and every validation result."""
    return home / "audit" / "great_expectations" / "gx"


def data_docs_folder(home: Path) -> Path:
    """Where the validation reports of all runs lie; `index.html` lists the runs."""
    return home / "audit" / "data_docs"


def open_context(home: Path) -> FileDataContext:
    """The home's context, made on first use; opening it again changes nothing."""
    # Set before the import: the library reads it once, when it is loaded.
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    folder = context_folder(home).parent
    folder.mkdir(parents=True, exist_ok=True)
    context = gx.get_context(mode="file", project_root_dir=folder)
    if list(context.variables.data_docs_sites or {}) == [DATA_DOCS_SITE]:
        return context
    context.variables.data_docs_sites = {DATA_DOCS_SITE: _SITE}
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    # Nothing is looked up there, and the file would be read hundreds of times a run.
    context.variables.config_variables_file_path = None  # type: ignore[assignment]
    context.enable_analytics(False)
    context.variables.save()
    return gx.get_context(mode="file", project_root_dir=folder)
