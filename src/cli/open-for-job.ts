import { resolve } from "node:path";
import { openRepository, type Repository } from "../workspace/repository.ts";
import { makeDataFolder } from "./data-folder.ts";
import type { Surroundings } from "./session.ts";

/** The repository that a job is about. The caller closes it. */
export async function openForJob({ repo }: { repo: string }, { config, git, cwd }: Surroundings): Promise<Repository> {
  await makeDataFolder(config.home);
  return openRepository(resolve(cwd, repo), { home: config.home, git, userHome: config.userHome });
}
