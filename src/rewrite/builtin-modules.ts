/**
 * Node's modules that exist without the `node:` prefix, as of Node 20 to 24. A fixed list, so that a job's result
 * does not depend on the Node it runs on. Left out on purpose: modules that exist only with the prefix (`test`,
 * `sqlite`, `sea`: without it they are npm packages) and modules that Node has dropped.
 * Source: `module.builtinModules` of 20.20 and 24.21, which agree.
 */
export const builtinModules: ReadonlySet<string> = new Set(
  `_http_agent _http_client _http_common _http_incoming _http_outgoing _http_server
  _stream_duplex _stream_passthrough _stream_readable _stream_transform _stream_wrap _stream_writable
  _tls_common _tls_wrap assert assert/strict async_hooks buffer child_process cluster console constants crypto dgram
  diagnostics_channel dns dns/promises domain events fs fs/promises http http2 https inspector inspector/promises
  module net os path path/posix path/win32 perf_hooks process punycode querystring readline readline/promises repl
  stream stream/consumers stream/promises stream/web string_decoder sys timers timers/promises tls trace_events tty
  url util util/types v8 vm wasi worker_threads zlib`.split(/\s+/),
);

/** Whether a text that begins like this, and goes on unknown, could still become one of the names. */
export function couldBecomeBuiltin(prefix: string): boolean {
  return builtinModules.values().some((name) => name.startsWith(prefix));
}
