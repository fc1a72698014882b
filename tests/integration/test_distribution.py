"""`make dist` builds the package once, and tests it installed in clean environments."""

import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_package_works_where_only_it_is_installed():
    make = shutil.which("make") or "make"
    done = subprocess.run([make, "dist"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    wheel, sdist = (next((ROOT / "dist").glob(f"*.{kind}")) for kind in ("whl", "tar.gz"))
    for package in (wheel, sdist):
        assert f"dist/{package.name} works in a clean environment" in done.stdout
    names = zipfile.ZipFile(wheel).namelist()
    assert "event_harness/py.typed" in names
    assert {name.partition("/")[0].partition("-")[0] for name in names} == {"event_harness"}
    with tarfile.open(sdist) as archive:
        assert not [name for name in archive.getnames() if "/.venv" in name or "/.event-harness" in name]
