// The yardstick: a bare Fastify server that answers a JSON body with itself. Prints its address.
import { fastify } from 'fastify';

const server = fastify();
server.post('/echo', async (request) => request.body);
console.log(await server.listen({ host: '127.0.0.1', port: 0 }));
process.on('SIGTERM', () => void server.close());
