import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { z } from "zod";
import { writtenSettings } from "../../src/settings/written.ts";

const root = join(import.meta.dirname, "../..");
const read = (path: string) => readFileSync(join(root, path), "utf8");
const settings = writtenSettings.parse({});

describe("examples/nodes/compose.yaml", () => {
  const service = z.looseObject({ image: z.string(), environment: z.record(z.string(), z.string()) });
  const shape = z.object({ services: z.record(z.string(), service), volumes: z.record(z.string(), z.null()) });
  const nodes = shape.parse(parse(read("examples/nodes/compose.yaml")));
  const one = shape.parse(parse(read("compose.yaml")));

  it("starts the nodes as compose.yaml starts its one, on one volume, each behind a port of its own", () => {
    const { sheaf } = nodes.services;
    expect(sheaf).toMatchObject({
      deploy: { replicas: 2 },
      ports: [`127.0.0.1:${settings.server.port}-${settings.server.port + 9}:${settings.server.port}`],
    });
    for (const key of ["command", "security_opt", "cap_drop", "read_only", "tmpfs", "stop_grace_period", "init"]) {
      expect(sheaf?.[key]).toEqual(one.services.sheaf?.[key]);
    }
    expect(sheaf?.environment.DATABASE_URL).toBe(one.services.sheaf?.environment.DATABASE_URL);
    expect(sheaf?.volumes).toContain("data:/var/lib/sheaf");
    expect(nodes.services.postgres).toEqual(one.services.postgres);
    expect(nodes.volumes).toEqual(one.volumes);
  });
});

describe("examples/nodes/kubernetes.yaml", () => {
  const named = z.looseObject({ apiVersion: z.string(), kind: z.string(), metadata: z.object({ name: z.string() }) });
  const documents = parseAllDocuments(read("examples/nodes/kubernetes.yaml"));
  const objects = new Map(documents.map((one) => named.parse(one.toJS())).map((one) => [one.kind, one]));
  const container = z.looseObject({
    args: z.array(z.string()),
    ports: z.tuple([z.object({ name: z.string(), containerPort: z.number() })]),
    envFrom: z.tuple([z.object({ secretRef: z.object({ name: z.string() }) })]),
    volumeMounts: z.array(z.looseObject({ name: z.string(), mountPath: z.string() })),
  });
  const pod = z
    .object({
      spec: z.object({
        template: z.object({
          metadata: z.unknown(),
          spec: z.looseObject({
            containers: z.tuple([container]),
            volumes: z.array(z.looseObject({ name: z.string() })),
          }),
        }),
      }),
    })
    .parse(objects.get("Deployment")).spec.template.spec;
  const [sheaf] = pod.containers;

  it("is one object of each kind, all of one name", () => {
    expect(documents.flatMap(({ errors }) => errors)).toEqual([]);
    expect([...objects.keys()].toSorted()).toEqual(["ConfigMap", "Deployment", "PersistentVolumeClaim", "Service"]);
    expect([...objects.values()].map(({ metadata }) => metadata.name)).toEqual(Array.from(objects, () => "sheaf"));
    expect(documents).toHaveLength(objects.size);
  });

  it("shares one folder that many can write, and mounts every volume that it names", () => {
    expect(objects.get("PersistentVolumeClaim")).toMatchObject({ spec: { accessModes: ["ReadWriteMany"] } });
    expect(sheaf.volumeMounts.map(({ name }) => name)).toEqual(pod.volumes.map(({ name }) => name));
    expect(sheaf.volumeMounts[0]).toEqual({ name: "data", mountPath: "/var/lib/sheaf" });
    expect(pod.volumes[0]).toEqual({ name: "data", persistentVolumeClaim: { claimName: "sheaf" } });
  });

  it("listens where the Service and the probes ask, which are those of the server", () => {
    expect(sheaf.ports).toEqual([{ name: "http", containerPort: settings.server.port }]);
    expect(objects.get("Service")).toMatchObject({
      spec: { selector: { app: "sheaf" }, ports: [{ targetPort: "http" }] },
    });
    expect(sheaf).toMatchObject({
      readinessProbe: { httpGet: { path: "/readyz", port: "http" } },
      livenessProbe: { httpGet: { path: "/healthz", port: "http" } },
    });
    for (const path of ["/readyz", "/healthz"]) expect(read("src/http/health.ts")).toContain(`path: "${path}"`);
  });

  it("runs as the user of the image without privileges, takes secrets from the Secret, and its settings are valid", () => {
    expect(read("Containerfile")).toContain("--uid 10001 sheaf");
    expect(pod).toMatchObject({ securityContext: { runAsNonRoot: true, runAsUser: 10_001, fsGroup: 10_001 } });
    expect(sheaf).toMatchObject({
      securityContext: {
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ["ALL"] },
      },
    });
    expect(sheaf.envFrom).toEqual([{ secretRef: { name: "sheaf" } }]);
    const config = z.object({ data: z.record(z.string(), z.string()) }).parse(objects.get("ConfigMap"));
    expect(sheaf.args).toContain("/etc/sheaf/sheaf.config.yaml");
    writtenSettings.parse(parse(config.data["sheaf.config.yaml"] ?? ""));
  });
});
