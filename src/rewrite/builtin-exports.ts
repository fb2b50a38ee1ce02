/**
 * What Node's modules certainly export by name: an import of any other name would keep a file from loading, where
 * `require` only gave undefined. A fixed list, so that a job's result does not depend on the Node it runs on.
 * Source: `Object.keys` of the modules of 20.20 and 24.21, as far as they agree.
 */
const listed = `
assert: fail AssertionError ok equal notEqual deepEqual notDeepEqual deepStrictEqual notDeepStrictEqual strictEqual
  notStrictEqual throws rejects doesNotThrow doesNotReject ifError match doesNotMatch CallTracker strict
async_hooks: AsyncLocalStorage createHook executionAsyncId triggerAsyncId executionAsyncResource asyncWrapProviders
  AsyncResource
buffer: Buffer SlowBuffer transcode isUtf8 isAscii kMaxLength kStringMaxLength btoa atob constants INSPECT_MAX_BYTES
  Blob resolveObjectURL File
child_process: ChildProcess exec execFile execFileSync execSync fork spawn spawnSync
console: log warn dir time timeEnd timeLog trace assert clear count countReset group groupEnd table debug info dirxml
  error groupCollapsed Console profile profileEnd timeStamp context createTask
crypto: checkPrime checkPrimeSync createCipheriv createDecipheriv createDiffieHellman createDiffieHellmanGroup
  createECDH createHash createHmac createPrivateKey createPublicKey createSecretKey createSign createVerify
  diffieHellman generatePrime generatePrimeSync getCiphers getCipherInfo getCurves getDiffieHellman getHashes hkdf
  hkdfSync pbkdf2 pbkdf2Sync generateKeyPair generateKeyPairSync generateKey generateKeySync privateDecrypt
  privateEncrypt publicDecrypt publicEncrypt randomBytes randomFill randomFillSync randomInt randomUUID scrypt
  scryptSync sign setEngine timingSafeEqual getFips setFips verify hash Certificate Cipheriv Decipheriv DiffieHellman
  DiffieHellmanGroup ECDH Hash Hmac KeyObject Sign Verify X509Certificate secureHeapUsed constants webcrypto subtle
  getRandomValues
dgram: createSocket Socket
diagnostics_channel: channel hasSubscribers subscribe tracingChannel unsubscribe Channel
dns: lookup lookupService Resolver getDefaultResultOrder setDefaultResultOrder setServers ADDRCONFIG ALL V4MAPPED
  NODATA FORMERR SERVFAIL NOTFOUND NOTIMP REFUSED BADQUERY BADNAME BADFAMILY BADRESP CONNREFUSED TIMEOUT EOF FILE
  NOMEM DESTRUCTION BADSTR BADFLAGS NONAME BADHINTS NOTINITIALIZED LOADIPHLPAPI ADDRGETNETWORKPARAMS CANCELLED
  getServers resolve resolve4 resolve6 resolveAny resolveCaa resolveCname resolveMx resolveNaptr resolveNs resolvePtr
  resolveSoa resolveSrv resolveTxt reverse promises
dns/promises: lookup lookupService Resolver getDefaultResultOrder setDefaultResultOrder setServers NODATA FORMERR
  SERVFAIL NOTFOUND NOTIMP REFUSED BADQUERY BADNAME BADFAMILY BADRESP CONNREFUSED TIMEOUT EOF FILE NOMEM DESTRUCTION
  BADSTR BADFLAGS NONAME BADHINTS NOTINITIALIZED LOADIPHLPAPI ADDRGETNETWORKPARAMS CANCELLED getServers resolve
  resolve4 resolve6 resolveAny resolveCaa resolveCname resolveMx resolveNaptr resolveNs resolvePtr resolveSoa
  resolveSrv resolveTxt reverse
events: addAbortListener once on getEventListeners getMaxListeners EventEmitter usingDomains captureRejectionSymbol
  captureRejections EventEmitterAsyncResource errorMonitor defaultMaxListeners setMaxListeners init listenerCount
fs: appendFile appendFileSync access accessSync chown chownSync chmod chmodSync close closeSync copyFile copyFileSync
  cp cpSync createReadStream createWriteStream exists existsSync fchown fchownSync fchmod fchmodSync fdatasync
  fdatasyncSync fstat fstatSync fsync fsyncSync ftruncate ftruncateSync futimes futimesSync lchown lchownSync lchmod
  lchmodSync link linkSync lstat lstatSync lutimes lutimesSync mkdir mkdirSync mkdtemp mkdtempSync open openSync
  openAsBlob readdir readdirSync read readSync readv readvSync readFile readFileSync readlink readlinkSync realpath
  realpathSync rename renameSync rm rmSync rmdir rmdirSync stat statfs statSync statfsSync symlink symlinkSync
  truncate truncateSync unwatchFile unlink unlinkSync utimes utimesSync watch watchFile writeFile writeFileSync write
  writeSync writev writevSync Dirent Stats ReadStream WriteStream FileReadStream FileWriteStream Dir opendir
  opendirSync constants promises
fs/promises: access copyFile cp open opendir rename truncate rm rmdir mkdir readdir readlink symlink lstat stat
  statfs link unlink chmod lchmod lchown chown utimes lutimes realpath mkdtemp writeFile appendFile readFile watch
  constants
http: METHODS STATUS_CODES Agent ClientRequest IncomingMessage OutgoingMessage Server ServerResponse createServer
  validateHeaderName validateHeaderValue get request setMaxIdleHTTPParsers maxHeaderSize globalAgent
http2: connect constants createServer createSecureServer getDefaultSettings getPackedSettings getUnpackedSettings
  performServerHandshake sensitiveHeaders Http2ServerRequest Http2ServerResponse
https: Agent globalAgent Server createServer get request
module: globalPaths isBuiltin createRequire syncBuiltinESMExports Module builtinModules runMain findSourceMap
  register SourceMap
net: BlockList SocketAddress connect createConnection createServer isIP isIPv4 isIPv6 Server Socket Stream
  getDefaultAutoSelectFamily setDefaultAutoSelectFamily getDefaultAutoSelectFamilyAttemptTimeout
  setDefaultAutoSelectFamilyAttemptTimeout
os: arch availableParallelism cpus endianness freemem getPriority homedir hostname loadavg networkInterfaces platform
  release setPriority tmpdir totalmem type userInfo uptime version machine constants EOL devNull
path: resolve normalize isAbsolute join relative toNamespacedPath dirname basename extname format parse matchesGlob
  sep delimiter win32 posix
perf_hooks: Performance PerformanceEntry PerformanceMark PerformanceMeasure PerformanceObserver
  PerformanceObserverEntryList PerformanceResourceTiming monitorEventLoopDelay createHistogram performance constants
process: version versions arch platform release moduleLoadList binding domain exitCode config dlopen uptime
  getActiveResourcesInfo reallyExit loadEnvFile cpuUsage resourceUsage memoryUsage constrainedMemory availableMemory
  kill exit hrtime openStdin getuid geteuid getgid getegid getgroups allowedNodeEnvironmentFlags features
  setUncaughtExceptionCaptureCallback hasUncaughtExceptionCaptureCallback emitWarning nextTick sourceMapsEnabled
  setSourceMapsEnabled getBuiltinModule stdout stdin stderr abort umask chdir cwd initgroups setgroups setegid
  seteuid setgid setuid env title argv execArgv pid ppid execPath debugPort argv0 report mainModule
querystring: unescapeBuffer unescape escape stringify encode parse decode
readline: Interface clearLine clearScreenDown createInterface cursorTo emitKeypressEvents moveCursor promises
readline/promises: Interface Readline createInterface
stream: isDestroyed isDisturbed isErrored isReadable isWritable Readable Writable Duplex Transform PassThrough
  duplexPair pipeline addAbortSignal finished destroy compose setDefaultHighWaterMark getDefaultHighWaterMark
  promises Stream
stream/consumers: arrayBuffer blob buffer text json
stream/promises: finished pipeline
stream/web: ReadableStream ReadableStreamDefaultReader ReadableStreamBYOBReader ReadableStreamBYOBRequest
  ReadableByteStreamController ReadableStreamDefaultController TransformStream TransformStreamDefaultController
  WritableStream WritableStreamDefaultWriter WritableStreamDefaultController ByteLengthQueuingStrategy
  CountQueuingStrategy TextEncoderStream TextDecoderStream CompressionStream DecompressionStream
string_decoder: StringDecoder
timers: setTimeout clearTimeout setImmediate clearImmediate setInterval clearInterval promises
timers/promises: setTimeout setImmediate setInterval scheduler
tls: CLIENT_RENEG_LIMIT CLIENT_RENEG_WINDOW DEFAULT_CIPHERS DEFAULT_ECDH_CURVE DEFAULT_MIN_VERSION
  DEFAULT_MAX_VERSION getCiphers rootCertificates convertALPNProtocols checkServerIdentity createSecureContext
  SecureContext TLSSocket Server createServer connect
tty: isatty ReadStream WriteStream
url: Url parse resolve resolveObject format URL URLSearchParams domainToASCII domainToUnicode pathToFileURL
  fileURLToPath urlToHttpOptions
util: callbackify debug debuglog deprecate format styleText formatWithOptions getSystemErrorMap getSystemErrorName
  inherits inspect isArray isDeepStrictEqual promisify stripVTControlCharacters toUSVString transferableAbortSignal
  transferableAbortController aborted types parseEnv parseArgs TextDecoder TextEncoder MIMEType MIMEParams
v8: cachedDataVersionTag getHeapSnapshot getHeapStatistics getHeapSpaceStatistics getHeapCodeStatistics
  setFlagsFromString Serializer Deserializer DefaultSerializer DefaultDeserializer deserialize takeCoverage
  stopCoverage serialize writeHeapSnapshot promiseHooks queryObjects startupSnapshot setHeapSnapshotNearHeapLimit
  GCProfiler
vm: Script createContext createScript runInContext runInNewContext runInThisContext isContext compileFunction
  measureMemory constants
worker_threads: isMainThread MessagePort MessageChannel markAsUntransferable moveMessagePortToContext
  receiveMessageOnPort resourceLimits postMessageToThread threadId SHARE_ENV Worker parentPort workerData
  BroadcastChannel setEnvironmentData getEnvironmentData
zlib: crc32 Deflate Inflate Gzip Gunzip DeflateRaw InflateRaw Unzip BrotliCompress BrotliDecompress deflate
  deflateSync gzip gzipSync deflateRaw deflateRawSync unzip unzipSync inflate inflateSync gunzip gunzipSync
  inflateRaw inflateRawSync brotliCompress brotliCompressSync brotliDecompress brotliDecompressSync createDeflate
  createInflate createDeflateRaw createInflateRaw createGzip createGunzip createUnzip createBrotliCompress
  createBrotliDecompress constants codes
`;

const byModule: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  [...listed.matchAll(/^(\S+):((?: \S+|\n {2}\S+)+)/gm)].map(([, name = "", names = ""]) => [
    name,
    new Set(names.trim().split(/\s+/)),
  ]),
);

/** The names of a module, with `node:` before its own or without; none for one that is not listed. */
export function builtinExports(specifier: string): ReadonlySet<string> {
  return byModule.get(specifier.replace(/^node:/, "")) ?? new Set();
}
