"""LoRA adapters: the small weights that a run trains and an answer loads."""

from pathlib import Path

from peft import LoraConfig, PeftModel, get_peft_model
from transformers import PreTrainedModel

RANK = 16


def new_adapter(model: PreTrainedModel) -> PeftModel:
    """A fresh adapter on every linear layer; it changes nothing until trained."""
    config = LoraConfig(
        r=RANK,
        lora_alpha=2 * RANK,
        lora_dropout=0.0,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def continue_adapter(model: PreTrainedModel, folder: Path) -> PeftModel:
    """A finished adapter, to be trained further."""
    return PeftModel.from_pretrained(
        model, folder, is_trainable=True, local_files_only=True
    )


def save_adapter(model: PeftModel, folder: Path) -> None:
    """Write the adapter so that the folder bears its name only when it is whole."""
    unfinished = folder.with_name(f".{folder.name}-unfinished")
    model.save_pretrained(str(unfinished))
    unfinished.replace(folder)
