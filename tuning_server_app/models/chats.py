"""Chats that a client asked to keep."""

from django.db import models


class StoredChat(models.Model):
    """A question with `store: true`, and the answer it got."""

    organization = models.ForeignKey(
        "tuning_server_app.Organization", on_delete=models.CASCADE
    )
    wire_id = models.CharField(max_length=80)
    model = models.CharField(max_length=300)
    messages = models.JSONField()
    completion = models.JSONField()
    metadata = models.JSONField(null=True)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=("organization", "wire_id"), name="one_chat_per_id"
            )
        ]

    def __str__(self) -> str:
        return self.wire_id
