"""Bringing ZenML's store to what a stack's file says: missing parts are registered, differing ones are updated."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ValidationError
from zenml.client import Client
from zenml.enums import StackComponentType
from zenml.exceptions import EntityExistsError
from zenml.models import ComponentResponse, StackResponse
from zenml.stack import Flavor
from zenml.stack.flavor import validate_flavor_source

from stacks.files import Component, StackFile
from tabular.errors import UserError

REMOVED = {(StackComponentType.MODEL_DEPLOYER, "bento")}
"""Flavors that earlier versions of this project registered, and whose code it no longer contains."""


@dataclass(frozen=True)
class StackChange:
    """One part that a stack's file asks for, and what it takes to have it."""

    what: str
    """Kind and name of the part, such as `artifact_store 'gcs_emulated'`."""
    action: Literal["register", "update", "keep"]
    carry_out: Callable[[], object] = lambda: None


def plan(name: str, stack: StackFile) -> list[StackChange]:
    """Plan what `apply` would do, in the order in which it would: each part comes after the parts that it refers to.

    An `apply` that dies halfway therefore leaves nothing that does not work, and the next one completes it.

    Args:
        stack: the stack's file, with the values of the environment in place.

    Raises:
        UserError: a flavor does not exist or cannot be imported, or refuses a setting.
    """
    parts = [(kind, part) for kind, items in stack.components.items() for part in items]
    flavors = {id(part): _flavor(kind, part, stack.requirements) for kind, part in parts if part.flavor}
    changes: list[StackChange] = []
    for kind, part in parts:
        if part.flavor is None:
            if find_component(kind, part.name) is None:
                raise UserError(
                    f"{kind.value} '{part.name}' is not registered in ZenML, and its file gives no flavor to register"
                )
            continue
        changes += _secret(part)
        changes += _flavor_registration(kind, part)
        changes.append(_component(kind, part, flavors[id(part)]))
    return [*changes, _stack(name, stack)]


def apply(name: str, stack: StackFile) -> list[StackChange]:
    """Carry out the plan, and return it. Arguments and errors are those of `plan`."""
    changes = plan(name, stack)
    for change in changes:
        with contextlib.suppress(EntityExistsError):  # another process was doing the same
            change.carry_out()
    return changes


def delete(name: str, file: StackFile) -> list[str]:
    """Delete a stack, and those components of its file, with their secrets, that no other stack uses.

    What lies in the stores stays.

    Returns:
        Kind and name of each part that was deleted.

    Raises:
        UserError: the stack is the active one.
    """
    client = Client()
    deleted: list[str] = []
    if found := find_stack(name):
        try:
            client.delete_stack(found.id)
        except ValueError:
            raise UserError(f"'{name}' is the active stack: set another one first, with `zenml stack set`") from None
        deleted.append(f"stack '{name}'")
    for kind, parts in file.components.items():
        for part in parts:
            component = find_component(kind, part.name) if part.flavor else None
            if component is None or client.list_stacks(component_id=component.id, size=1).total:
                continue
            client.delete_stack_component(component.id, kind)
            deleted.append(f"{kind.value} '{part.name}'")
            if part.secrets and client.list_secrets(name=secret_name(part)).total:
                client.delete_secret(secret_name(part))
                deleted.append(f"secret '{secret_name(part)}'")
    return deleted


def find_stack(name: str) -> StackResponse | None:
    """The registered stack of exactly this name."""
    found = Client().list_stacks(name=name, hydrate=True).items
    return found[0] if found else None


def without_removed(stack: StackResponse) -> dict[StackComponentType, list[str]]:
    """The kinds of which a stack holds a component of a removed flavor, each with the names of its other components.

    ZenML cannot load such a stack at all; an update with this mapping makes it usable again.
    """
    return {
        kind: [part.name for part in parts if (kind, part.flavor_name) not in REMOVED]
        for kind, parts in stack.components.items()
        if any((kind, part.flavor_name) in REMOVED for part in parts)
    }


def secret_name(part: Component) -> str:
    """The ZenML secret that holds a component's secret settings."""
    return f"stackhouse_{part.name}"


def find_component(kind: StackComponentType, name: str) -> ComponentResponse | None:
    """The registered component of exactly this name."""
    found = Client().list_stack_components(name=name, type=kind.value, hydrate=True).items
    return found[0] if found else None


