// Plain JavaScript, so that the same folder also works as an npm package: Node strips no types under node_modules.

/** @param {import('../../../kernel/plugin/types.ts').PluginContext<{ salutation: string }>} context */
export function activate(context) {
  const { salutation } = context.config;

  context.register('nodeTypes', 'community.example.greeting', {
    typeId: 'community.example.greeting',
    description: 'Greets the person named in the input "name".',
    // Pure and fast, so the engine may run it in its own turn.
    inline: true,
    configSchema: {
      type: 'object',
      properties: { punctuation: { type: 'string', maxLength: 3 } },
      additionalProperties: false,
    },
    execute({ config, inputs }) {
      if (typeof inputs.name !== 'string' || inputs.name === '') {
        const error = { code: 'node_error', message: 'The input "name" must be a text that is not empty.' };
        return { kind: 'failed', error, retryable: false };
      }
      const greeting = `${salutation}, ${inputs.name}${config.punctuation ?? '!'}`;
      return { kind: 'completed', outputs: { greeting } };
    },
  });

  context.register('capabilities', 'greeting', { supported: true, salutation });
}
