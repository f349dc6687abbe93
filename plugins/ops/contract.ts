/** What other plugins and the CLI may use of the ops plugin. */

/** Service `ops`. */
export interface Ops {
  /** Scheme and authority of the ops port, or undefined when it is not open. */
  address(): string | undefined;
}

declare module '../../kernel/plugin/types.ts' {
  interface Services {
    ops: Ops;
  }
}
