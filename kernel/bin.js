#!/usr/bin/env node
// What `bin` of package.json names: plain JavaScript, so that a Node that cannot load main.ts is told so in words.
import './require-node.js';

await import('./main.ts');
