"""How fast answers are written, beside transformers' own `generate`.

    python -m benchmarks.answering_speed [--tokens 64] [--parallel 8] [--adapters 50]

One process, one after the other, the same base model and questions, greedy. "CPU s"
also says something on a machine that is busy with other things.
Needs requirements-tuning-server.txt.
"""

import argparse
import resource
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from peft import PeftModel

from tuning_server_app.base_models import SMOLLM2
from tuning_server_app.inference.chat_request import ChatRequest
from tuning_server_app.inference.engine import Engine
from tuning_server_app.training.adapters import new_adapter
from tuning_server_app.training.chat_rendering import render_prompt
from tuning_server_app.training.convert import ensure_ready
from tuning_server_app.training.loading import load_model, load_tokenizer

QUESTIONS = [
    "Tell me a long story about a lighthouse.",
    "Explain in detail how bread is made, from the field to the table.",
    "Describe a day in the life of a mail carrier in a small town, hour by hour.",
    "What should I know before I adopt a dog? Be thorough.",
    "Write a long letter to a friend who moved abroad.",
    "List and explain ten ways to save water at home.",
    "How does a bicycle stay upright? Explain at length.",
    "긴 이야기를 하나 들려주세요. 바다와 등대가 나와야 합니다.",
]
FROM_DISK = "an adapter's first token, from the disk"


class Stopwatch:
    seconds = cpu_seconds = 0.0


@contextmanager
def stopwatch() -> Iterator[Stopwatch]:
    watch, began, cpu = Stopwatch(), time.perf_counter(), time.process_time()
    yield watch
    watch.seconds = time.perf_counter() - began
    watch.cpu_seconds = time.process_time() - cpu


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--parallel", type=int, default=8)
    parser.add_argument("--adapters", type=int, default=50)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        base = ensure_ready(SMOLLM2, folder / "base")
        make_adapters(base, folder / "runs", arguments.adapters)
        plain = measure_generate(base, folder / "runs" / "0", arguments)
        print("| what | generate | ours |\n|---|---|---|")
        for what, told in measure_engine(folder, arguments):
            print(f"| {what} | {plain.get(what, '–')} | {told} |", flush=True)


def make_adapters(base: Path, root: Path, n: int) -> None:
    """Adapters of random weights, one beside the other; all are the same but one."""
    adapter = new_adapter(load_model(base))
    for name, weights in adapter.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weights, std=0.01)
    adapter.save_pretrained(str(root / "0"))
    for number in range(1, n):
        shutil.copytree(root / "0", root / str(number))


def measure_generate(base: Path, adapter: Path, arguments: Any) -> dict[str, str]:
    tokenizer, model = load_tokenizer(base), load_model(base).eval()
    pad = tokenizer.eos_token_id

    def write(questions: list[str], n_tokens: int, by: Any = model) -> int:
        prompts = [render_prompt(tokenizer, user(question)) for question in questions]
        longest = max(map(len, prompts))
        ids = torch.tensor([[pad] * (longest - len(p)) + p for p in prompts])
        begins = torch.tensor([[longest - len(p)] for p in prompts])
        mask = (torch.arange(longest)[None] >= begins).long()
        output = by.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=False,
            min_new_tokens=n_tokens,
            max_new_tokens=n_tokens,
            pad_token_id=pad,
        )
        return int(output[:, longest:].numel())

    many = (QUESTIONS * arguments.parallel)[: arguments.parallel]
    write(QUESTIONS[:1], 2)
    told = {
        "first token": seconds(lambda: write(QUESTIONS[:1], 1)),
        "one answer": rate(lambda: write(QUESTIONS[:1], arguments.tokens)),
        "many in a row": rate(
            lambda: sum(write([each], arguments.tokens) for each in many)
        ),
        "many at once": rate(lambda: write(many, arguments.tokens)),
    }
    with stopwatch() as watch:
        adapted = PeftModel.from_pretrained(model, adapter).eval()
        write(QUESTIONS[:1], 1, adapted)
    told[FROM_DISK] = f"{watch.seconds:.2f} s"
    told["one answer with an adapter"] = rate(
        lambda: write(QUESTIONS[:1], arguments.tokens, adapted)
    )
    return told


def measure_engine(folder: Path, arguments: Any) -> Iterator[tuple[str, str]]:
    engine = Engine({SMOLLM2.name: SMOLLM2}, folder / "base", folder / "runs")
    n_tokens = arguments.tokens

    def write(question: str, n_tokens: int, adapter: str | None = None) -> int:
        request = ChatRequest(
            base=SMOLLM2.name,
            adapter=adapter,
            messages=user(question),
            max_tokens=n_tokens,
        )
        *_, last = engine.chat(request)
        return last.completion_tokens

    many = (QUESTIONS * arguments.parallel)[: arguments.parallel]
    one_adapter = [(write, each, n_tokens, "0") for each in many]
    own_adapters = [(write, each, n_tokens, str(at)) for at, each in enumerate(many)]
    works: dict[str, tuple[Callable[..., str], Callable[[], int]]] = {
        "first token": (seconds, lambda: write(QUESTIONS[0], 1)),
        "one answer": (rate, lambda: write(QUESTIONS[0], n_tokens)),
        "many in a row": (rate, lambda: sum(write(each, n_tokens) for each in many)),
        "many at once": (
            rate,
            lambda: at_once([(write, each, n_tokens) for each in many]),
        ),
        FROM_DISK: (seconds, lambda: write(QUESTIONS[0], 1, "0")),
        "the same from memory": (seconds, lambda: write(QUESTIONS[0], 1, "0")),
        "one answer with an adapter": (
            rate,
            lambda: write(QUESTIONS[0], n_tokens, "0"),
        ),
        "many at once, one adapter": (rate, lambda: at_once(one_adapter)),
        "many at once, each its own": (rate, lambda: at_once(own_adapters)),
    }
    write(QUESTIONS[0], 2)
    for what, (measure, work) in works.items():
        yield what, measure(work)
    yield from measure_memory(engine, write, arguments.adapters)
    engine.close()


def measure_memory(
    engine: Engine, write: Callable[..., int], n_adapters: int
) -> Iterator[tuple[str, str]]:
    yield "memory before", f"{resident_mb():.0f} MB"
    for number in range(n_adapters):
        write("?", 1, str(number))
        if number + 1 in (n_adapters // 2, n_adapters):
            kept = engine._load(SMOLLM2.name).result().adapters.n_kept
            told = f"{resident_mb():.0f} MB, {kept} kept"
            yield f"memory after {number + 1} adapters", told


def at_once(calls: list[tuple[Any, ...]]) -> int:
    written: list[int] = []
    threads = [
        threading.Thread(target=lambda call=call: written.append(call[0](*call[1:])))
        for call in calls
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(written)


def seconds(work: Callable[[], int]) -> str:
    with stopwatch() as watch:
        work()
    return f"{watch.seconds:.3f} s"


def rate(write: Callable[[], int]) -> str:
    """Tokens a second, by the clock and by the processor's time."""
    with stopwatch() as watch:
        n_tokens = write()
    by_cpu = n_tokens / watch.cpu_seconds
    return f"{n_tokens / watch.seconds:.1f} tokens/s ({by_cpu:.1f} per CPU s)"


def user(text: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text}]


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


if __name__ == "__main__":
    main()
