/** npm passes a Ctrl-C on to a script that the terminal has told already: two signals, one wish. */
const echoMs = 300;

/**
 * The first SIGINT or SIGTERM is handed to the listener, which ends the work in order; a second one, later, ends the
 * process at once with the code a shell expects. Answers a function that lets go of the signals.
 */
export function onStopSignal(listener: (signal: "SIGINT" | "SIGTERM") => void): () => void {
  let heardAt: number | undefined;
  const hear = (signal: "SIGINT" | "SIGTERM") => {
    const now = performance.now();
    if (heardAt === undefined) {
      heardAt = now;
      listener(signal);
    } else if (now - heardAt > echoMs) process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  return () => {
    process.off("SIGINT", hear);
    process.off("SIGTERM", hear);
  };
}
