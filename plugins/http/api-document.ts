/** The API described by itself: the OpenAPI document of the active routes, and a page to read it. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Type } from 'typebox';
import type { Route, RouteResponse } from '../../kernel/plugin/points/http.ts';
import { AnyObject } from '../../schemas/json.ts';
import { type ApiRoute, buildOpenApi } from '../../schemas/openapi.ts';

const DESCRIPTION =
  'OpenWOP 1.0 workflow host. Every operation belongs to an active plugin: switch the plugin off and it disappears here as well.';

/** Routes for the OpenAPI document and the page. `routes` is asked on each request and returns another array only after a change. */
export function documentRoutes(version: string, routes: () => readonly Route[]): Route[] {
  return [openApiRoute(version, routes), pageRoute()];
}

function openApiRoute(version: string, routes: () => readonly Route[]): Route {
  let built: { readonly from: readonly Route[]; readonly response: RouteResponse } | undefined;
  return {
    method: 'GET',
    path: '/v1/openapi.json',
    operationId: 'getOpenApiSpec',
    summary: 'This API as an OpenAPI 3.1 document',
    tags: ['discovery'],
    scopes: null,
    responses: {
      200: { description: 'The OpenAPI document.', schema: AnyObject },
      304: { description: 'Not changed since the ETag in If-None-Match.' },
    },
    handle: () => {
      const from = routes();
      if (built?.from !== from) built = { from, response: documentResponse(version, from) };
      return built.response;
    },
  };
}

function documentResponse(version: string, routes: readonly Route[]): RouteResponse {
  const document = buildOpenApi({
    info: { title: 'wopr', version, description: DESCRIPTION },
    routes: routes.map(toApiRoute),
  });
  const json = JSON.stringify(document);
  return { status: 200, json, headers: { etag: etagOf(json), 'cache-control': 'public, max-age=300' } };
}

function toApiRoute(route: Route): ApiRoute {
  const { method, path, operationId, summary, tags, scopes, params, query, body, responses } = route;
  const { properties } = (params ?? {}) as { properties?: ApiRoute['params'] };
  return {
    method,
    path,
    operationId,
    summary,
    scope: scopes === null ? null : [...scopes],
    responses,
    ...(tags && { tags: [...tags] }),
    ...(properties && { params: properties }),
    ...(query && { query }),
    ...(body && { body }),
  };
}

function pageRoute(): Route {
  const text = readFileSync(new URL('./docs.html', import.meta.url), 'utf8');
  const headers = {
    'content-type': 'text/html; charset=utf-8',
    etag: etagOf(text),
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
    'content-security-policy': pagePolicy(text),
  };
  return {
    method: 'GET',
    path: '/docs',
    operationId: 'getApiDocs',
    summary: 'This API as a page to read',
    tags: ['discovery'],
    scopes: null,
    responses: { 200: { description: 'The page.', schema: Type.String(), contentType: 'text/html' } },
    handle: () => ({ status: 200, text, headers }),
  };
}

/** Only the page's own script and style run, and they may talk to this host only. */
function pagePolicy(html: string): string {
  const hash = (tag: string) => {
    const content = new RegExp(`<${tag}>([\\s\\S]*?)</${tag}>`).exec(html)?.[1] ?? '';
    return `'sha256-${createHash('sha256').update(content).digest('base64')}'`;
  };
  return `default-src 'none'; script-src ${hash('script')}; style-src ${hash('style')}; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;
}

const etagOf = (text: string) => `"${createHash('sha256').update(text).digest('base64url').slice(0, 27)}"`;
