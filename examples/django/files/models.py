from django.conf import settings
from django.db import models


class File(models.Model):
    # The upload's own id is the key, so that hearing of it twice makes no second row.
    upload_id = models.CharField(primary_key=True, max_length=128)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    name = models.CharField(max_length=255)
    size = models.BigIntegerField()
    path = models.CharField(max_length=255)
    finished_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("-finished_at",)

    def __str__(self) -> str:
        return str(self.name)
