/** Gathers the lines of a busy log, so that writing them costs one system call for many. */
import type { Output } from '../../kernel/commands.ts';

/** Longest a line waits, ms. A host that is killed loses the lines of this time, nothing else. */
const DELAY_MS = 20;
const MAX_LENGTH = 64 * 1024;

export interface GatheredOutput extends Output {
  /** Writes what has been gathered. To be called when the process exits. */
  flush(): void;
}

export function gathered(output: Output): GatheredOutput {
  let text = '';
  let timer: NodeJS.Timeout | undefined;
  const flush = () => {
    clearTimeout(timer);
    timer = undefined;
    if (text === '') return;
    const lines = text;
    text = '';
    output.write(lines);
  };
  return {
    write(line) {
      text += line;
      if (text.length >= MAX_LENGTH) flush();
      else timer ??= setTimeout(flush, DELAY_MS).unref();
    },
    flush,
  };
}
