"""Stacks as data: `configs/stacks/NAME.yaml`, with values from the environment."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from tabular.config.base import Items, StrictModel, explain
from tabular.errors import UserError, nearest, one_line

FOLDER = Path("configs") / "stacks"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")

Kind = Literal[
    "alerter",
    "annotator",
    "artifact_store",
    "container_registry",
    "data_validator",
    "deployer",
    "experiment_tracker",
    "feature_store",
    "image_builder",
    "log_store",
    "model_deployer",
    "model_registry",
    "orchestrator",
    "sandbox",
    "step_operator",
]


class Component(StrictModel):
    """One component of a stack."""

    name: str
    """Its name in ZenML. Stacks share a component by giving its name, and then also the same values."""
    flavor: str | None = None
    """Its flavor; unset for a component that ZenML has already, such as `default`."""
    source: str | None = None
    """For a flavor of this repository, the class that describes it, such as `stacks.gcsfs_store.GcsfsFlavor`."""
    configuration: dict[str, Any] = {}
    """The flavor's settings; a value that comes out empty is left out."""
    secrets: dict[str, str] = {}
    """Settings that go into a ZenML secret, named like the component, and are only referred to by the component."""

    @model_validator(mode="after")
    def _says_what_it_is(self) -> "Component":
        if self.flavor is None and (self.source or self.configuration or self.secrets):
            raise ValueError(f"'{self.name}' has settings and no 'flavor'")
        return self


def _as_list(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


class StackFile(StrictModel):
    """A stack, as it stands in its file."""

    description: str
    """One line for people."""
    base: str | None = None
    """Another stack, whose components this one has where it does not name its own of that kind."""
    requirements: str = "requirements.txt"
    """The file to install when a package that a flavor needs is missing."""
    when_down: str | None = None
    """What to do when something of it cannot be reached, for people."""
    variables: dict[str, str] = {}
    """What each environment variable that has no default is, and where to get it."""
    components: dict[Kind, Annotated[Items[Component], Field(min_length=1), BeforeValidator(_as_list)]]
    """One component for each kind, or several in a list; the first is the default one."""

    @model_validator(mode="after")
    def _has_what_every_stack_has(self) -> "StackFile":
        for kind in ("orchestrator", "artifact_store"):
            if kind not in self.components:
                raise ValueError(f"a stack needs an '{kind}' among its components")
        needed = {name for name, default in references(self) if default is None}
        if unexplained := sorted(needed - set(self.variables)):
            raise ValueError(f"say under 'variables' what {', '.join(unexplained)} is, or give a default")
        if unused := sorted(set(self.variables) - needed):
            raise ValueError(f"'variables' holds {', '.join(unused)}, which no component needs")
        return self


def names(root: Path) -> list[str]:
    """The stacks that have a file in a repository."""
    return sorted(file.stem for file in (root / FOLDER).glob("*.yaml"))


def read(root: Path, name: str) -> StackFile:
    """The file of a stack, before values from the environment are put in.

    Args:
        root: the repository.
        name: of the stack.

    Returns:
        The stack, with what it takes over from its base.

    Raises:
        UserError: no such stack, or a file that is not valid.
    """
    known = names(root)
    if name not in known:
        near = nearest(name, known)
        hint = f"; the nearest is '{near}', and there are {', '.join(known)}" if near else ""
        raise UserError(f"there is no file {FOLDER / f'{name}.yaml'}{hint}")
    try:
        content = yaml.safe_load((root / FOLDER / f"{name}.yaml").read_text())
        if isinstance(content, dict) and (base := content.get("base")):
            if base == name or base not in known:
                raise UserError(f"{FOLDER / f'{name}.yaml'}: base: there is no other stack '{base}' in {FOLDER}")
            content = _on_base(content, read(root, base))
        return StackFile.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{FOLDER / f'{name}.yaml'}: {explain(error, StackFile)}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{FOLDER / f'{name}.yaml'} is not YAML: {one_line(error)}") from None


def _on_base(content: dict[str, Any], base: StackFile) -> dict[str, Any]:
    """A file's content with the components of its base, and what the base says of the variables that these need."""
    inherited: dict[str, Any] = base.model_dump(exclude_unset=True)
    components = {**inherited["components"], **(content.get("components") or {})}
    needed = {match["name"] for match in VARIABLE.finditer(str(components))}
    variables = {key: text for key, text in base.variables.items() if key in needed}
    keys: dict[str, Any] = {key: inherited[key] for key in ("requirements", "when_down") if key in inherited}
    return {**keys, **content, "components": components, "variables": variables | (content.get("variables") or {})}


def resolve(file: StackFile, name: str, environment: Mapping[str, str]) -> StackFile:
    """The stack with the values of the environment put in.

    Args:
        file: from `read`.
        name: of the stack, for the error.
        environment: variables and their values; an empty value counts as unset, as `:-` has it in a shell.

    Raises:
        UserError: variables without a default that are not set, all of them in one message.
    """
    if missing := unset(file, environment):
        raise UserError(explain_variables(f"the stack '{name}'", missing))

    def fill(value: Any) -> Any:
        if isinstance(value, str):
            return VARIABLE.sub(lambda found: environment.get(found["name"]) or found["default"] or "", value)
        if isinstance(value, dict):
            return {key: filled for key, item in value.items() if (filled := fill(item)) != ""}
        return [fill(item) for item in value] if isinstance(value, list | tuple) else value

    components = {
        kind: tuple(
            part.model_copy(update={"configuration": fill(part.configuration), "secrets": fill(part.secrets)})
            for part in parts
        )
        for kind, parts in file.components.items()
    }
    return file.model_copy(update={"components": components})


def unset(file: StackFile, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that the file needs and the environment lacks, each with what it is."""
    return {name: text for name, text in file.variables.items() if not environment.get(name)}


def references(file: StackFile) -> list[tuple[str, str | None]]:
    """Each variable that the components mention, with its default or None."""
    found: list[tuple[str, str | None]] = []

    def look(value: Any) -> None:
        if isinstance(value, str):
            found.extend((match["name"], match["default"]) for match in VARIABLE.finditer(value))
        elif isinstance(value, dict):
            for item in value.values():
                look(item)
        elif isinstance(value, list | tuple):
            for item in value:
                look(item)

    for parts in file.components.values():
        for part in parts:
            look([part.configuration, part.secrets])
    return found


def explain_variables(who: str, missing: Mapping[str, str]) -> str:
    """One message for all missing variables: a line each, and how to set them."""
    one = len(missing) == 1
    lines = "".join(f"\n  {name}: {text}" for name, text in missing.items())
    return (
        f"{who} needs {len(missing)} environment variable{'' if one else 's'} that {'is' if one else 'are'} not set; "
        f"put {'it' if one else 'them'} into .env (a template is .env.example) or into the environment:{lines}"
    )
