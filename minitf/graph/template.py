"""`tf.make_template`: a function that keeps its variables from call to call."""

import functools
from collections.abc import Callable
from typing import Any

from minitf.graph.variable_scope import VariableScope, variable_scope


def make_template(
    name_: str,
    func_: Callable,
    create_scope_now_: bool = False,
    unique_name_: str | None = None,
    custom_getter_: Callable | None = None,
    **kwargs: Any,
) -> "Template":
    """`func_`, with `kwargs` given already, as a Template: all calls share the variables of the first.

    Those are made in the variable scope `unique_name_`, or `name_` made unique, which is opened at the first
    call or at once with `create_scope_now_`. Variables must be made by `tf.get_variable`. Raises ValueError
    when `unique_name_` is given but the scope holds the variables already.
    """
    function = functools.partial(func_, **kwargs) if kwargs else func_
    template = Template(name_, function, unique_name_, custom_getter_)
    if create_scope_now_:
        template.open_scope()
    return template


class Template:
    """What `tf.make_template` returns: call it as the function."""

    def __init__(
        self, name: str, function: Callable, unique_name: str | None, custom_getter: Callable | None
    ) -> None:
        if not name:
            raise ValueError("name cannot be empty.")
        self._name = name
        self._function = function
        self._unique_name = unique_name
        self._custom_getter = custom_getter
        self._scope: VariableScope | None = None
        self._called = False

    def open_scope(self) -> None:
        """Makes the scope of the variables now."""
        with variable_scope(self._unique_name, self._name, custom_getter=self._custom_getter) as scope:
            self._scope = scope

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the function in the template's scope."""
        if self._scope is None:
            with variable_scope(
                self._unique_name, self._name, custom_getter=self._custom_getter
            ) as self._scope:
                result = self._function(*args, **kwargs)
        else:
            with variable_scope(self._scope, reuse=self._called):
                result = self._function(*args, **kwargs)
        self._called = True
        return result

    @property
    def name(self) -> str:
        """The name given to the template."""
        return self._name

    @property
    def variable_scope(self) -> VariableScope | None:
        """The scope of the variables, None before it is made."""
        return self._scope

    @property
    def variable_scope_name(self) -> str | None:
        """The name of that scope."""
        return None if self._scope is None else self._scope.name