def load_flavor(kind: StackComponentType, name: str, requirements: str, source: str | None = None) -> Flavor:
    """Load a flavor, and make sure that its implementation can be imported.

    Args:
        requirements: the file to install when a package is missing.
        source: the class of a flavor of this repository that may not be registered yet.

    Raises:
        UserError: there is no such flavor, or a package that it needs is not installed.
    """
    try:
        if source:
            flavor = validate_flavor_source(source, kind)[1]
        else:
            flavor = Flavor.from_model(Client().get_flavor_by_name_and_type(name, kind))
        assert flavor.implementation_class
    except KeyError:
        raise UserError(
            f"ZenML knows no flavor '{name}' of {kind.value}; "
            f"`zenml {kind.value.replace('_', '-')} flavor list` lists them"
        ) from None
    except ImportError as error:
        raise UserError(
            f"the {kind.value} flavor '{name}' needs a package that cannot be imported ({error}); "
            f"run `pip install -r {requirements}`"
        ) from None
    except (ValueError, TypeError) as error:
        raise UserError(f"'{source}' does not describe a flavor of {kind.value}: {error}") from None
    return flavor


def _flavor(kind: StackComponentType, part: Component, requirements: str) -> Flavor:
    assert part.flavor is not None
    flavor = load_flavor(kind, part.flavor, requirements, part.source)
    if flavor.name != part.flavor:
        raise UserError(f"'{part.source}' describes the flavor '{flavor.name}', not '{part.flavor}'")
    known = flavor.config_class.model_fields
    if unknown := [key for key in (*part.configuration, *part.secrets) if key not in known]:
        raise UserError(
            f"{kind.value} '{part.name}': the flavor '{part.flavor}' has no setting '{unknown[0]}'; "
            f"it has {', '.join(sorted(known))}"
        )
    return flavor


def _wanted(part: Component, flavor: Flavor, kind: StackComponentType) -> dict[str, Any]:
    """The component's settings as ZenML stores them, checked by the flavor, with references in place of secrets."""
    try:
        settings = flavor.config_class(**(part.configuration | part.secrets))
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}".strip(": ") for one in error.errors())
        raise UserError(f"{kind.value} '{part.name}': {said}") from None
    except ValueError as error:
        raise UserError(f"{kind.value} '{part.name}': {error}") from None
    references = {key: f"{{{{{secret_name(part)}.{key}}}}}" for key in part.secrets}
    return settings.model_dump(mode="json", exclude_unset=True) | references


def _change(
    what: str, held: object, wanted: object, register: Callable[[], object], update: Callable[[], object]
) -> StackChange:
    """The change of one part, of which ZenML holds nothing (None), what is wanted, or something else."""
    if held is None:
        return StackChange(what, "register", register)
    return StackChange(what, "keep") if held == wanted else StackChange(what, "update", update)


def _component(kind: StackComponentType, part: Component, flavor: Flavor) -> StackChange:
    what, wanted = f"{kind.value} '{part.name}'", _wanted(part, flavor, kind)
    existing = find_component(kind, part.name)
    if existing is not None and existing.flavor_name != part.flavor:
        raise UserError(
            f"{what} is registered with the flavor '{existing.flavor_name}', and its file says '{part.flavor}': "
            f"delete it, or give it another name in the file"
        )
    held = existing and existing.configuration
    settings = dict.fromkeys(held or ()) | wanted  # None drops a setting
    return _change(
        what,
        held,
        wanted,
        lambda: Client().create_stack_component(part.name, str(part.flavor), kind, wanted),
        lambda: Client().update_stack_component(part.name, kind, configuration=settings),
    )


def _secret(part: Component) -> Iterator[StackChange]:
    if not part.secrets:
        return
    name, client, held = secret_name(part), Client(), None
    if client.list_secrets(name=name).total:
        held = client.get_secret(name, allow_partial_name_match=False).secret_values
    gone = sorted(set(held or ()) - set(part.secrets))
    yield _change(
        f"secret '{name}'",
        held,
        part.secrets,
        lambda: Client().create_secret(name, part.secrets),
        lambda: Client().update_secret(name, add_or_update_values=part.secrets, remove_values=gone),
    )


def _flavor_registration(kind: StackComponentType, part: Component) -> Iterator[StackChange]:
    if part.source is None or part.flavor is None:
        return
    name, source, registered = part.flavor, part.source, None
    with contextlib.suppress(KeyError):
        registered = Client().get_flavor_by_name_and_type(name, kind)
    held = registered and (registered.source, registered.config_schema)
    described = validate_flavor_source(source, kind)[1].to_model(integration="custom", is_custom=True)

    def register() -> None:
        Client().create_flavor(source, kind)

    def renew() -> None:
        assert registered is not None
        Client().delete_flavor(str(registered.id))  # by its id: flavors of several kinds may share a name
        register()

    yield _change(f"flavor '{name}'", held, (described.source, described.config_schema), register, renew)


def _stack(name: str, stack: StackFile) -> StackChange:
    wanted = {kind: [part.name for part in parts] for kind, parts in stack.components.items()}
    held, existing = None, find_stack(name)
    if existing is not None:
        wanted = without_removed(existing) | wanted
        held = {kind: [component.name for component in existing.components.get(kind, [])] for kind in wanted}
    return _change(
        f"stack '{name}'",
        held,
        wanted,
        lambda: Client().create_stack(name, wanted),
        lambda: Client().update_stack(name, component_updates=wanted),
    )
