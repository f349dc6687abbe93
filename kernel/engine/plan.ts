/** A workflow definition compiled for execution: graph structure, loops, conditions and expressions, once per definition. */
import type { Static } from 'typebox';
import type { MaskingMode } from '../../schemas/common.ts';
import type { PortValue } from '../../schemas/port-value.ts';
import type { WorkflowDefinition } from '../../schemas/workflow-definition.ts';
import type { TriggerRule, WorkflowNode } from '../../schemas/workflow-graph.ts';
import type { NodeType } from '../dispatch/types.ts';
import { type Condition, compileCondition } from './conditions.ts';
import { compileExpression, type Expression } from './expressions.ts';
import { findLoops, type Loops, reaches } from './graph.ts';

export interface PlanEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
  readonly sourceOutput: string;
  /** `sourceOutput` was written in the definition: a node that routes by port must have emitted it. */
  readonly namesPort: boolean;
  readonly targetInput: string;
  readonly condition: Condition | undefined;
  readonly rule: TriggerRule;
  /** `data` edges only order: they stand for an input taken from a node no edge leads from (run events §1.3). */
  readonly kind: 'explicit' | 'required-data' | 'optional-data';
  /** Leads back to the header of a loop. */
  readonly back: boolean;
  /** Headers of the loops this edge leaves. */
  readonly leaves: readonly string[];
}

export interface PlanPort {
  readonly name: string;
  readonly value: PortValue;
  readonly expression: Expression | undefined;
}

export interface PlanNode {
  readonly id: string;
  readonly typeId: string;
  readonly definition: WorkflowNode;
  readonly ports: readonly PlanPort[];
  /** Edges that start this node the ordinary way. */
  readonly incoming: readonly PlanEdge[];
  readonly outgoing: readonly PlanEdge[];
  /** Nodes of the loop this node heads (itself included), or undefined. */
  readonly loopBody: ReadonlySet<string> | undefined;
  /** How often the loop may be re-entered. */
  readonly loopLimit: number;
  readonly maxRetries: number;
  /** Delay before the first retry in ms; doubles with each, up to `retryMaxDelayMs`. */
  readonly retryDelayMs: number;
  readonly retryMaxDelayMs: number;
  /** 0 = no limit. */
  readonly timeoutMs: number;
  /** Undefined when no active plugin or pack provides the type. */
  readonly type: NodeType | undefined;
  /** First runtime capability the node type requires and the host lacks. */
  readonly missingCapability: string | undefined;
}

export interface Plan {
  readonly definition: WorkflowDefinition;
  readonly nodes: ReadonlyMap<string, PlanNode>;
  readonly edges: ReadonlyMap<string, PlanEdge>;
  readonly entries: readonly string[];
  /** Edges whose source can never run. */
  readonly deadEdges: readonly string[];
  readonly loops: Loops;
  readonly sensitiveVariables: ReadonlySet<string>;
  readonly maskingMode: Static<typeof MaskingMode>;
  /** 0 = no limit. */
  readonly timeoutMs: number;
}

export interface PlanEnvironment {
  readonly nodeType: (typeId: string) => NodeType | undefined;
  /** Every type there is, for naming the one somebody probably meant. */
  readonly nodeTypeIds?: () => readonly string[];
  readonly capabilities: ReadonlySet<string>;
}

const DEFAULT_LOOP_LIMIT = 5;
const DEFAULT_COUNTED_LOOP_LIMIT = 1000;
const DEFAULT_RETRY_DELAY_MS = 1000;
const DEFAULT_RETRY_MAX_DELAY_MS = 60_000;

/** Compiles a validated definition. Throws an Error naming node or edge when an expression or condition does not compile. */
export function compilePlan(definition: WorkflowDefinition, environment: PlanEnvironment): Plan {
  const edges = [...explicitEdges(definition), ...dataEdges(definition)];
  const ids = definition.nodes.map((node) => node.id);
  const entries = entryNodes(definition, edges);
  const loops = findLoops(ids, edges, entries);
  const planEdges = edges.map((edge) => ({
    ...edge,
    back: loops.backEdges.has(edge.id),
    leaves: loops.headersOf(edge.source).filter((header) => !loops.bodies.get(header)?.has(edge.target)),
  }));
  const nodes = new Map(
    definition.nodes.map((node) => [
      node.id,
      compileNode(node, definition, environment, {
        incoming: planEdges.filter((edge) => edge.target === node.id && !edge.back),
        outgoing: planEdges.filter((edge) => edge.source === node.id),
        loopBody: loops.bodies.get(node.id),
      }),
    ]),
  );
  return {
    definition,
    nodes,
    edges: new Map(planEdges.map((edge) => [edge.id, edge])),
    entries,
    deadEdges: planEdges.filter((edge) => !loops.reachable.has(edge.source)).map((edge) => edge.id),
    loops,
    sensitiveVariables: new Set(
      definition.variables.filter((variable) => variable.sensitive).map((variable) => variable.name),
    ),
    maskingMode: definition.metadata.complianceConfig?.maskingMode ?? 'mask',
    timeoutMs: definition.settings.timeout ?? 0,
  };
}

