"""./manage.py ask MODEL QUESTION: the model's answer, word by word as it comes."""

from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from tuning_server_app import inference_client
from tuning_server_app.errors import ApiError
from tuning_server_app.inference_client import InferenceDown
from tuning_server_app.models import TunedModel
from tuning_server_app.services.tuned_models import base_models, find_weights_of

EVENT = b"data: "
END = b"[DONE]"


class Command(BaseCommand):
    help = "Ask a model of the built-in tuning server one question."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "model", metavar="MODEL", help="a base model's name, or ft:…"
        )
        parser.add_argument("question", metavar="QUESTION")
        parser.add_argument(
            "--system", metavar="TEXT", help="what the model is told beforehand"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        messages = [{"role": "user", "content": options["question"]}]
        if options["system"]:
            messages.insert(0, {"role": "system", "content": options["system"]})
        try:
            for words in self._answer(options["model"], messages):
                self.stdout.write(words, ending="")
                self.stdout.flush()
        except InferenceDown as error:
            raise CommandError(str(error)) from error
        except ApiError as error:
            raise CommandError(error.message) from error
        self.stdout.write("")

    def _answer(self, name: str, messages: list[dict[str, str]]) -> Iterator[str]:
        weights = find_weights_of(name, TunedModel.objects.all())
        if weights is None:
            raise CommandError(_unknown(name))
        answer = inference_client.ask(
            {"model": name, "messages": messages, "stream": True},
            base_model=weights.base_model,
            adapter=weights.adapter,
        )
        if not answer.is_stream:
            raise CommandError(_reason(answer.read()))
        for event in _events(answer.chunks()):
            for choice in event["choices"]:
                yield choice["delta"].get("content") or ""


def _events(chunks: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    for line in _lines(chunks):
        if not line.startswith(EVENT) or line == EVENT + END:
            continue
        event = orjson.loads(line.removeprefix(EVENT))
        if "error" in event:
            raise CommandError(event["error"]["message"])
        yield event


def _lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines


def _reason(body: bytes) -> str:
    try:
        return str(orjson.loads(body)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return body[:500].decode(errors="replace")


def _unknown(name: str) -> str:
    newest = TunedModel.objects.order_by("-pk").values_list("name", flat=True)[:10]
    known = "\n  ".join([*base_models(), *newest])
    return _("There is no model named “%(name)s”. There are:\n  %(known)s") % {
        "name": name,
        "known": known,
    }
