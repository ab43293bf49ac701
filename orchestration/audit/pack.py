"""The evidence pack of a run: one zip file, the same bytes whenever it is made."""

from __future__ import annotations

import zipfile
from pathlib import Path

from orchestration.audit.chain import Link
from orchestration.audit.derived import derived_files
from orchestration.audit.store import HomeStore
from orchestration.errors import ConfigurationError
from orchestration.home import Home

# Part of a zip entry; the time of packing is no evidence.
_TIME = (1980, 1, 1, 0, 0, 0)
_NOT_PACKED = ("lake/raw/", "lake/quarantine/")


def write_pack(home: Home, link: Link, out: Path) -> int:
    """Write the pack of a run to `out` and return the number of files in it.

    It holds no customer rows: lake and publication stay in the home, their hashes are in
    the manifest.

    Raises:
        ConfigurationError: evidence is missing, or `out` cannot be written.
    """
    assert link.manifest is not None
    store = HomeStore(home.root)
    paths = [link.manifest_path, link.record_path] + [
        entry["path"]
        for name in ("lake", "evidence", "publication_log")
        for entry in link.manifest.get(name, ())
        if not entry["path"].startswith(_NOT_PACKED)
    ]
    missing = [path for path in paths if not store.has(path)]
    if missing:
        raise ConfigurationError(
            f"Run {link.run_id} cannot be packed: {missing[0]} is missing. "
            "`tierwise audit verify` names everything that is."
        )
    made = derived_files(link.manifest)
    unfinished = out.with_name(f".unfinished-{out.name}")
    try:
        with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as pack:
            for path in sorted({*paths, *made}):
                entry = zipfile.ZipInfo(path, _TIME)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                pack.writestr(entry, made[path] if path in made else store.read(path))
        unfinished.replace(out)
    except OSError as error:
        raise ConfigurationError(f"{out} cannot be written: {error.strerror}.") from error
    return len({*paths, *made})
