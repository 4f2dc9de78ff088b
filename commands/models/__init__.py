"""`python run.py models …`: look at the versions of a model, compare, promote, roll back, delete and release them."""

from commands.models.changing import alias, archive, promote, rollback, tag
from commands.models.contrasting import compare, diff, history
from commands.models.group import models
from commands.models.looking import best, list_, show, versions
from commands.models.releasing import release
from commands.models.removing import delete, prune

__all__ = [
    "alias",
    "archive",
    "best",
    "compare",
    "delete",
    "diff",
    "history",
    "list_",
    "models",
    "promote",
    "prune",
    "release",
    "rollback",
    "show",
    "tag",
    "versions",
]
