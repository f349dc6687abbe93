/** What `wopr doctor` finds: one line per thing examined. */

export interface Examination {
  readonly name: string;
  /** `failed` keeps a host from working, `warning` soon may. */
  readonly status: 'ok' | 'warning' | 'failed';
  readonly detail: string;
}

export const ok = (name: string, detail: string): Examination => ({ name, status: 'ok', detail });
export const warning = (name: string, detail: string): Examination => ({ name, status: 'warning', detail });
export const failed = (name: string, detail: string): Examination => ({ name, status: 'failed', detail });
