/** What we use of a package that ships no types. */
declare module "@elastic/mockotlpserver" {
  export class MockOtlpServer {
    constructor(options: {
      logLevel: "fatal";
      services: readonly "http"[];
      httpHostname: string;
      httpPort: number;
      onTrace(trace: unknown): void;
    });
    readonly httpUrl: URL;
    start(): Promise<void>;
    close(): Promise<void>;
  }
  export function normalizeTrace(trace: unknown): unknown;
}
