/** Checks of a workflow definition at registration (run events §1.9): what is wrong, where, in the author's words. */
import type { JsonObject } from '../../schemas/json.ts';
import { nearest } from '../../schemas/nearest.ts';
import { problemsOf, validatorFor } from '../../schemas/validators.ts';
import type { WorkflowDefinition, WorkflowVariable } from '../../schemas/workflow-definition.ts';
import type { WorkflowNode } from '../../schemas/workflow-graph.ts';
import type { Finding } from '../runs/types.ts';
import { compileCondition } from './conditions.ts';
import { compileExpression } from './expressions.ts';
import { compileForeignSchema } from './foreign-schema.ts';
import { compilePlan, type PlanEnvironment } from './plan.ts';

export interface Findings {
  readonly errors: Finding[];
  readonly warnings: Finding[];
}

/** State is kept in objects with ids and names as keys; this one would set their prototype. */
const RESERVED = '__proto__';
const RESERVED_MESSAGE = `"${RESERVED}" cannot be used as an id or name.`;

/** Validates a definition of unknown shape. Never throws. */
export function validateDefinition(candidate: unknown, environment: PlanEnvironment): Findings {
  const shape = problemsOf(validatorFor('workflow-definition', { allErrors: true }), candidate) ?? [];
  if (shape.length > 0) return { errors: [...shape], warnings: [] };
  const definition = candidate as WorkflowDefinition;
  const errors: Finding[] = [];
  const warnings: Finding[] = [];
  uniqueIds(definition, errors);
  for (const [index, variable] of definition.variables.entries())
    checkVariable(variable, `/variables/${index}`, errors);
  const ids = new Set(definition.nodes.map((node) => node.id));
  for (const [index, edge] of definition.edges.entries()) {
    const path = `/edges/${index}`;
    for (const end of ['sourceNodeId', 'targetNodeId'] as const)
      if (!ids.has(edge[end])) errors.push({ path: `${path}/${end}`, message: noNode(edge[end], ids) });
    const { condition } = edge;
    if (condition) attempt(`${path}/condition`, undefined, errors, () => compileCondition(condition));
  }
  for (const [index, trigger] of definition.triggers.entries())
    if (trigger.nodeId !== undefined && !ids.has(trigger.nodeId))
      errors.push({ path: `/triggers/${index}/nodeId`, message: `No node has the id "${trigger.nodeId}".` });
  for (const [index, node] of definition.nodes.entries())
    checkNode(node, index, definition, environment, errors, warnings);
  if (definition.configurableSchema) {
    const schema = definition.configurableSchema;
    attempt('/configurableSchema', undefined, errors, () => compileForeignSchema(schema));
  }
  if (definition.channels)
    warnings.push({
      path: '/channels',
      message: 'Channels are not supported by this host yet; they have no effect.',
    });
  if (errors.length === 0) warnings.push(...unreachable(definition, environment));
  return { errors, warnings };
}

function uniqueIds(definition: WorkflowDefinition, errors: Finding[]): void {
  for (const list of ['nodes', 'edges', 'triggers'] as const) {
    const seen = new Set<string>();
    for (const [index, { id }] of definition[list].entries()) {
      if (seen.has(id))
        errors.push({ path: `/${list}/${index}/id`, message: `The id "${id}" is used twice.` });
      if (id === RESERVED) errors.push({ path: `/${list}/${index}/id`, message: RESERVED_MESSAGE });
      seen.add(id);
    }
  }
  const names = new Set<string>();
  for (const [index, { name }] of definition.variables.entries()) {
    if (names.has(name))
      errors.push({ path: `/variables/${index}/name`, message: `The variable "${name}" is declared twice.` });
    if (name === RESERVED) errors.push({ path: `/variables/${index}/name`, message: RESERVED_MESSAGE });
    names.add(name);
  }
}

