import type { ModelSpec } from "../protocol/agent.ts";
import { Fault } from "../protocol/failure.ts";
import { isPlainRecipe } from "../protocol/job-file-codemod.ts";
import { defaultModel, readModel } from "../protocol/job-file-model.ts";
import type { JobPath } from "./fill-inputs.ts";
import type { Resolving } from "./resolving.ts";

/** The model that a job file names at `path`, with its script or recording; without a name the default. */
export async function resolveModel(
  written: string | undefined,
  path: JobPath,
  { place, files }: Resolving,
): Promise<ModelSpec> {
  const model = readModel(written ?? defaultModel);
  switch (model.provider) {
    case "messages":
      return model;
    case "replay":
      return model.isFile
        ? { provider: "replay", of: model.of, recording: await files.recording(model.of, place(path)) }
        : { provider: "replay", of: model.of };
    case "scripted":
      return { provider: "scripted", file: model.file, turns: await files.script(model.file, place(path)) };
    case "recipe":
      if (isPlainRecipe(model.recipe)) return { provider: "recipe", recipe: { name: model.recipe } };
      throw new Fault("job_file", `${place(path)}: there is no recipe ${JSON.stringify(model.recipe)}`);
  }
}
