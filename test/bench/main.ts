// `npm run bench [-- http log scale nats] [--strict]`: ratios measured in the same run, beside their targets.
import { cpus, release, totalmem } from 'node:os';

const BENCHMARKS: Readonly<Record<string, () => Promise<boolean>>> = {
  http: async () => (await import('./http.ts')).benchHttp(),
  log: async () => (await import('./log.ts')).benchLog(),
  scale: async () => (await import('./scale.ts')).benchScale(),
  nats: async () => (await import('./nats.ts')).benchNats(),
};

const args = process.argv.slice(2);
const strict = args.includes('--strict');
const named = args.filter((arg) => !arg.startsWith('--'));
const wrong = [
  ...args.filter((arg) => arg.startsWith('--') && arg !== '--strict'),
  ...named.filter((name) => !Object.hasOwn(BENCHMARKS, name)),
];
if (wrong.length > 0) {
  console.error(
    `Unknown: ${wrong.join(' ')}. Benchmarks: ${Object.keys(BENCHMARKS).join(', ')}. Options: --strict (exit 1 when a target is missed).`,
  );
  process.exit(2);
}

const [cpu] = cpus();
console.log(
  `Node ${process.version}, ${process.platform} ${release()}, ${cpus().length} × ${cpu?.model.trim()}, ${Math.round(totalmem() / 2 ** 30)} GB. Clients and servers share this machine.`,
);
let missed = false;
for (const name of named.length > 0 ? named : Object.keys(BENCHMARKS)) {
  console.log(`\n${name}`);
  if (!(await BENCHMARKS[name]?.())) missed = true;
}
if (missed) console.log('\nNot every target was met.');
process.exit(missed && strict ? 1 : 0);
