/** How scenarios run: one file after the other, so that their loads and limits do not mix. */
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { scenarioOf } from './scenarios.ts';

/** Uses up the rate limit of the host, which would disturb everything after it. */
const LAST = 'rate-limit-envelope';

class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rank = ({ moduleId }: TestSpecification) => {
      const name = scenarioOf(moduleId);
      return name === LAST ? `~${name}` : name.toLowerCase();
    };
    return [...files].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }
}

export default defineConfig({
  root: fileURLToPath(new URL('.', import.meta.url)),
  test: {
    include: ['scenarios/*.test.ts'],
    testTimeout: 60_000,
    fileParallelism: false,
    sequence: { sequencer: ByName },
  },
});
