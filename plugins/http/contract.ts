/** What other plugins and the CLI may use of the HTTP plugin. */

/** Service `httpServer`. */
export interface HttpServer {
  /** Scheme and authority the server listens on, e.g. `http://127.0.0.1:3737`. Throws before it listens. */
  address(): string;
}

declare module '../../kernel/plugin/types.ts' {
  interface Services {
    httpServer: HttpServer;
  }
}
