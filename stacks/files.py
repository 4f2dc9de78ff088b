"""Stacks as data: `configs/stacks/NAME.yaml`, with values from the environment."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator
from zenml.enums import StackComponentType

from tabular.config.base import Items, StrictModel, explain
from tabular.errors import UserError, nearest, one_line
from tabular.storage.addresses import holds_secret, public
from tabular.storage.places import is_stray

FOLDER = Path("configs") / "stacks"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^}]*))?\}")


class Component(StrictModel):
    """One component of a stack."""

    name: str
    """Its name in ZenML. Stacks share a component if they give the same name, and then also the same values."""
    flavor: str | None = None
    """Its flavor; unset for a component that ZenML already has, such as `default`."""
    source: str | None = None
    """The class that describes a flavor of this repository, such as `stacks.gcsfs_store.GcsfsArtifactStoreFlavor`."""
    configuration: dict[str, Any] = {}
    """The flavor's settings; a setting whose value is empty is left out."""
    secrets: dict[str, str] = {}
    """Settings that are stored in a ZenML secret named after the component, which only refers to them."""

    @model_validator(mode="after")
    def _says_what_it_is(self) -> "Component":
        if self.flavor is None and (self.source or self.configuration or self.secrets):
            raise ValueError(f"'{self.name}' has settings and no 'flavor'")
        return self


def _as_list(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


class StackFile(StrictModel):
    """A stack as its file describes it."""

    description: str
    """One line for people."""
    base: str | None = None
    """Another stack. Its components are used for every kind that this file does not name."""
    requirements: str = "requirements.txt"
    """The file to install when a package that a flavor needs is missing."""
    when_down: str | None = None
    """What a person should do when a component cannot be reached."""
    variables: dict[str, str] = {}
    """The meaning of each environment variable that has no default, and where to get its value."""
    components: dict[
        Annotated[StackComponentType, Field(strict=False)],
        Annotated[Items[Component], Field(min_length=1), BeforeValidator(_as_list)],
    ]
    """The components by kind: one, or several in a list whose first item is the default."""

    @model_validator(mode="after")
    def _has_what_every_stack_has(self) -> "StackFile":
        for kind in (StackComponentType.ORCHESTRATOR, StackComponentType.ARTIFACT_STORE):
            if kind not in self.components:
                raise ValueError(f"a stack needs an '{kind.value}' among its components")
        needed = {name for name, default in references(self) if default is None}
        if unexplained := sorted(needed - set(self.variables)):
            raise ValueError(f"say under 'variables' what {', '.join(unexplained)} is, or give a default")
        if unused := sorted(set(self.variables) - needed):
            raise ValueError(f"'variables' holds {', '.join(unused)}, which no component needs")
        return self


def names(root: Path) -> list[str]:
    """The names of the stacks that have a file in a repository, sorted."""
    return sorted(file.stem for file in (root / FOLDER).glob("*.yaml") if not is_stray(file.name))


def read(root: Path, name: str) -> StackFile:
    """Read the file of a stack; values from the environment are not put in yet.

    Returns:
        The stack, including the components of its base.

    Raises:
        UserError: there is no such stack, or its file is not valid.
    """
    known, file = names(root), FOLDER / f"{name}.yaml"
    if name not in known:
        near = nearest(name, known)
        hint = f"; the nearest is '{near}', and there are {', '.join(known)}" if near else ""
        raise UserError(f"there is no file {file}{hint}")
    try:
        content = yaml.safe_load((root / file).read_text())
        if isinstance(content, dict) and (base := content.get("base")):
            if base == name or base not in known:
                raise UserError(f"{file}: base: there is no other stack '{base}' in {FOLDER}")
            content = _on_base(content, read(root, base))
        return StackFile.model_validate(content)
    except ValidationError as error:
        raise UserError(f"{file}: {explain(error, StackFile)}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{file} is not YAML: {one_line(error)}") from None


def find(root: Path, name: str) -> StackFile | None:
    """The file of a stack; None if the stack has none. Raises UserError if the file is not valid."""
    return read(root, name) if name in names(root) else None


def _on_base(content: dict[str, Any], base: StackFile) -> dict[str, Any]:
    """A file's content with the components of its base, and with the variables that those components need."""
    inherited: dict[str, Any] = base.model_dump(exclude_unset=True)
    components = {**inherited["components"], **(content.get("components") or {})}
    needed = {match["name"] for match in VARIABLE.finditer(str(components))}
    variables = {key: text for key, text in base.variables.items() if key in needed}
    keys: dict[str, Any] = {key: inherited[key] for key in ("requirements", "when_down") if key in inherited}
    return {**keys, **content, "components": components, "variables": variables | (content.get("variables") or {})}


def resolve(file: StackFile, name: str, environment: Mapping[str, str]) -> StackFile:
    """Put the values of the environment into a stack.

    Args:
        environment: variables and their values; an empty value counts as unset, as for `:-` in a shell.

    Raises:
        UserError: variables without a default are not set; one message names all of them. Or an address that ZenML
            would store in plain text holds a secret.
    """
    if missing := unset(file, environment):
        raise UserError(explain_variables(f"the stack '{name}'", missing))

    def fill(value: Any, is_secret: bool) -> Any:
        if isinstance(value, str):
            text = VARIABLE.sub(lambda found: environment.get(found["name"]) or found["default"] or "", value)
            if not is_secret and holds_secret(text):
                raise UserError(
                    f"the stack '{name}': {value} is {public(text)} with a login or a query, which ZenML would store "
                    "in plain text; leave it out, and set the variables that the stack has for user and password"
                )
            return text
        if isinstance(value, dict):
            return {key: filled for key, item in value.items() if (filled := fill(item, is_secret)) != ""}
        return [fill(item, is_secret) for item in value] if isinstance(value, list | tuple) else value

    components = {
        kind: tuple(
            part.model_copy(
                update={"configuration": fill(part.configuration, False), "secrets": fill(part.secrets, True)}
            )
            for part in parts
        )
        for kind, parts in file.components.items()
    }
    return file.model_copy(update={"components": components})


def unset(file: StackFile, environment: Mapping[str, str]) -> dict[str, str]:
    """The variables that the file needs and that the environment does not set, each with its description."""
    return {name: text for name, text in file.variables.items() if not environment.get(name)}


def references(file: StackFile) -> list[tuple[str, str | None]]:
    """Each variable that the components mention, with its default or None."""
    settings = str([[part.configuration, part.secrets] for parts in file.components.values() for part in parts])
    return [(match["name"], match["default"]) for match in VARIABLE.finditer(settings)]


def explain_variables(who: str, missing: Mapping[str, str]) -> str:
    """Say in one message which variables are missing, what each of them is, and how to set them.

    Args:
        who: what needs the variables.
    """
    one = len(missing) == 1
    lines = "".join(f"\n  {name}: {text}" for name, text in missing.items())
    return (
        f"{who} needs {len(missing)} environment variable{'' if one else 's'} that {'is' if one else 'are'} not set; "
        f"put {'it' if one else 'them'} into .env (a template is .env.example) or into the environment:{lines}"
    )
