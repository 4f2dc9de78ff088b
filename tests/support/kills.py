"""Work in another process that is killed at a chosen moment."""

import os
import signal
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def killed(at: int, calls: Mapping[Any, Sequence[str]], work: Callable[[], Any], before: bool = False) -> bool:
    """Whether the process that did the work was killed; it ends by itself where it makes fewer calls.

    Args:
        at: the number of the call at which the process receives SIGKILL.
        calls: the names of the functions that are counted, by the module or class that has them.
        work: what the process does.
        before: whether the kill comes right before the call, and not right after it.
    """
    child = os.fork()
    if child == 0:
        done = 0

        def counted(function: Callable[..., Any]) -> Callable[..., Any]:
            def wrapper(*arguments: Any, **options: Any) -> Any:
                nonlocal done
                result = None if before else function(*arguments, **options)
                done += 1
                if done == at:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options) if before else result

            return wrapper

        for owner, names in calls.items():
            for name in names:
                setattr(owner, name, counted(getattr(owner, name)))
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False
