"""Stored files go when their rows are gone, and not before."""

from functools import partial
from typing import Any

from django.db import transaction
from django.db.models import FileField, Model
from django.db.models.signals import post_delete
from django.dispatch import receiver

from datasets_app.models import DatasetVersion, ImportRun


@receiver(post_delete, sender=ImportRun)
@receiver(post_delete, sender=DatasetVersion)
def delete_files(instance: Model, **_kwargs: Any) -> None:
    for field in instance._meta.fields:
        if isinstance(field, FileField) and (file := getattr(instance, field.name)):
            transaction.on_commit(partial(file.storage.delete, file.name))
