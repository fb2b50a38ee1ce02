import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { prepareTemplate } from "./template.ts";

// node src/db/make-template.ts FOLDER: what npm runs after an install, so that the first `sheaf run` need not wait.
const [folder] = process.argv.slice(2);
const manifest = findPackageJSON("..", import.meta.url);
if (!folder || !manifest) throw new Error("usage: make-template FOLDER");
await prepareTemplate({ template: folder, migrations: join(dirname(manifest), "migrations") });
