CREATE TABLE "sheaf"."approvals" (
	"id" uuid PRIMARY KEY NOT NULL,
	"job_id" uuid NOT NULL,
	"run_id" uuid NOT NULL,
	"task_id" text NOT NULL,
	"call_id" text NOT NULL,
	"tool" text NOT NULL,
	"input" text NOT NULL,
	"input_sha" text NOT NULL,
	"rule" text NOT NULL,
	"source" text NOT NULL,
	"reason" text NOT NULL,
	"suggestion" text,
	"state" text NOT NULL,
	"remember" boolean NOT NULL,
	"decided_by" text,
	"note" text,
	"at" timestamp with time zone NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"decided_at" timestamp with time zone
);
--> statement-breakpoint
CREATE TABLE "sheaf"."audit" (
	"id" uuid PRIMARY KEY NOT NULL,
	"at" timestamp with time zone NOT NULL,
	"actor" text,
	"address" text,
	"method" text NOT NULL,
	"path" text NOT NULL,
	"request_id" text NOT NULL,
	"status" integer,
	"answered_at" timestamp with time zone
);
--> statement-breakpoint
ALTER TABLE "sheaf"."approvals" ADD CONSTRAINT "approvals_job_id_jobs_run_id_fk" FOREIGN KEY ("job_id") REFERENCES "sheaf"."jobs"("run_id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "approvals_of_job" ON "sheaf"."approvals" USING btree ("job_id","at");--> statement-breakpoint
CREATE INDEX "approvals_pending" ON "sheaf"."approvals" USING btree ("at") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "audit_newest" ON "sheaf"."audit" USING btree ("at","id");