"""Runs Rasa's graph in this thread, one node after the other.

Rasa's own runner rebuilds a dask graph for each message and each prediction; the order of the nodes never changes, so
it is worked out once for each target (a fifth of a turn's CPU).
"""

from __future__ import annotations

from typing import Any

from rasa.engine.graph import ExecutionContext, GraphNode, GraphNodeHook, GraphSchema
from rasa.engine.runner.interface import GraphRunner
from rasa.engine.storage.storage import ModelStorage


class SequentialGraphRunner(GraphRunner):
    """A graph runner without a scheduler. Nodes are made once; they keep no state between runs."""

    def __init__(
        self,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> None:
        self._schema = graph_schema
        self._nodes = {
            name: GraphNode.from_schema_node(name, node, model_storage, execution_context, hooks)
            for name, node in graph_schema.nodes.items()
        }
        self._orders: dict[tuple[str, ...], list[str]] = {}

    @classmethod
    def create(
        cls,
        graph_schema: GraphSchema,
        model_storage: ModelStorage,
        execution_context: ExecutionContext,
        hooks: list[GraphNodeHook] | None = None,
    ) -> SequentialGraphRunner:
        """Make a runner for this schema (the interface's factory)."""
        return cls(graph_schema, model_storage, execution_context, hooks)

    def run(
        self,
        inputs: dict[str, Any] | None = None,  # any: a node's input and output are whatever the component says
        targets: list[str] | None = None,
    ) -> dict[str, Any]:
        """Run what the targets need. `inputs` maps placeholder names to values; returns target name to output."""
        wanted = tuple(targets or self._schema.target_names)
        done: dict[str, tuple[str, Any]] = {name: (name, value) for name, value in (inputs or {}).items()}
        for name in self._order(wanted):
            needs = self._schema.nodes[name].needs.values()
            done[name] = self._nodes[name](*(done[need] for need in needs))
        return {name: done[name][1] for name in wanted}

    def _order(self, targets: tuple[str, ...]) -> list[str]:
        if targets not in self._orders:
            order: dict[str, None] = {}
            for target in targets:
                self._visit(target, order)
            self._orders[targets] = list(order)
        return self._orders[targets]

    def _visit(self, name: str, order: dict[str, None]) -> None:
        node = self._schema.nodes.get(name)
        if node is None or name in order:  # a placeholder has no node: its value is an input
            return
        for need in node.needs.values():
            self._visit(need, order)
        order[name] = None
