/** What is checked before a run is created: workflow variables against inputs, run options against host and workflow. */
import type { JsonObject } from '../../schemas/json.ts';
import { compileForeignSchema, type ForeignValidator } from '../engine/foreign-schema.ts';
import { hasType } from '../engine/validate.ts';
import { WoprError } from '../errors.ts';
import type { RunOptions } from '../log/types.ts';
import type { StoredWorkflow } from './types.ts';

interface Problem {
  readonly path: string;
  readonly message: string;
}

const validators = new WeakMap<JsonObject, ForeignValidator>();

/** Throws `validation_error` with `details.errors` when inputs or `configurable` do not fit the workflow (HTTP §13.2, run events §1.6). */
export function checkAdmission(workflow: StoredWorkflow, inputs: JsonObject, options: RunOptions): void {
  const problems: Problem[] = [];
  for (const variable of workflow.definition.variables) {
    const value = Object.hasOwn(inputs, variable.name) ? inputs[variable.name] : undefined;
    if (value !== undefined) {
      if (!hasType(value, variable.type))
        problems.push({ path: `/inputs/${variable.name}`, message: `must be of type ${variable.type}` });
    } else if (variable.required && variable.defaultValue === undefined)
      problems.push({ path: `/inputs/${variable.name}`, message: `is required (${variable.type})` });
  }
  const schema = workflow.definition.configurableSchema;
  if (schema) {
    let validate = validators.get(schema);
    if (!validate) {
      validate = compileForeignSchema(schema);
      validators.set(schema, validate);
    }
    for (const { path, message } of validate(options.configurable ?? {}))
      problems.push({ path: `/configurable${path}`, message });
  }
  const [first] = problems;
  if (first)
    throw new WoprError('validation_error', `${first.path.slice(1).replaceAll('/', '.')} ${first.message}.`, {
      details: { errors: problems.map((problem) => ({ ...problem })) },
    });
}

/** Effective node-execution cap: `recursionLimit` clamped to the host's ceiling (HTTP §13.3, run events §7). */
export function nodeExecutionCap(options: RunOptions, ceiling: number): number {
  const wanted = options.configurable?.recursionLimit;
  return typeof wanted === 'number' ? Math.min(wanted, ceiling) : ceiling;
}
