/** Graph algorithms of the planner: reachability, back edges, loop bodies. Linear in the size of the graph per loop. */

interface Arc {
  readonly source: string;
  readonly target: string;
}

export interface Loops {
  /** Ids of edges that close a cycle, by depth-first search from the entries in definition order. */
  readonly backEdges: ReadonlySet<string>;
  /** Loop header → nodes of the loop, header included. */
  readonly bodies: ReadonlyMap<string, ReadonlySet<string>>;
  readonly reachable: ReadonlySet<string>;
  /** Headers of the loops a node belongs to. */
  headersOf(nodeId: string): readonly string[];
}

/** Finds the loops of a directed graph. A loop is a header and every node on a path from it to the source of a back edge. */
export function findLoops(
  ids: readonly string[],
  edges: readonly (Arc & { readonly id: string })[],
  entries: readonly string[],
): Loops {
  const outgoing = groupBy(edges, (edge) => edge.source);
  const incoming = groupBy(edges, (edge) => edge.target);
  const backEdges = new Set<string>();
  const state = new Map<string, 'open' | 'done'>();

  for (const entry of entries) visit(entry);

  function visit(root: string): void {
    // Iterative: a chain of thousands of nodes must not overflow the stack.
    const stack: { id: string; next: number }[] = [];
    const push = (id: string) => {
      state.set(id, 'open');
      stack.push({ id, next: 0 });
    };
    if (!state.has(root)) push(root);
    for (let frame = stack.at(-1); frame; frame = stack.at(-1)) {
      const edge = outgoing.get(frame.id)?.[frame.next++];
      if (!edge) {
        state.set(frame.id, 'done');
        stack.pop();
      } else if (state.get(edge.target) === 'open') backEdges.add(edge.id);
      else if (!state.has(edge.target)) push(edge.target);
    }
  }

  const bodies = new Map<string, Set<string>>();
  for (const edge of edges) {
    if (!backEdges.has(edge.id)) continue;
    const body = bodies.get(edge.target) ?? new Set([edge.target]);
    bodies.set(edge.target, body);
    const pending = [edge.source];
    for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
      if (body.has(id)) continue;
      body.add(id);
      for (const arc of incoming.get(id) ?? []) if (state.has(arc.source)) pending.push(arc.source);
    }
  }
  const headers = new Map(
    ids.map((id) => [id, [...bodies].filter(([, body]) => body.has(id)).map(([header]) => header)]),
  );
  return { backEdges, bodies, reachable: new Set(state.keys()), headersOf: (id) => headers.get(id) ?? [] };
}

/** Whether `to` can be reached from `from` by at least one arc. */
export function reaches(arcs: readonly Arc[], from: string, to: string): boolean {
  const outgoing = groupBy(arcs, (arc) => arc.source);
  const seen = new Set<string>();
  const pending = [from];
  for (let id = pending.pop(); id !== undefined; id = pending.pop()) {
    for (const arc of outgoing.get(id) ?? []) {
      if (arc.target === to) return true;
      if (!seen.has(arc.target)) {
        seen.add(arc.target);
        pending.push(arc.target);
      }
    }
  }
  return false;
}

function groupBy<T>(items: readonly T[], key: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}