function checkVariable(variable: WorkflowVariable, path: string, errors: Finding[]): void {
  if (variable.defaultValue !== undefined && !hasType(variable.defaultValue, variable.type))
    errors.push({
      path: `${path}/defaultValue`,
      message: `The default of "${variable.name}" is not of type ${variable.type}.`,
    });
}

/** Whether a value is of a declared variable type. */
export function hasType(value: unknown, type: WorkflowVariable['type']): boolean {
  if (type === 'array') return Array.isArray(value);
  if (type === 'object') return typeof value === 'object' && value !== null && !Array.isArray(value);
  return typeof value === type;
}

function checkNode(
  node: WorkflowNode,
  index: number,
  definition: WorkflowDefinition,
  environment: PlanEnvironment,
  errors: Finding[],
  warnings: Finding[],
): void {
  const path = `/nodes/${index}`;
  const type = environment.nodeType(node.typeId);
  if (!type)
    errors.push({
      path: `${path}/typeId`,
      nodeId: node.id,
      message: noNodeType(node.typeId, environment.nodeTypeIds?.() ?? []),
    });
  if (type?.configSchema) {
    const schema: JsonObject = type.configSchema;
    const problems =
      attempt(`${path}/config`, node.id, errors, () => compileForeignSchema(schema)(node.config)) ?? [];
    for (const problem of problems)
      errors.push({ path: `${path}/config${problem.path}`, nodeId: node.id, message: problem.message });
  }
  let readsSensitive = false;
  for (const [port, value] of Object.entries(node.inputs)) {
    const portPath = `${path}/inputs/${port.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (value.type === 'connection' && !definition.nodes.some((other) => other.id === value.nodeId))
      errors.push({
        path: `${portPath}/nodeId`,
        nodeId: node.id,
        message: noNode(value.nodeId, new Set(definition.nodes.map(({ id }) => id))),
      });
    if (value.type === 'expression')
      attempt(`${portPath}/expression`, node.id, errors, () => compileExpression(value.expression));
    if (value.type === 'variable') {
      const variable = definition.variables.find((candidate) => candidate.name === value.variableName);
      if (!variable && !value.optional)
        warnings.push({
          path: `${portPath}/variableName`,
          nodeId: node.id,
          message: `The variable "${value.variableName}" is not declared; it must be written or given as an input before this node runs.`,
        });
      readsSensitive ||= variable?.sensitive === true;
    }
  }
  if (readsSensitive && !Object.values(node.outputSensitivity ?? {}).includes(true))
    warnings.push({
      path: `${path}/outputSensitivity`,
      nodeId: node.id,
      message: 'The node reads a sensitive variable, but none of its outputs is marked sensitive.',
    });
}

function noNode(id: string, ids: ReadonlySet<string>): string {
  const meant = nearest(id, [...ids]);
  return `No node has the id "${id}".${meant === null ? '' : ` Did you mean "${meant}"?`}`;
}

function noNodeType(typeId: string, known: readonly string[]): string {
  const meant = nearest(typeId, known);
  const advice =
    meant === null ? 'Enable a plugin or install a pack that provides it.' : `Did you mean "${meant}"?`;
  return `This host has no node type "${typeId}". ${advice}`;
}

function unreachable(definition: WorkflowDefinition, environment: PlanEnvironment): Finding[] {
  const { loops } = compilePlan(definition, environment);
  return definition.nodes.flatMap((node, index) =>
    loops.reachable.has(node.id)
      ? []
      : [
          {
            path: `/nodes/${index}`,
            nodeId: node.id,
            message: 'No path leads from an entry to this node; it never runs.',
          },
        ],
  );
}

function attempt<T>(
  path: string,
  nodeId: string | undefined,
  errors: Finding[],
  compile: () => T,
): T | undefined {
  try {
    return compile();
  } catch (error) {
    errors.push({
      path,
      ...(nodeId === undefined ? {} : { nodeId }),
      message: error instanceof Error ? error.message : String(error),
    });
    return undefined;
  }
}
