"""Google's buckets over HTTP, with one attempt for each request."""

from gcsfs.core import GCSFileSystem


class SingleAttemptFileSystem(GCSFileSystem):
    """Objects in a bucket; a request that fails is reported at once.

    The base is taken by its module: which class `gcsfs.GCSFileSystem` is depends on an environment variable that gcsfs
    reads when it is first imported, and the other class asks an emulator over gRPC and waits for it without end.
    """

    # gcsfs wraps this method in six attempts, which take half a minute whatever went wrong, and has no setting for
    # fewer. The attribute `__wrapped__`, which Python's decorators keep, is the only way to the method itself.
    _request = GCSFileSystem._request.__wrapped__
