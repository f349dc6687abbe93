/** Extensions: the live registry of what active plugins contribute. */
import type { Logger } from 'pino';
import { WoprError } from '../errors.ts';
import { POINT_RULES, type PointRule } from './points/rules.ts';
import type { Contribution, ExtensionPoint, ExtensionPoints } from './types.ts';

interface Entry<P extends ExtensionPoint> {
  readonly list: readonly Contribution<P>[];
  readonly byId: ReadonlyMap<string, ExtensionPoints[P]>;
}

export class Extensions {
  readonly #entries: { [P in ExtensionPoint]?: Entry<P> } = {};
  readonly #listeners = new Map<ExtensionPoint, Set<() => void>>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** Contributions in registration order. The array is replaced, never changed, when one comes or goes. */
  list<P extends ExtensionPoint>(point: P): readonly Contribution<P>[] {
    return this.#entry(point)?.list ?? [];
  }

  /** The contribution of that id (of a shared id: the newest). */
  get<P extends ExtensionPoint>(point: P, id: string): ExtensionPoints[P] | undefined {
    return this.#entry(point)?.byId.get(id);
  }

  /** Adds a contribution until the returned function is called. Throws `plugin_duplicate` when the id is taken. */
  add<P extends ExtensionPoint>(point: P, contribution: Contribution<P>): () => void {
    const { noun, shared, key = (id) => id }: PointRule<P> = POINT_RULES[point];
    const taken = this.list(point).find(
      (other) => key(other.id) === key(contribution.id) && (!shared || other.plugin === contribution.plugin),
    );
    if (taken !== undefined) {
      const message = `Plugin "${contribution.plugin}" registers the ${noun} "${contribution.id}", which plugin "${taken.plugin}" has registered.`;
      throw new WoprError('plugin_duplicate', message);
    }
    this.#set(point, [...this.list(point), contribution]);
    return () =>
      this.#set(
        point,
        this.list(point).filter((other) => other !== contribution),
      );
  }

  /** Calls back after each change of the point, until the returned function is called. A listener that throws is logged. */
  onChange(point: ExtensionPoint, listener: () => void): () => void {
    const listeners = this.#listeners.get(point) ?? new Set();
    this.#listeners.set(point, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  #entry<P extends ExtensionPoint>(point: P): Entry<P> | undefined {
    return this.#entries[point] as Entry<P> | undefined;
  }

  #set<P extends ExtensionPoint>(point: P, list: readonly Contribution<P>[]): void {
    const byId = new Map(list.map(({ id, value }) => [id, value]));
    (this.#entries as { [Q in P]?: Entry<Q> })[point] = { list, byId };
    for (const listener of this.#listeners.get(point) ?? []) {
      try {
        listener();
      } catch (error) {
        this.#logger.error({ err: error, point }, 'a listener for changed extensions failed');
      }
    }
  }
}
