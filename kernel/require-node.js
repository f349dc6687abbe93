// Ends the process with a clear message when Node is too old. Plain JavaScript, so that such a Node can read it.
import process from 'node:process';

const REQUIRED_MAJOR = 24;

if (Number.parseInt(process.versions.node, 10) < REQUIRED_MAJOR) {
  process.stderr.write(
    `wopr needs Node ${REQUIRED_MAJOR} or newer; this is ${process.versions.node} (${process.execPath}).\n` +
      '  In a checkout "npm ci" installs a fitting one: use "npx wopr", or "npm run" with a script of package.json.\n',
  );
  process.exit(1);
}
