/** Checks path parameters, query and body against the schemas of the route (HTTP §4 step 9). */
import { WoprError } from '../../kernel/errors.ts';
import { compileSchema, problemsOf } from '../../schemas/validators.ts';
import type { Check, CompiledRoute } from './compiled-route.ts';
import type { Exchange } from './exchange.ts';

type Place = 'path' | 'query' | 'body';

/** In a larger body only the first mistake is reported: a list of all could need far more memory than the body itself. */
const REPORT_ALL_BYTES = 64 * 1024;

/** Throws `validation_error` with `details.errors`: `{in, path, message}`, `path` being a JSON pointer within path, query or body. */
export function validate(exchange: Exchange, compiled: CompiledRoute): void {
  const { params, query, body, route } = compiled;
  // Decoding comes first even without a schema: it refuses malformed and dangerous values.
  const values = compiled.parameterNames.length > 0 ? exchange.params : undefined;
  if (params !== undefined && !params.valid(values)) throw problem('path', params, values, true);
  if (query !== undefined) {
    const coerced = query.coerce(exchange.query);
    if (!query.valid(coerced)) throw problem('query', query, coerced, true);
  }
  if (body === undefined) return;
  if (exchange.body === undefined) {
    if (route.bodyOptional === true) return;
    throw new WoprError('validation_error', 'The request needs a JSON body.', {
      details: { errors: [{ in: 'body', path: '', message: 'Is missing.' }] },
    });
  }
  if (!body.valid(exchange.body)) {
    throw problem('body', body, exchange.body, exchange.bodyBytes <= REPORT_ALL_BYTES);
  }
}

function problem(place: Place, { schema, valid }: Check, value: unknown, all: boolean): WoprError {
  const validator = all ? compileSchema(schema, { allErrors: true }) : valid;
  const problems = problemsOf(validator, value) ?? [];
  const [first] = problems;
  const where = first?.path ? `${first.path}: ` : '';
  const what = place === 'body' ? 'The request body' : `The ${place}`;
  return new WoprError('validation_error', `${what} is not valid. ${where}${first?.message ?? ''}`.trim(), {
    details: { errors: problems.map((each) => ({ in: place, ...each })) },
  });
}
