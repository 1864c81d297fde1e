"""The `Objects` port over a folder and over S3: where snapshots and archived histories are kept."""

from streamflow.objects.folder import FolderObjects
from streamflow.objects.s3 import S3Objects
from streamflow.objects.targets import objects_of

__all__ = ["FolderObjects", "S3Objects", "objects_of"]
