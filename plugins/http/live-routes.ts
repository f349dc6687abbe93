/** The routes and authenticators of all active plugins, compiled anew after any of them came or went. */
import type { Authenticator, Route } from '../../kernel/plugin/points/http.ts';
import type { PluginContext } from '../../kernel/plugin/types.ts';
import { type CompiledRoute, compileRoute, warmUp } from './compiled-route.ts';
import type { HttpConfig } from './config.ts';
import type { HttpMetrics } from './metrics.ts';
import { RouteTable } from './route-table.ts';

interface Current {
  readonly table: RouteTable<CompiledRoute>;
  readonly routes: readonly Route[];
  readonly list: readonly CompiledRoute[];
  readonly authenticators: readonly Authenticator[];
}

export class LiveRoutes {
  readonly #context: PluginContext<HttpConfig>;
  readonly #metrics: HttpMetrics;
  #current: Current | undefined;

  constructor(context: PluginContext<HttpConfig>, metrics: HttpMetrics) {
    this.#context = context;
    this.#metrics = metrics;
    // Rebuilt by the next request only: at start and stop many changes come in a row.
    for (const point of ['routes', 'middleware', 'auth'] as const) {
      context.onChange(point, () => {
        this.#current = undefined;
      });
    }
  }

  get table(): RouteTable<CompiledRoute> {
    return this.#build().table;
  }

  get authenticators(): readonly Authenticator[] {
    return this.#build().authenticators;
  }

  /** In registration order. Another array after every change. */
  get routes(): readonly Route[] {
    return this.#build().routes;
  }

  /** Compiles the validators one per turn of the event loop, so that neither start nor first requests wait for all of them. */
  async warmUp(signal: AbortSignal): Promise<void> {
    for (const route of this.#build().list) {
      await new Promise((resolve) => setImmediate(resolve));
      if (signal.aborted) return;
      warmUp(route);
    }
  }

  #build(): Current {
    if (this.#current !== undefined) return this.#current;
    const middleware = this.#context.contributions('middleware').map(({ value }) => value);
    const { bodyLimitBytes } = this.#context.config;
    const routes = this.#context.contributions('routes').map(({ value }) => value);
    const list = routes.map((route) =>
      compileRoute(route, middleware, this.#metrics.route(route.method, route.path), bodyLimitBytes),
    );
    const table = new RouteTable<CompiledRoute>();
    for (const compiled of list) table.add(compiled.route.method, compiled.route.path, compiled);
    const authenticators = this.#context.contributions('auth').map(({ value }) => value);
    this.#current = { table, routes, list, authenticators };
    return this.#current;
  }
}
