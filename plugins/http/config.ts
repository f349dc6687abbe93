/** The plugin's section of the configuration; meanings and defaults are in plugin.json. */
export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  readonly publicBaseUrl?: string;
  readonly trustProxy: boolean | string;
  readonly bodyLimitBytes: number;
  readonly maxJsonDepth: number;
  readonly maxHeaderBytes: number;
  readonly requestTimeoutMs: number;
  readonly keepAliveTimeoutMs: number;
  readonly maxConnections: number;
  readonly maxInFlight: number;
  readonly accessLog: 'info' | 'debug' | 'off';
}
