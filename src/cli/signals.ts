/**
 * The first SIGINT or SIGTERM is handed to the listener, which ends the work in order; the second ends the process
 * at once, with the code a shell expects. Answers a function that lets go of the signals.
 */
export function onStopSignal(listener: (signal: "SIGINT" | "SIGTERM") => void): () => void {
  let heard = 0;
  const hear = (signal: "SIGINT" | "SIGTERM") => {
    heard += 1;
    if (heard > 1) process.exit(signal === "SIGINT" ? 130 : 143);
    listener(signal);
  };
  process.on("SIGINT", hear);
  process.on("SIGTERM", hear);
  return () => {
    process.off("SIGINT", hear);
    process.off("SIGTERM", hear);
  };
}
