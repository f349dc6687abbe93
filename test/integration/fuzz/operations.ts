// What a live host says it serves: the operations of its OpenAPI document.
import { request } from 'undici';

export interface Operation {
  readonly method: string;
  /** With `{parameters}`. */
  readonly path: string;
  readonly query: readonly string[];
  readonly hasBody: boolean;
}

interface Described {
  readonly parameters?: readonly { readonly in: string; readonly name: string }[];
  readonly requestBody?: unknown;
}

export async function operationsOf(url: string): Promise<Operation[]> {
  const answer = await request(`${url}/v1/openapi.json`);
  const { paths } = (await answer.body.json()) as {
    paths: Readonly<Record<string, Readonly<Record<string, Described>>>>;
  };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      query: parameters.filter((each) => each.in === 'query').map(({ name }) => name),
      hasBody: requestBody !== undefined,
    })),
  );
}
