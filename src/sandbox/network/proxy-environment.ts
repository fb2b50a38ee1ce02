/**
 * How programs learn of the proxy. Beside the variables that most of them read, those of tools that have their own, and
 * those that win over a proxy that a repository's own configuration names. Pure.
 */
export function proxyEnvironment(port: number): Record<string, string> {
  const proxy = `http://127.0.0.1:${port}`;
  const own = "localhost,127.0.0.1,::1";
  return {
    HTTP_PROXY: proxy,
    HTTPS_PROXY: proxy,
    http_proxy: proxy,
    https_proxy: proxy,
    NO_PROXY: own,
    no_proxy: own,
    // fetch and http of Node 24 itself.
    NODE_USE_ENV_PROXY: "1",
    // npm and pnpm: above any .npmrc.
    npm_config_proxy: proxy,
    npm_config_https_proxy: proxy,
    npm_config_noproxy: own,
    // Yarn 2 and later, which read no other variable.
    YARN_HTTP_PROXY: proxy,
    YARN_HTTPS_PROXY: proxy,
    CARGO_HTTP_PROXY: proxy,
    // The JVM reads no variable but this one.
    JAVA_TOOL_OPTIONS: ["http", "https"]
      .flatMap((scheme) => [`-D${scheme}.proxyHost=127.0.0.1`, `-D${scheme}.proxyPort=${port}`])
      .join(" "),
  };
}