/** A node known to be in the plan. */
export function planNode(plan: Plan, id: string): PlanNode {
  const node = plan.nodes.get(id);
  if (!node) throw new Error(`node "${id}" is not part of the workflow`);
  return node;
}

type EdgeDraft = Omit<PlanEdge, 'back' | 'leaves'>;

function explicitEdges(definition: WorkflowDefinition): EdgeDraft[] {
  return definition.edges.map((edge) => ({
    id: edge.id,
    source: edge.sourceNodeId,
    target: edge.targetNodeId,
    sourceOutput: edge.sourceOutput ?? 'output',
    namesPort: edge.sourceOutput !== undefined,
    targetInput: edge.targetInput ?? 'input',
    condition: edge.condition && located(`edge "${edge.id}"`, () => compileCondition(edge.condition ?? {})),
    rule: edge.triggerRule ?? 'all_success',
    kind: 'explicit' as const,
  }));
}

/** A `connection` input from a node that no path leads from is an implicit edge; one that closes a cycle reads the previous pass. */
function dataEdges(definition: WorkflowDefinition): EdgeDraft[] {
  const explicit = definition.edges.map((edge) => ({ source: edge.sourceNodeId, target: edge.targetNodeId }));
  const drafts: EdgeDraft[] = [];
  for (const node of definition.nodes) {
    for (const [port, value] of Object.entries(node.inputs)) {
      if (value.type !== 'connection' || value.nodeId === node.id) continue;
      const known = [...explicit, ...drafts];
      if (reaches(known, value.nodeId, node.id) || reaches(known, node.id, value.nodeId)) continue;
      drafts.push({
        id: `@${value.nodeId}>${node.id}.${port}`,
        source: value.nodeId,
        target: node.id,
        sourceOutput: value.outputKey,
        namesPort: false,
        targetInput: port,
        condition: undefined,
        rule: 'all_success',
        kind: value.optional ? 'optional-data' : 'required-data',
      });
    }
  }
  return drafts;
}

/** Entry rule (run events §1.4): `core.start` nodes, else the node of the manual trigger, else nodes without incoming edges, else the first. */
function entryNodes(definition: WorkflowDefinition, edges: readonly EdgeDraft[]): string[] {
  const starts = definition.nodes.filter((node) => node.typeId === 'core.start').map((node) => node.id);
  if (starts.length > 0) return starts;
  const trigger = definition.triggers.find(
    (candidate) => candidate.type === 'manual' && candidate.enabled !== false && candidate.nodeId,
  );
  if (trigger?.nodeId !== undefined) return [trigger.nodeId];
  const targets = new Set(edges.map((edge) => edge.target));
  const roots = definition.nodes.filter((node) => !targets.has(node.id)).map((node) => node.id);
  return roots.length > 0 ? roots : definition.nodes.slice(0, 1).map((node) => node.id);
}

function compileNode(
  node: WorkflowNode,
  definition: WorkflowDefinition,
  environment: PlanEnvironment,
  graph: Pick<PlanNode, 'incoming' | 'outgoing' | 'loopBody'>,
): PlanNode {
  const type = environment.nodeType(node.typeId);
  const setting = (name: string): number | undefined => asCount(node.settings?.[name]);
  return {
    id: node.id,
    typeId: node.typeId,
    definition: node,
    ...graph,
    ports: Object.entries(node.inputs).map(([name, value]) => ({
      name,
      value,
      expression:
        value.type === 'expression'
          ? located(`node "${node.id}", input "${name}"`, () => compileExpression(value.expression))
          : undefined,
    })),
    loopLimit: type?.loops
      ? (asCount(node.config.maxIterations) ?? DEFAULT_COUNTED_LOOP_LIMIT)
      : (definition.settings.maxLoopbackIterations ?? DEFAULT_LOOP_LIMIT),
    maxRetries: setting('maxRetries') ?? definition.settings.maxRetries ?? 0,
    retryDelayMs: setting('retryDelayMs') ?? DEFAULT_RETRY_DELAY_MS,
    retryMaxDelayMs: setting('retryMaxDelayMs') ?? DEFAULT_RETRY_MAX_DELAY_MS,
    timeoutMs: setting('timeoutMs') ?? 0,
    type,
    missingCapability: type?.requires?.find((capability) => !environment.capabilities.has(capability)),
  };
}

function asCount(value: unknown): number | undefined {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : undefined;
}

function located<T>(place: string, compile: () => T): T {
  try {
    return compile();
  } catch (error) {
    throw new Error(`${place}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
