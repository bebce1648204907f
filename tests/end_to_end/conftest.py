from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.site import Site


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`./run` with its sample, shared by the tests of this folder."""
    var: Path = tmp_path_factory.mktemp("site") / "var"
    site = Site(var)
    yield site
    if site.process.poll() is None:
        site.stop()
