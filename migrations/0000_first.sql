CREATE SCHEMA "sheaf";
--> statement-breakpoint
CREATE TABLE "sheaf"."artifacts" (
	"sha256" text PRIMARY KEY NOT NULL,
	"size" bigint NOT NULL,
	"media_type" text NOT NULL,
	"bytes" "bytea" NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sheaf"."events" (
	"run_id" uuid NOT NULL,
	"seq" bigint NOT NULL,
	"job_id" uuid NOT NULL,
	"pos" bigint NOT NULL,
	"id" uuid NOT NULL,
	"type" text NOT NULL,
	"data" json NOT NULL,
	"epoch" integer NOT NULL,
	"span_id" text,
	"at" timestamp with time zone NOT NULL,
	CONSTRAINT "events_run_id_seq_pk" PRIMARY KEY("run_id","seq"),
	CONSTRAINT "events_job_id_pos_unique" UNIQUE("job_id","pos")
);
--> statement-breakpoint
CREATE TABLE "sheaf"."handles" (
	"name" text PRIMARY KEY NOT NULL,
	"last" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sheaf"."jobs" (
	"run_id" uuid PRIMARY KEY NOT NULL,
	"handle" text NOT NULL,
	"name" text NOT NULL,
	"spec_sha" text NOT NULL,
	"base_commit" text NOT NULL,
	"repository" text NOT NULL,
	"state" text NOT NULL,
	"outcome" text,
	"result" json,
	"trace_id" text NOT NULL,
	"head" bigint NOT NULL,
	"created_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	CONSTRAINT "jobs_handle_unique" UNIQUE("handle")
);
--> statement-breakpoint
CREATE TABLE "sheaf"."runs" (
	"id" uuid PRIMARY KEY NOT NULL,
	"job_id" uuid NOT NULL,
	"parent_id" uuid,
	"task_id" text,
	"step" integer NOT NULL,
	"attempt" integer NOT NULL,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"epoch" integer NOT NULL,
	"owner" text,
	"head" bigint NOT NULL,
	"failure" json,
	"created_at" timestamp with time zone NOT NULL,
	"started_at" timestamp with time zone,
	"finished_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sheaf"."spans" (
	"trace_id" text NOT NULL,
	"span_id" text NOT NULL,
	"parent_span_id" text,
	"job_id" uuid NOT NULL,
	"run_id" uuid,
	"name" text NOT NULL,
	"kind" text NOT NULL,
	"status" text NOT NULL,
	"status_message" text,
	"start_ns" bigint NOT NULL,
	"dur_ns" bigint,
	"attrs" jsonb NOT NULL,
	"events" jsonb NOT NULL,
	"links" jsonb NOT NULL,
	CONSTRAINT "spans_trace_id_span_id_pk" PRIMARY KEY("trace_id","span_id")
);
--> statement-breakpoint
CREATE TABLE "sheaf"."tasks" (
	"job_id" uuid NOT NULL,
	"id" text NOT NULL,
	"ordinal" integer NOT NULL,
	"title" text NOT NULL,
	"state" text,
	"result_tree" text,
	"result_commit" text,
	"landed" boolean NOT NULL,
	CONSTRAINT "tasks_job_id_id_pk" PRIMARY KEY("job_id","id"),
	CONSTRAINT "tasks_job_id_ordinal_unique" UNIQUE("job_id","ordinal")
);
--> statement-breakpoint
ALTER TABLE "sheaf"."runs" ADD CONSTRAINT "runs_job_id_jobs_run_id_fk" FOREIGN KEY ("job_id") REFERENCES "sheaf"."jobs"("run_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "sheaf"."tasks" ADD CONSTRAINT "tasks_job_id_jobs_run_id_fk" FOREIGN KEY ("job_id") REFERENCES "sheaf"."jobs"("run_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "jobs_newest" ON "sheaf"."jobs" USING btree ("created_at","run_id");--> statement-breakpoint
CREATE INDEX "runs_of_job" ON "sheaf"."runs" USING btree ("job_id");--> statement-breakpoint
CREATE INDEX "spans_of_job" ON "sheaf"."spans" USING btree ("job_id");