"""Whose tokens a dataset's are: from its base model to the counter that counts them."""

from pathlib import Path

from django.conf import settings

from datasets_app.base_model_list import AS_OF, KNOWN_MODELS
from datasets_app.model_names import best_name
from datasets_app.models import BaseModel, Encoding
from datasets_app.own_tokens import OwnCounter
from datasets_app.token_counts import Counter, openai_counter
from open_chats.tokenizer_files import has_files, tokenizer_in
from teams_app.models import Team


def seed_base_models(team: Team) -> None:
    """Give a team the models to begin with; one that has any keeps what it made."""
    if BaseModel.objects.filter(team=team).exists():
        return
    BaseModel.objects.bulk_create(
        [
            BaseModel(
                team=team,
                name=known.name,
                encoding=known.encoding,
                training_context_tokens=known.training_context_tokens,
                source=known.source,
                as_of=AS_OF,
            )
            for known in KNOWN_MODELS
        ],
        ignore_conflicts=True,  # two processes may make the same team ready
    )


def base_model_named(team: Team, name: str) -> BaseModel | None:
    """The team's row for a model: the one so named, or another of its family."""
    models = {model.name: model for model in BaseModel.objects.filter(team=team)}
    best = best_name(name, list(models))
    return models[best] if best else None


def counter_of(model: BaseModel | None) -> Counter:
    """Counts as the model does; as gpt-4o does where no model is chosen.

    Of a model with a tokenizer of its own that is not on this server, the counts are
    gpt-4o's too; `has_tokenizer` tells.
    """
    if model is None:
        return openai_counter()
    if model.encoding != Encoding.OWN:
        return openai_counter(model.encoding)
    files = tokenizer_in(tokenizer_folder(model.name))
    return OwnCounter(_own_key(model), files) if files else openai_counter()


def counter_key(model: BaseModel | None) -> str:
    """The key of `counter_of`, without reading a tokenizer into memory for it."""
    if model is None or not has_tokenizer(model):
        return openai_counter().key
    return _own_key(model) if model.encoding == Encoding.OWN else str(model.encoding)


def _own_key(model: BaseModel) -> str:
    return f"own:{model.name}"


def has_tokenizer(model: BaseModel) -> bool:
    """Can its tokens be counted here, and not only estimated?"""
    return model.encoding != Encoding.OWN or has_files(tokenizer_folder(model.name))


def tokenizer_folder(name: str) -> Path:
    """Where the built-in tuning server puts the tokenizer of a model it can train."""
    return Path(settings.TOKENIZERS_DIR) / name.replace("/", "--")
