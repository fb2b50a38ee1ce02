import { cargoLayout } from "./cargo-layout.ts";
import { goLayout } from "./go-layout.ts";
import type { Layout } from "./manifest.ts";
import { mavenLayout } from "./maven-layout.ts";
import { npmLayout } from "./npm-layout.ts";
import { pythonLayout } from "./python-layout.ts";

export const layouts: readonly Layout[] = [npmLayout, cargoLayout, goLayout, pythonLayout, mavenLayout];
