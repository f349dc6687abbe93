/** Finds the endpoint of a path: a tree of path segments, with colon verbs in the last one (HTTP §1). */

/** All methods of one path. */
export interface Endpoint<T> {
  readonly methods: ReadonlyMap<string, T>;
}

interface Node<T> {
  readonly literals: Map<string, Node<T>>;
  parameter: Node<T> | undefined;
  /** Endpoint whose path ends at this segment. */
  endpoint: { readonly methods: Map<string, T> } | undefined;
  /** Endpoints whose path ends at this parameter followed by `:verb`. */
  readonly verbs: Map<string, { readonly methods: Map<string, T> }>;
}

const createNode = <T>(): Node<T> => ({
  literals: new Map(),
  parameter: undefined,
  endpoint: undefined,
  verbs: new Map(),
});

/**
 * Fastify's own router is not used for this: its table is frozen once the server listens, while routes come and go with their
 * plugins; it decodes before it matches, so an id with an encoded colon could be taken for a verb; and it cannot list the methods of a path.
 */
export class RouteTable<T> {
  readonly #root: Node<T> = createNode();

  /** Adds `GET /v1/runs/{runId}:fork`. A parameter is a whole segment, apart from a verb after it. */
  add(method: string, path: string, value: T): void {
    let node = this.#root;
    let verb: string | undefined;
    for (const segment of path.slice(1).split('/')) {
      const parameter = /^\{[^}]+\}(?::(.+))?$/.exec(segment);
      if (parameter === null) {
        const next = node.literals.get(segment) ?? createNode();
        node.literals.set(segment, next);
        node = next;
      } else {
        node.parameter ??= createNode();
        node = node.parameter;
        verb = parameter[1];
      }
    }
    const present = verb === undefined ? node.endpoint : node.verbs.get(verb);
    const endpoint = present ?? { methods: new Map<string, T>() };
    if (verb === undefined) node.endpoint = endpoint;
    else node.verbs.set(verb, endpoint);
    endpoint.methods.set(method, value);
  }

  /** Looks a raw path up (no query) and pushes the raw values of its parameters to `captured`, in order of the path. */
  find(path: string, captured: string[]): Endpoint<T> | undefined {
    return path.startsWith('/') ? this.#walk(this.#root, path, 1, captured) : undefined;
  }

  #walk(node: Node<T>, path: string, start: number, captured: string[]): Endpoint<T> | undefined {
    const slash = path.indexOf('/', start);
    const last = slash === -1;
    const segment = last ? path.slice(start) : path.slice(start, slash);

    const literal = node.literals.get(segment);
    if (literal !== undefined) {
      const found = last ? literal.endpoint : this.#walk(literal, path, slash + 1, captured);
      if (found !== undefined) return found;
    }
    const { parameter } = node;
    if (parameter === undefined || segment === '') return undefined;
    if (!last) {
      captured.push(segment);
      const found = this.#walk(parameter, path, slash + 1, captured);
      if (found === undefined) captured.pop();
      return found;
    }
    const colon = segment.lastIndexOf(':');
    const verb = colon > 0 ? parameter.verbs.get(segment.slice(colon + 1)) : undefined;
    const found = verb ?? parameter.endpoint;
    if (found !== undefined) captured.push(verb === undefined ? segment : segment.slice(0, colon));
    return found;
  }
}

/** Names of the parameters of a template, in order. */
export function parameterNames(path: string): string[] {
  return [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1] ?? '');
}
