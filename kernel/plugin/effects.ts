/** Effects: everything a plugin did to the host, each with a label and its undo. An empty list means nothing is left. */
import type { Disposer } from './types.ts';

export class Effects {
  readonly #effects = new Set<{ readonly label: string; readonly undo: () => Promise<void> }>();

  /** Records an effect. The disposer undoes it once, however often it is called, and rejects with what `dispose` threw. */
  add(label: string, dispose: Disposer): () => Promise<void> {
    let undone: Promise<void> | undefined;
    const effect = {
      label,
      undo: () => {
        this.#effects.delete(effect);
        undone ??= (async () => dispose())();
        return undone;
      },
    };
    this.#effects.add(effect);
    return effect.undo;
  }

  /** Labels of what is in force, oldest first. */
  list(): string[] {
    return [...this.#effects].map(({ label }) => label);
  }

  /** Undoes everything, newest first, one after the other; failures and overruns go to `onError` and do not stop the rest. */
  async dispose(timeoutMs: number, onError: (label: string, error: unknown) => void): Promise<void> {
    while (this.#effects.size > 0) {
      const [newest] = [...this.#effects].reverse();
      if (newest === undefined) return;
      await within(timeoutMs, newest.undo(), `did not finish within ${timeoutMs} ms`).catch((error) =>
        onError(newest.label, error),
      );
    }
  }
}

/** The promise's result, or an Error with `message` when it takes longer. The promise itself goes on unobserved. */
export async function within<T>(timeoutMs: number, promise: Promise<T>, message: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(message)), timeoutMs);
  });
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
