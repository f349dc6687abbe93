import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', 'test/conformance/scenarios/**'],
    reporters: ['default', ['json', { outputFile: 'test/.results.json' }]],
    testTimeout: 30_000,
    hookTimeout: 30_000,
  },
});
