from django.db import models


class Heartbeat(models.Model):
    """When a background process last showed that it is alive."""

    name = models.CharField(max_length=40, unique=True)
    beaten_at = models.DateTimeField()
    seconds = models.FloatField(null=True)  # how long its last round took

    def __str__(self) -> str:
        return f"{self.name}: {self.beaten_at}"
