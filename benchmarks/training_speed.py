"""How fast a training step is, beside TRL's SFTTrainer as it comes.

    python -m benchmarks.training_speed [--rows FILE] [--steps 8] [--batch 4]
                                        [--rounds 3]

All train the same LoRA adapter on the same tokens with the same scored answers, in
turns, each in a process of its own; the tables show medians over the rounds. "per CPU
second" also holds on a machine that is busy with other things. "of peak" is the share
of what large matrix products reach on the same device in the same round. Needs
requirements-tuning-server.txt.
"""

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from tuning_server_app.base_models import SMOLLM2

# As it comes, SFTTrainer multiplies in bfloat16, which few CPUs do fast.
PEERS = ("SFTTrainer", "float32", "ours")
Figures = dict[str, float]
SENTENCES = (
    "주문한 책을 받은 날부터 열나흘 안이면 환불할 수 있고 택배 기사가 이틀 안에 찾으러 "
    "갑니다 네더 블레이드는 매 턴 두 번 공격하며 전장의 모든 유닛에게 피해를 줍니다"
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=Path, help="chats as JSONL; else made up")
    parser.add_argument("--steps", type=int, default=8)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = arguments.rows or write_rows(Path(folder) / "rows.jsonl")
        convert_base(folder)
        numbers = (arguments.steps, arguments.batch)
        rounds = []
        for _ in range(arguments.rounds):
            peak = measured("peak", rows, *numbers, folder)["flops"]
            rounds.append(
                [
                    with_share(measured(peer, rows, *numbers, folder), peak)
                    for peer in PEERS
                ]
            )
    print_table([medians(list(figures)) for figures in zip(*rounds, strict=True)])
    print_ratios(rounds)


def with_share(figures: Figures, peak: float) -> Figures:
    return {**figures, "of_peak": figures["flops"] / peak}


def medians(rounds: list[Figures]) -> Figures:
    return {
        name: statistics.median(figures[name] for figures in rounds)
        for name in rounds[0]
    }


def write_rows(path: Path) -> Path:
    """Forty Korean chats of about 100 to 290 tokens."""
    chance, words = random.Random(7), SENTENCES.split()
    with path.open("w", encoding="utf-8") as lines:
        for _ in range(40):
            question = " ".join(chance.choices(words, k=4))
            answer = " ".join(chance.choices(words, k=chance.randint(4, 25)))
            messages = [
                {"role": "user", "content": question},
                {"role": "assistant", "content": answer},
            ]
            lines.write(json.dumps({"messages": messages}) + "\n")
    return path


def convert_base(cache: str) -> None:
    """Ahead of the peers, so that its memory is not taken for theirs."""
    base = (SMOLLM2.name, SMOLLM2.source, cache)
    command = [sys.executable, "-m", "tuning_server_app.training.convert", *base]
    subprocess.run(command, check=True)


def measured(peer: str, rows: Path, steps: int, batch: int, cache: str) -> Figures:
    command = [sys.executable, "-m", "benchmarks.training_peers"]
    numbers = [str(number) for number in (rows, steps, batch, cache)]
    done = subprocess.run(
        [*command, peer, *numbers], stdout=subprocess.PIPE, text=True, check=True
    )
    result: Figures = json.loads(done.stdout.splitlines()[-1])
    return result


def print_table(results: list[Figures]) -> None:
    heads = ("tokens/s", "per CPU second", "of peak", "peak MB", "first loss", "last")
    print(f"{'':<12}" + "".join(f"{head:>16}" for head in heads))
    for peer, result in zip(PEERS, results, strict=True):
        print(
            f"{peer:<12}{result['per_second']:>16.0f}{result['per_cpu_second']:>16.0f}"
            f"{result['of_peak']:>16.0%}{result['peak_mb']:>16.0f}"
            f"{result['first_loss']:>16.3f}{result['last_loss']:>16.3f}"
        )


def print_ratios(rounds: list[list[Figures]]) -> None:
    for name, key in (("tokens/s", "per_second"), ("per CPU", "per_cpu_second")):
        for number, peer in enumerate(PEERS[:-1]):
            ratios = [figures[-1][key] / figures[number][key] for figures in rounds]
            print(
                f"{name}: ours is {statistics.median(ratios):.1f}× {peer}"
                f" ({min(ratios):.1f} to {max(ratios):.1f})"
            )


if __name__ == "__main__":
    main()
