/** Resolves what a node is given: port values of all four kinds, and the values carried by its edges (run events §1.3). */
import type { JsonObject, JsonValue } from '../../schemas/json.ts';
import type { RunError } from '../log/types.ts';
import type { Scope } from './expressions.ts';
import type { Plan, PlanEdge, PlanNode, PlanPort } from './plan.ts';
import type { EngineState, NodeState } from './state.ts';

/** Inputs of a node about to start, or the error that keeps it from running. */
export function resolveInputs(
  plan: Plan,
  state: EngineState,
  node: PlanNode,
): { inputs: JsonObject } | { error: RunError } {
  const inputs: JsonObject = {};
  for (const edge of node.incoming) {
    if (edge.kind !== 'explicit' || state.edges[edge.id] !== 'taken') continue;
    const value = carriedValue(state.nodes[edge.source], edge);
    if (value !== undefined) inputs[edge.targetInput] = value;
  }
  for (const port of node.ports) {
    try {
      const value = portValue(plan, state, port);
      if (value !== undefined) inputs[port.name] = value;
      else if (!isOptional(port)) return { error: missing(port) };
    } catch (error) {
      return {
        error: {
          code: 'validation_error',
          message: `Input "${port.name}": ${error instanceof Error ? error.message : String(error)}`,
          details: { input: port.name },
        },
      };
    }
  }
  return { inputs };
}

/** Value an edge carries: its source port, or every output when the node has no such port and the edge names none. */
export function carriedValue(source: NodeState | undefined, edge: PlanEdge): JsonValue | undefined {
  const outputs = source?.outputs;
  if (!outputs) return undefined;
  if (Object.hasOwn(outputs, edge.sourceOutput)) return outputs[edge.sourceOutput];
  return edge.namesPort || Object.keys(outputs).length === 0 ? undefined : outputs;
}

/** What expressions of this run may read. */
export function scopeOf(plan: Plan, state: EngineState): Scope {
  const nodes: JsonObject = {};
  for (const [id, node] of Object.entries(state.nodes))
    nodes[id] = {
      status: node.status,
      outputs: node.outputs ?? {},
      error: node.error ? { ...node.error } : null,
    };
  return { inputs: state.inputs, variables: state.variables, nodes, run: { workflowId: plan.definition.id } };
}

function portValue(plan: Plan, state: EngineState, port: PlanPort): JsonValue | undefined {
  const { value } = port;
  switch (value.type) {
    case 'static':
      return value.value;
    case 'variable':
      return own(state.variables, value.variableName);
    case 'connection':
      return own(state.nodes[value.nodeId]?.outputs, value.outputKey);
    case 'expression':
      return port.expression?.(scopeOf(plan, state));
  }
}

/** Not what every object inherits: a variable may be called `constructor`. */
function own(values: JsonObject | undefined, name: string): JsonValue | undefined {
  return values && Object.hasOwn(values, name) ? values[name] : undefined;
}

function isOptional(port: PlanPort): boolean {
  return (port.value.type === 'variable' || port.value.type === 'connection') && port.value.optional === true;
}

function missing(port: PlanPort): RunError {
  const { value } = port;
  const source =
    value.type === 'variable'
      ? `variable "${value.variableName}" has no value`
      : value.type === 'connection'
        ? `node "${value.nodeId}" gave no output "${value.outputKey}"`
        : 'no value';
  return {
    code: 'validation_error',
    message: `Input "${port.name}": ${source}. Give it one, or mark the input optional.`,
    details: { input: port.name },
  };
}
